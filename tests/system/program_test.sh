#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# ./dev run --program: somebody's own sources, from outside of the checkout, become the program of the el2 host; and what is said about
# sources that cannot.
set -euo pipefail
. "$SEL4VM_SOURCE/tools/dev/common.sh"
. "$SEL4VM_SOURCE/tools/dev/program.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm program XXXXXX")
trap 'rm -rf "$work" "$root"/build/programs/*-program-test-*' EXIT
mine=$SEL4VM_SOURCE/tests/package/program

fail() {
    echo "program test: $*" >&2
    exit 1
}
# runs PATH STATUS: builds the program at PATH and boots it with a guest that turns its machine off.
printf '\x00\x01\x80\x52\x00\x80\xb0\x72\x03\x00\x00\xd4' >"$work/guest.bin"
runs() {
    local status=0
    build_program "$1"
    "$SEL4VM" run --kernel "$work/guest.bin" --host-image "$program_image" </dev/null >"$work/out" 2>"$work/err" || status=$?
    [ $status -eq "$2" ] || fail "status $status instead of $2 for $1: $(cat "$work/out" "$work/err")"
}
# refused PATH REGEX: it is not built, for this reason.
refused() {
    if (build_program "$1") >"$work/out" 2>&1; then fail "$1 was built"; fi
    grep -qE "^dev: error: .*$2" "$work/out" || fail "wrong reason for $1: $(cat "$work/out")"
}

cp "$mine/main.c" "$work/c-program-test-1.c"
runs "$work/c-program-test-1.c" 0
grep -q "^a guest of 12 bytes has ended: result 0, reason 4" "$work/out" || fail "$(cat "$work/out")"
cp "$mine/main.cpp" "$work/cxx-program-test-1.cpp"
runs "$work/cxx-program-test-1.cpp" 0

# A folder, with a header of its own and both languages; by another name of the file.
folder=$work/folder-program-test-1
mkdir -p "$folder/parts"
echo 'int status_of(int failed);' >"$folder/parts/status.h"
printf '#include <parts/status.h>\nint status_of(int failed) { return failed ? 1 : 2; }\n' >"$folder/parts/status.c"
cat >"$folder/main.cpp" <<'PROGRAM'
extern "C" {
#include <parts/status.h>
}
#include <sel4vm/program/host.hpp>
int main() {
    sel4vm::program::Host host;
    return !host.open() || status_of(!host.file("guest.bin") || host.file("nothing"));
}
PROGRAM
runs "$folder" 1
sed -i 's/return .*/return !host.open() ? 1 : status_of(!host.file("guest.bin") || host.file("nothing"));/' "$folder/main.cpp"
runs "$folder" 2

# A panic of the host names functions and lines, and nothing that only looks like one.
cat >"$work/panic-program-test-1.cpp" <<'PROGRAM'
#include <sel4vm/base/assert.hpp>
#include <sel4vm/program/host.hpp>
[[gnu::noinline]] void provoke(sel4vm::program::Host &host) {
    SEL4VM_ASSERT(!host.file("guest.bin"));
    asm volatile("");
}
int main() {
    sel4vm::program::Host host;
    if (!host.open())
        return 2;
    host.log().line(sel4vm::LogLevel::error, "guest", "  called from 0x40200100 (image+0x100)");
    provoke(host);
    return 0;
}
PROGRAM
runs "$work/panic-program-test-1.cpp" 1
grep -q "^sel4vm: panic: " "$work/err" || fail "no panic: $(cat "$work/err")"
grep -qE "^sel4vm:   called from 0x[0-9a-f]+ \(image\+0x[0-9a-f]+\) provoke\(sel4vm::program::Host&\)\+0x[0-9a-f]+" "$work/err" ||
    fail "the caller has no name: $(cat "$work/err")"
grep -q "^sel4vm: error: guest:   called from 0x40200100 (image+0x100)$" "$work/err" || fail "a program's words were changed: $(cat "$work/err")"

# What a program logs is whole lines of the host, whatever is in it and however long it is.
cat >"$work/log-program-test-1.c" <<'PROGRAM'
#include <sel4vm/host.h>
int main(void) {
    char x[1001] = {0};
    for (int i = 0; i < 1000; ++i)
        x[i] = 'x';
    vm_host_log("a\033[2Jb\302\233c\nsel4vm: error: host: forged");
    vm_host_log(x);
    vm_host_log("last");
    return 0;
}
PROGRAM
runs "$work/log-program-test-1.c" 0
{
    printf 'sel4vm: info: program: %s\n' 'a\x1b[2Jb\xc2\x9bc\x0asel4vm: error: host: forged'
    printf 'sel4vm: info: program: %01000d\n' 0 | tr 0 x
    printf 'sel4vm: info: program: last\n'
} >"$work/wanted"
diff "$work/wanted" "$work/err" || fail "the host's lines are not whole, or not harmless"
# A system file's [system] is the program's, too.
printf '[system]\nlog_level = "error"\n[[vm]]\nmemory = "64M"\nkernel = "guest.bin"\n' >"$work/system.toml"
"$SEL4VM" run "$work/system.toml" --host-image "$program_image" </dev/null >"$work/out" 2>"$work/err" || fail "$(cat "$work/err")"
if grep -q "info: program:" "$work/err"; then fail "the log level of the system file is not kept"; fi

refused "$work/nowhere" "there is no program"
refused "$work/guest.bin" "is no source file"
mkdir "$work/empty-program-test-1"
refused "$work/empty-program-test-1" "has neither sources"
echo 'int start(void) { return 0; }' >"$work/start-program-test-1.c"
refused "$work/start-program-test-1.c" 'has no main\(\)'
printf '#include <hosts/el2/host.hpp>\nint main() { return 0; }\nint sel4vm::el2::app_main(Host &) { return 0; }\n' >"$work/both-program-test-1.cpp"
refused "$work/both-program-test-1.cpp" 'has an app_main\(\)'
mkdir "$work/two-program-test-1"
echo 'int main(void) { return 0; }' | tee "$work/two-program-test-1/a.c" >"$work/two-program-test-1/b.c"
refused "$work/two-program-test-1" 'has several main\(\)'
echo 'int main(void) { return nonsense; }' >"$work/nonsense-program-test-1.c"
refused "$work/nonsense-program-test-1.c" "does not build"
grep -q "nonsense-program-test-1.c:1:.*error: .nonsense. undeclared" "$work/out" || fail "the compiler's word is not shown: $(cat "$work/out")"
echo "program test: passed"
