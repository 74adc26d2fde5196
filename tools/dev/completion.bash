# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of ./dev for bash, and for zsh after `autoload -U bashcompinit && bashcompinit`: to be sourced. Commands and options are those of
# the scripts' own help; the options of `run` are those of the tool, once it is built.
_sel4vm_dev() {
    local current=${COMP_WORDS[COMP_CWORD]} root words='' found command=${COMP_WORDS[1]:-}
    COMPREPLY=()
    root=$(dirname "$(readlink -f "${COMP_WORDS[0]}")")
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("$root/dev" --help | sed -n 's/^  \([a-z0-9]*\) .*/\1/p')
    elif [[ $current == -* ]] && [ -f "$root/tools/dev/$command" ]; then
        words="--help $(sed -n '/USAGE.$/,/^USAGE$/p' "$root/tools/dev/$command" | grep -oE -- '(^|[^a-zA-Z-])--?[a-zA-Z][a-z-]*' | grep -oE -- '-.*')"
        [ "$command" != run ] || words+=" $("$root/build/tools/apps/sel4vm/sel4vm" run --help 2>/dev/null | sed -n 's/^  .*\(--[a-z-]*\)[ ,].*/\1/p')"
    else
        case $command in
        build) words='target cli tools host host-clang all' ;;
        fuzz) words=$(find "$root/tests/fuzz" -name '*_fuzz.cpp' -printf '%f\n' | sed 's/_fuzz\.cpp$//') ;;
        sel4vm) [ "$COMP_CWORD" -gt 2 ] || words='check build run inspect schema completion' ;;
        esac
    fi
    # Not by mapfile, which zsh does not have.
    while IFS= read -r found; do
        COMPREPLY+=("$found")
    done < <(if [ -n "$words" ]; then compgen -W "$words" -- "$current"; else compgen -f -- "$current"; fi)
}
complete -o filenames -F _sel4vm_dev dev ./dev
