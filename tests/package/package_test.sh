#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs the tools build into an empty folder and uses it as a stranger would: the tool, its manual, a project that
# finds the library by CMake and by pkg-config. The folder has a space in its name, as people's folders have.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm package XXXXXX")
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix="$work/usr"

fail() {
    echo "package test: $*" >&2
    exit 1
}
present() { [ -e "$prefix/$1" ] || fail "not installed: $1"; }

cmake --install "$SEL4VM_BUILD/tools" --prefix "$prefix" >"$work/install.log" || { cat "$work/install.log"; fail "cmake --install failed"; }

# Nothing is installed from a build that is older than the sources.
stamp=$SEL4VM_BUILD/tools/built
[ -e "$stamp" ] || fail "there is no $stamp"
cp -a "$SEL4VM_BUILD/tools/cmake_install.cmake" "$work/stale.cmake"
sed -i "s|\[\[$stamp\]\]|[[$work/built]]|" "$work/stale.cmake"
touch -d "2001-01-01" "$work/built"
if cmake -DCMAKE_INSTALL_PREFIX="$work/stale" -P "$work/stale.cmake" >"$work/stale.log" 2>&1; then
    fail "a build that is older than the sources was installed"
fi
grep -q "is older than .*: ./dev build" <<<"$(tr '\n' ' ' <"$work/stale.log" | tr -s ' ')" || fail "$(cat "$work/stale.log")"

libdir=$(cd "$prefix" && dirname "$(find lib -name pkgconfig)")
present bin/sel4vm
present share/man/man1/sel4vm.1
present share/sel4vm/vmm.img
present share/sel4vm/vmm.elf
present share/sel4vm/system.schema.json
present share/bash-completion/completions/sel4vm
present share/zsh/site-functions/_sel4vm
present share/fish/vendor_completions.d/sel4vm.fish
present share/sel4vm/vmm.THIRD-PARTY-NOTICES
present share/doc/sel4vm/LICENSE
present share/doc/sel4vm/README.md
present "$libdir/cmake/sel4vm/sel4vm-config.cmake"
present include/sel4vm/vm/vm.hpp
present include/hosts/fake/vcpu.hpp

# The tool runs from where it is installed, and its manual knows every command that it has.
"$prefix/bin/sel4vm" --help >"$work/help" || fail "sel4vm --help failed"
for command in check build run inspect; do
    grep -qw "$command" "$work/help" || fail "sel4vm --help does not name '$command'"
    grep -qw "$command" "$prefix/share/man/man1/sel4vm.1" || fail "sel4vm.1 does not describe '$command'"
done

# Every link in a document leads to a file that is installed, too.
python3 - "$prefix/share/doc/sel4vm" <<'PY' || fail "the links above lead nowhere"
import pathlib, re, sys
root, links, broken = pathlib.Path(sys.argv[1]), 0, []
for page in sorted(root.rglob("*.md")):
    text = re.sub(r"^( *)```.*?^ *```|`[^`\n]*`", "", page.read_text(), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:|#", target):
            continue
        links += 1
        if not (page.parent / target.split("#")[0]).exists():
            broken.append(f"{page.relative_to(root)}: {target}")
print("\n".join(broken))
sys.exit(bool(broken) or links < 50)
PY

# The notices name what is linked, each with its licence.
notice=$prefix/share/doc/sel4vm/THIRD-PARTY-NOTICES
for package in libexpected-dev libtomlplusplus libcli11-dev libfmt libfdt-dev libstdc++; do
    grep -q "^  $package" "$notice" || fail "the notice does not name $package"
done
grep -q "Permission is hereby granted" "$notice" || fail "the notice quotes no licence"
grep -q "^  libexpected-dev" "$prefix/share/sel4vm/vmm.THIRD-PARTY-NOTICES" || fail "the image's notice does not name libexpected-dev"
if grep -q "libtomlplusplus" "$prefix/share/sel4vm/vmm.THIRD-PARTY-NOTICES"; then
    fail "the image's notice names toml++, which is not in the image"
fi

# An image that the installed tool builds carries the host image's notice.
head -c 4096 /dev/zero >"$work/kernel.bin"
printf '[[vm]]\nname = "guest"\nmemory = "16M"\nkernel = "kernel.bin"\n' >"$work/system.toml"
"$prefix/bin/sel4vm" build "$work/system.toml" -o "$work/system.img" || fail "the installed tool builds no image"
"$prefix/bin/sel4vm" inspect --notices "$work/system.img" >"$work/notices" || fail "the built image carries no notices"
cmp -s "$work/notices" "$prefix/share/sel4vm/vmm.THIRD-PARTY-NOTICES" || fail "the built image's notice is not the host image's"

# The example works from where it is installed, without a checkout.
SEL4VM_DEBS="$SEL4VM_BUILD/debs" "$prefix/share/doc/sel4vm/examples/debian-linux/prepare" "$work/debian" || fail "the installed example cannot be prepared"
"$prefix/bin/sel4vm" check "$work/debian/system.toml" || fail "the installed example is wrong"
if "$prefix/share/doc/sel4vm/examples/debian-linux/prepare" >"$work/log" 2>&1; then fail "it wrote somewhere beside the installed tree"; fi
grep -q "needs a FOLDER" "$work/log" || fail "$(cat "$work/log")"

# No file of the installed tree knows the build folder.
if grep -rlF -- "$SEL4VM_SOURCE" "$prefix/lib" "$prefix/include" "$prefix/bin" "$prefix/share/sel4vm"; then
    fail "the files above name the folder they were built in"
fi

cmake -S "$here/outside" -B "$work/by cmake" -G Ninja "-DCMAKE_PREFIX_PATH=$prefix" "-DSEL4VM_HEADERS=$prefix/include" \
    >"$work/configure.log" || { cat "$work/configure.log"; fail "find_package(sel4vm) failed"; }
ninja -C "$work/by cmake" >"$work/build.log" || { cat "$work/build.log"; fail "the outside project does not build"; }
[ "$("$work/by cmake/outside")" = "ok guest-write=!" ] || fail "the program built by CMake does not work"

. "$here/programs.sh"
test_programs

# A prefix with a space is beyond what pkg-config's output can say in a shell, so it gets a link without one.
plain=$(mktemp -d /tmp/sel4vm-package-XXXXXX)
trap 'rm -rf "$work" "$plain"' EXIT
ln -s "$prefix" "$plain/usr"
export PKG_CONFIG_PATH="$plain/usr/$libdir/pkgconfig"
flags=$(pkg-config --cflags --libs sel4vm-fake) || fail "pkg-config does not find sel4vm-fake"
pkg-config --exists "sel4vm >= 0.1" || fail "pkg-config does not find sel4vm"
# shellcheck disable=SC2086 # flags are words
g++ -std=c++20 "$here/outside/main.cpp" $flags -o "$work/by-pkg-config" || fail "the program does not build with pkg-config"
[ "$("$work/by-pkg-config")" = "ok guest-write=!" ] || fail "the program built by pkg-config does not work"
strict="-Wall -Wextra -Wpedantic -Werror"
for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    # shellcheck disable=SC2086 # flags are words
    $compiler -std=c99 $strict "$here/program/main.c" $flags -o "$work/c-program" || fail "the C program does not build with $compiler and pkg-config"
    # shellcheck disable=SC2086
    "${compiler/gcc/g}++" -std=c++20 $strict "$here/program/main.cpp" $flags -o "$work/cxx-program" || fail "the C++ program does not build with $compiler++ and pkg-config"
    runs_on_fake "$work/c-program" "$work/cxx-program"
done
echo "package test: passed"
