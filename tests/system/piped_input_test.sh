#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Debian ends by itself after piped input that does not switch it off: none at all, an empty line, one command, one without the end of its line.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"
"$SEL4VM_SOURCE/examples/debian-linux/prepare"
for input in '' '\n' 'echo it "was read"\n' 'echo it "was read"'; do
    # shellcheck disable=SC2059 # the input is a format
    printf "$input" | expect_run 0 run "$SEL4VM_SOURCE/examples/debian-linux/system.toml"
    grep -q "^Welcome to Debian Linux under sel4vm" out || fail "'$input': it did not boot: $(cat out)"
    [[ $input != *read* ]] || grep -q '^it was read' out || fail "'$input': the command was not executed: $(cat out)"
    grep -q "reboot: Power down" out || fail "'$input': it did not switch off: $(cat out)"
done
