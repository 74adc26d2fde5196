#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Budgets and priorities that cannot be: one sentence with file, line and key, status 2, by check, run and build alike.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"
fake_host_image
emulator <<'SCRIPT'
echo "the emulator must not start" >&2
exit 99
SCRIPT
head -c 4096 /dev/zero >Image

# system SENTENCE, and the file: also after `build`.
system() {
    cat >system.toml
    for command in "check system.toml" "run system.toml" "build system.toml -o image"; do
        # shellcheck disable=SC2086
        expect_run 2 $command
        says "system.toml:$1"
        [ ! -s out ] || fail "output for bad input: $(cat out)"
    done
}
one() { # SENTENCE, LINES
    printf '[[vm]]\nmemory = "64M"\nkernel = "Image"\n%s\n' "$2" | system "4: key 'vm.$1"
}
two() { # SENTENCE, [qemu] CPUS, `cpus` of both
    system "$1" <<TOML
[qemu]
cpus = $2
[[vm]]
name = "one"
memory = "64M"
kernel = "Image"
cpus = $3
budget = { budget = 6000, period = 10000 }
[[vm]]
name = "two"
memory = "64M"
kernel = "Image"
cpus = $3
budget = { budget = 5000, period = 10000 }
TOML
}

one "priority': value 1: expected 0 for a VM without a budget" "priority = 1"
one "priority': value 4: expected a number from 0 to 3" "priority = 4"
one "budget': value 5: expected a table: [vm.budget]" "budget = 5"
one "budget.budget': value 20000: expected no more than the period, 10000" "budget = { budget = 20000, period = 10000 }"
one "budget.budget': value 0: expected a number from 100 to 1000000" "budget = { budget = 0, period = 10000 }"
one "budget.period': missing: expected a number from 100 to 1000000" "budget = { budget = 1000 }"
one "budget.period': value 2000000: expected a number from 100 to 1000000" "budget = { budget = 1000, period = 2000000 }"
two "14: key 'vm.budget': value {...}: expected budgets that are no more than CPU 0 has, not 110 % of it" 1 "[0]"
two "14: key 'vm.budget': value {...}: expected budgets that are no more than CPU 1 has, not 110 % of it" 2 "[1]"

# On a CPU each there is room for both.
sed -i 's/cpus = \[1\]/cpus = [0, 1]/' system.toml
expect_run 0 check system.toml
