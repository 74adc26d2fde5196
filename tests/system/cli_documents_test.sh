#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# The man page has every command and option that --help has, and no others; every key that the loader knows is documented.
. "$(dirname "${BASH_SOURCE[0]}")/cli_lib.sh"

manual=$SEL4VM_SOURCE/docs/man/sel4vm.1
sed 's/\\-/-/g' <"$manual" >manual.text
options_of() { grep -oE -- '(^|[^a-zA-Z0-9-])--[a-z][a-z-]*' "$1" | grep -oE -- '--[a-z-]*' | sort -u; }
commands=$("$SEL4VM" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -w)" -ge 4 ] || fail "the commands cannot be read from --help"
"$SEL4VM" --help >help
for command in $commands; do
    "$SEL4VM" "$command" --help >>help
    grep -q "^\.B.* $command\b\|^\.BR\? $command\|^\.BI $command" manual.text || fail "the man page lacks the command $command"
done
diff <(options_of help) <(options_of manual.text) || fail "--help (<) and the man page (>) have different options"

sed -n 's/.*Key.*{\.name = "\([a-z_]*\)".*/\1/p' "$SEL4VM_SOURCE/apps/sel4vm/system_keys.cpp" | sort -u >keys
[ "$(wc -l <keys)" -ge 40 ] || fail "the keys cannot be read from the tables"
while read -r key; do
    grep -qE "\b$key\b" "$SEL4VM_SOURCE/docs/system-file.md" || fail "docs/system-file.md lacks the key $key"
done <keys
# Completion: of what the tool's own tables hold, as bash calls it.
"$SEL4VM" completion bash >completion.bash
. ./completion.bash
offers() { # CURRENT WANTED, after the words of COMP_WORDS
    COMP_CWORD=${#COMP_WORDS[@]}
    COMP_WORDS+=("$1")
    _sel4vm
    [[ " ${COMPREPLY[*]} " == *" $2 "* ]] || fail "'${COMP_WORDS[*]}' is completed by '${COMPREPLY[*]}', not $2"
}
COMP_WORDS=(sel4vm) && offers "in" inspect
COMP_WORDS=(sel4vm run) && offers --no --no-hypervisor
COMP_WORDS=(sel4vm run --on-panic) && offers re restart
COMP_WORDS=(sel4vm build x.toml) && offers --o --output
COMP_WORDS=(sel4vm completion) && offers "" fish

if command -v man >/dev/null; then
    [ -z "$(man --warnings -E UTF-8 -l "$manual" 2>&1 >/dev/null)" ] || fail "the man page has mistakes"
fi
