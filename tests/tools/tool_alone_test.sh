#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The tool alone (preset cli): nothing else is compiled for it, and it knows the same as the one that is built with the library.
set -euo pipefail
work=$(mktemp -d "${TMPDIR:-/tmp}/sel4vm alone XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
    echo "tool alone test: $*" >&2
    exit 1
}

cmake -S "$SEL4VM_SOURCE" --preset cli -B "$work/cli" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
ninja -C "$work/cli" sel4vm >"$work/log" 2>&1 || fail "$(cat "$work/log")"
mapfile -t libraries < <(cd "$work/cli" && find . -name '*.a')
[ "${libraries[*]}" = ./apps/sel4vm/libsel4vm_cli.a ] || fail "more than the tool was built: ${libraries[*]}"
objects=$(find "$work/cli" -name '*.o' | wc -l)
[ "$objects" -le 10 ] || fail "it is made of $objects objects, which takes longer than the few large ones that it was"

tool=$work/cli/apps/sel4vm/sel4vm
"$tool" --help-all >"$work/help" || fail "--help-all failed"
grep -q "Make a bootable image" "$work/help" || fail "$(cat "$work/help")"
"$tool" schema | python3 -m json.tool >"$work/schema" || fail "its schema is no JSON"

printf '\x00\x01\x80\x52\x00\x80\xb0\x72\x03\x00\x00\xd4' >"$work/kernel.bin"
printf '[[vm]]\nname = "guest"\nmemory = "16M"\nkernel = "kernel.bin"\n' >"$work/system.toml"
"$tool" check "$work/system.toml" | grep -q "good: 1 VM" || fail "it refuses a good system"
printf '[[vm]]\nname = "guest"\nmemroy = "16M"\nkernel = "kernel.bin"\n' >"$work/system.toml"
status=0
"$tool" check "$work/system.toml" 2>"$work/log" || status=$?
[ $status -eq 2 ] || fail "a wrong system: status $status"
grep -q "'vm.memory'" "$work/log" || fail "$(cat "$work/log")"
echo "tool alone test: passed"
