# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# For the tests of the workstation tool: a folder of their own, checks of what a command says, and a stand-in for QEMU
# that plays one part of a script, so that a test of the console takes no time and no guest. Sourced, never run.
set -euo pipefail
: "${SEL4VM:?is set by ctest: the tool to test}" "${SEL4VM_SOURCE:?is set by ctest: the checkout}"
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir tmp
export TMPDIR=$work/tmp

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# A host image without a host: what the tool asks of one is its header.
fake_host_image() {
    { printf '\0\0\0\0s4vm\0\0\0\0\0\0\0\0'; printf '\0\20\0\0\0\0\0\0'; head -c 32 /dev/zero; printf 'ARM\x64'; head -c 4036 /dev/zero; } >host.img
    export SEL4VM_HOST_IMAGE=$work/host.img
}

# emulator <<'SCRIPT': what runs instead of QEMU. Its standard streams are those of the machine's console; `off` switches it off
# as the host does when all is well.
emulator() {
    {
        echo '#!/bin/bash'
        printf '%s\n' "off() { printf '\\x1esel4vm: exit 0\\n'; exit 0; }"
        cat
    } >emulator
    chmod +x emulator
    export SEL4VM_QEMU=$work/emulator
}

# expect_run STATUS ARGUMENTS...: runs the tool; what it says is in out and err, how it ended must be STATUS.
expect_run() {
    local wanted=$1 status=0
    shift
    timeout 300 "$SEL4VM" "$@" >out 2>err || status=$?
    [ "$status" -eq "$wanted" ] || fail "sel4vm $* ended with $status, not $wanted: $(cat err)"
    [ -z "$(ls -A tmp)" ] || fail "sel4vm $* left files in TMPDIR: $(ls -A tmp)"
}

# wait_until COMMAND...: until it succeeds; only what never comes takes as long as the limit.
wait_until() {
    local left=1200
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || fail "in vain: wait for $*"
        sleep 0.1
    done
}

# says TEXT...: each is a whole line of err, and there are no others.
says() {
    printf 'sel4vm: error: %s\n' "$@" >wanted
    diff -u wanted err || fail "it should have said what is above with a minus sign"
}
