#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The example of shared memory, with both versions of the interrupt controller, on one CPU and on two; and with one side that may not write.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"

"$SEL4VM_SOURCE/examples/shared-memory/prepare" "$work/shared" || fail "shared-memory cannot be prepared"

# What each has said; the other's output may come between.
said() { printf '%s: %s\n' "$1" "$(sed -n "s/^$1| //p" out | tr -d '\r\n')"; }
for gic in 2 3; do
    for cpus in "0 0" "0 1" "1 0"; do
        read -r first second <<<"$cpus"
        sed -e "/^name = \"first\"/a cpus = [$first]\ngic = $gic" -e "/^name = \"second\"/a cpus = [$second]\ngic = $gic" shared/system.toml >shared/both.toml
        expect_run 0 run shared/both.toml </dev/null
        [ "$(said first)" = "first: the answer is right" ] || fail "GICv$gic, CPUs $cpus: $(said first)"
        [ "$(said second)" = "second: got a megabyte with the right checksum" ] || fail "GICv$gic, CPUs $cpus: $(said second)"
    done
done

# One who may not write cannot answer: what it writes is dropped, said once, and the other finds its own.
sed '/^vm = "second"/a access = "read_only"' shared/system.toml >shared/reader.toml
expect_run 0 run shared/reader.toml </dev/null
[ "$(said first)" = "first: the checksum is wrong" ] || fail "read-only: $(said first)"
[ "$(said second)" = "second: got a megabyte with the right checksum" ] || fail "read-only: $(said second)"
grep -q "warning: second: .*0x50001000" err || fail "nothing says that a write was dropped: $(cat err)"
# check, build and run say the same of what is wrong.
sed 's/^vm = "second"/vm = "third"/' shared/system.toml >shared/unknown.toml
for command in check "build -o image" run; do
    # shellcheck disable=SC2086
    expect_run 2 $command shared/unknown.toml </dev/null
    grep -q "unknown.toml:26: key 'shared.side.vm': value \"third\": expected the name of a VM" err || fail "$command: $(cat err)"
done
