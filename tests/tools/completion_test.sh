#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# tools/dev/completion.bash, as bash calls it: commands, options and words of ./dev. Nothing is built for it.
set -euo pipefail
. "$SEL4VM_SOURCE/tools/dev/completion.bash"

# completes "WORDS BEFORE" CURRENT WANTED...: each is offered, and nothing that does not begin with CURRENT.
completes() {
    local current=$2 word
    read -ra COMP_WORDS <<<"$1"
    COMP_WORDS=("$SEL4VM_SOURCE/dev" "${COMP_WORDS[@]}" "$current")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _sel4vm_dev
    for word in "${@:3}"; do
        [[ " ${COMPREPLY[*]} " == *" $word "* ]] || {
            echo "completion test: '$1' '$current' offers '${COMPREPLY[*]}', not $word" >&2
            exit 1
        }
    done
    for word in "${COMPREPLY[@]}"; do
        [[ $word == "$current"* ]] || exit 1
    done
}
completes "" "" run test build package bench fuzz mutate coverage fmt lint sel4vm
completes "" te test
completes "test" - -R -E -L --preset --list --help
completes "test" --pre --preset
completes "lint" --f --fast
completes "run" -- --program --example
completes "build" t target tools
completes "fuzz" gi gic
completes "sel4vm" s schema
echo "completion test: passed"
