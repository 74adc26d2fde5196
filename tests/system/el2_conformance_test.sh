#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The conformance suite of the C interface on the el2 host, with both versions of the machine's interrupt controller.
set -euo pipefail

image=$SEL4VM_BUILD/target/tests/conformance/el2/el2_conformance.img
status=0
for gic in 2 3; do
    out=$(timeout 600 qemu-system-aarch64 -M "virt,virtualization=on,gic-version=$gic" -cpu cortex-a57 -m 512M -nic none -display none \
        -monitor none -serial stdio -kernel "$image" </dev/null) || true
    if ! grep -q "^conformance: [1-9][0-9]* tests, 0 failed" <<<"$out"; then
        echo "GICv$gic:"
        echo "$out"
        status=1
    fi
done
exit $status
