#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The small examples, as examples/README.md starts them, without what ./dev builds before. (The others: example_test.py, uboot_test.py, and,
# where they are installed, tests/package/programs.sh.)
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"

# A device with an interrupt. The program's files are somebody else's and left alone.
head -c 4096 /dev/zero >kernel.bin
for name in device-c device-cxx; do
    image=$SEL4VM_BUILD/target/examples/$name/$name.img
    expect_run 0 run --kernel kernel.bin --host-image "$image" </dev/null
    cat out err | tr -d "\r" >all
    grep -qE "^(sel4vm: .*)?the guest reports 42$" all || fail "$name: $(cat all)"
    # A program that wants no files is run without any.
    expect_run 0 run --host-image "$image" </dev/null
    cat out err | grep -q "the guest reports 42" || fail "$name without files: $(cat out err)"
    # Its guest knows one version of the interrupt controller.
    expect_run 1 run --host-image "$image" --gic 2 </dev/null
    cat out err | grep -q "a GICv3" || fail "$name on a GICv2: $(cat out err)"
done
# The host program wants a system.
expect_run 2 run --host-image "$SEL4VM_BUILD/target/apps/vmm/vmm.img" </dev/null
grep -q "there is no bundle" err || fail "the host program alone: $(cat err)"

# Two VMs on one console.
"$SEL4VM_SOURCE/examples/two-vms/prepare" "$work/two" || fail "two-vms cannot be prepared"
expect_run 0 run two/system.toml </dev/null
tr -d '\r' <out | sort >lines
printf '%s\n' "one| hello" "one| hello" "one| hello" "two| hello" "two| hello" "two| hello" | diff - lines || fail "two-vms prints what is above with a >"
diff <(sed 's#../../build/examples/two-vms/##' "$SEL4VM_SOURCE/examples/two-vms/system.toml") two/system.toml || fail "prepare writes another system"

# Every folder of examples is in the list there.
for folder in "$SEL4VM_SOURCE"/examples/*/; do
    grep -q "\`$(basename "$folder")\`" "$SEL4VM_SOURCE/examples/README.md" || fail "examples/README.md does not name $(basename "$folder")"
done
