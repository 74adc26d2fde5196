#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The vCPU half of the el2 host on every supported CPU and both GIC versions: its self-test must pass, and under -icount,
# where time counts instructions, a hypercall and an MMIO read must stay within their budgets.
set -euo pipefail

image=$SEL4VM_BUILD/target/src/hosts/el2/selftest/el2_vcpu_selftest.img
failed=0

run() { # GIC CPU [QEMU option...]
    local gic=$1 cpu=$2
    shift 2
    timeout 400 qemu-system-aarch64 -M "virt,virtualization=on,gic-version=$gic" -cpu "$cpu" -m 256M -nic none -display none \
        -monitor none -serial stdio -kernel "$image" "$@" </dev/null || true
}

for setup in "2 cortex-a57" "3 cortex-a72" "3 neoverse-n1" "2 max" "3 max"; do
    read -r gic cpu <<<"$setup"
    out=$(run "$gic" "$cpu")
    if ! grep -q "^SMOKE PASS" <<<"$out"; then
        echo "GICv$gic, $cpu:"
        echo "$out"
        failed=1
    fi
done

out=$(run 3 cortex-a57 -icount shift=0,sleep=off)
within() { # NAME LIMIT
    local cost
    cost=$(sed -n "s/^cost of $1: \([0-9]*\) .*/\1/p" <<<"$out")
    if [ -z "$cost" ] || [ "$cost" -gt "$2" ]; then
        echo "$1: ${cost:-nothing} instructions, at most $2 expected"
        failed=1
    fi
}
within hypercall 200
within "mmio read w0" 260
exit $failed
