#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The Debian packages: what is in them, and that they can be used where nothing else is: installed with what they say they need into a clean
# Debian (mmdebstrap, essential packages only, without root where that is possible), and taken apart for somebody's program.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm debian XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "debian test: $*" >&2
    exit 1
}

(cd "$work" && cpack -G DEB --config "$SEL4VM_BUILD/tools/CPackConfig.cmake" -B "$work/made") >"$work/log" 2>&1 || fail "$(cat "$work/log")"
tool=$(echo "$work"/made/sel4vm_*.deb)
development=$(echo "$work"/made/libsel4vm-dev_*.deb)
for package in "$tool" "$development"; do
    [ -f "$package" ] || fail "not made: $(cat "$work/log")"
done

# What they say about themselves.
field() { dpkg-deb -f "$1" "$2"; }
version=$("$SEL4VM" --version)
[ "$(field "$tool" Version)" = "${version#sel4vm }" ] || fail "the package is of version $(field "$tool" Version), the tool of $version"
for needed in libc6 libstdc++6 libfmt zlib1g; do
    grep -qF "$needed" <<<"$(field "$tool" Depends)" || fail "sel4vm does not depend on $needed: $(field "$tool" Depends)"
done
[ "$(field "$tool" Recommends)" = qemu-system-arm ] || fail "sel4vm recommends $(field "$tool" Recommends)"
# For the scripts among its examples.
for program in python3 cpio; do
    grep -qw "$program" <<<"$(field "$tool" Suggests)" || fail "sel4vm does not suggest $program: $(field "$tool" Suggests)"
done
[ "$(field "$development" Depends)" = "libexpected-dev, libfdt-dev" ] || fail "libsel4vm-dev depends on $(field "$development" Depends)"
for package in "$tool" "$development"; do
    dpkg-deb -c "$package" >"$work/list"
    name=$(field "$package" Package)
    for file in copyright changelog.gz; do
        grep -q " ./usr/share/doc/$name/$file$" "$work/list" || fail "$name has no $file"
    done
    if awk '$2 != "root/root" || $6 !~ /^\.\/(usr\/.*)?$/' "$work/list" | grep .; then fail "the files above are not root's, or not below /usr"; fi
done
dpkg-deb -c "$tool" >"$work/list"
for file in bin/sel4vm share/man/man1/sel4vm.1.gz share/sel4vm/vmm.img share/sel4vm/system.schema.json \
    share/bash-completion/completions/sel4vm share/zsh/vendor-completions/_sel4vm share/fish/vendor_completions.d/sel4vm.fish; do
    grep -q " ./usr/$file$" "$work/list" || fail "sel4vm has no $file"
done
dpkg-deb --fsys-tarfile "$tool" | tar -xO ./usr/share/doc/sel4vm/copyright >"$work/copyright"
grep -q "Redistribution and use in source and binary forms" "$work/copyright" || fail "the copyright file has no licence"

# A small program, whose guest switches its machine off, by CMake and by pkg-config, with the package's files alone.
dpkg-deb -x "$development" "$work/root"
mkdir "$work/client"
cp "$SEL4VM_SOURCE/tests/package/program/main.cpp" "$work/client/"
cat >"$work/client/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.25)
project(client LANGUAGES C CXX)
find_package(sel4vm 0.1 REQUIRED)
add_executable(client main.cpp)
target_link_libraries(client PRIVATE sel4vm::fake_program)
PROJECT
cmake -S "$work/client" -B "$work/client/build" -G Ninja "-DCMAKE_PREFIX_PATH=$work/root/usr" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
ninja -C "$work/client/build" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
mkdir "$work/files"
printf '\x00\x01\x80\x52\x00\x80\xb0\x72\x03\x00\x00\xd4' >"$work/files/kernel"
export SEL4VM_FAKE_FILES=$work/files
"$work/client/build/client" 2>"$work/log" || fail "the client fails: $(cat "$work/log")"
plain=$(mktemp -d /tmp/sel4vm-debian-XXXXXX) # flags with a space in them are no words of a shell
trap 'rm -rf "$work" "$plain"' EXIT
ln -s "$work/root/usr" "$plain/usr"
flags=$(PKG_CONFIG_PATH=$plain/usr/lib/pkgconfig pkg-config --cflags --libs sel4vm-fake) || fail "pkg-config does not find sel4vm-fake"
# shellcheck disable=SC2086 # flags are words
g++ -std=c++20 "$work/client/main.cpp" $flags -o "$plain/client" || fail "the client does not build with pkg-config"
"$plain/client" 2>"$work/log" || fail "the client built with pkg-config fails: $(cat "$work/log")"

# A clean Debian. dpkg refuses what needs a package that is not there, or a newer one.
head -c 4096 /dev/zero >"$plain/kernel.bin"
printf '[[vm]]\nname = "guest"\nmemory = "16M"\nkernel = "kernel.bin"\n' >"$plain/system.toml"
cp "$tool" "$development" "$plain/"
cat >"$plain/use" <<'USE'
set -e
cd /tmp/files
dpkg -i ./*.deb
[ "$(sel4vm --version)" = "sel4vm $(dpkg-query -W -f '${Version}' sel4vm)" ]
sel4vm --help | grep -q inspect
sel4vm check system.toml
sel4vm build system.toml -o system.img
sel4vm inspect system.img | grep -q guest
ls /usr/lib/libsel4vm_vm.a /usr/include/sel4vm/vm/vm.hpp /usr/lib/cmake/sel4vm/sel4vm-config.cmake >/dev/null
dpkg -r sel4vm libsel4vm-dev
[ ! -e /usr/bin/sel4vm ] && [ ! -e /usr/share/sel4vm ] && [ ! -e /usr/include/sel4vm ]
echo "used"
USE
needed=$(printf '%s, %s' "$(field "$tool" Depends)" "$(field "$development" Depends)" | sed 's/ *([^)]*)//g; s/|[^,]*//g; s/, */,/g')
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
"$SEL4VM_SOURCE/tools/debs" sources >"$work/sources"
# shellcheck disable=SC2016 # mmdebstrap says what $1 is
mmdebstrap --variant=essential --format=null "--include=$needed" --aptopt='Acquire::Languages "none"' \
    --customize-hook="mkdir -p \"\$1/tmp/files\"" --customize-hook="sync-in $plain /tmp/files" --customize-hook='chroot "$1" sh /tmp/files/use' \
    "$codename" - "$work/sources" >"$work/log" 2>&1 || fail "in a clean Debian: $(tail -n 40 "$work/log")"
grep -q "^used$" "$work/log" || fail "$(tail -n 40 "$work/log")"
grep -q "system.toml: good: 1 VM" "$work/log" || fail "$(tail -n 40 "$work/log")"
echo "debian test: passed"
