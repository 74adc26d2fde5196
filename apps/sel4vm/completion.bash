# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of sel4vm's commands, options and files for bash. Commands and options are asked of the tool itself; the values of options that
# have a few are listed here.
_sel4vm() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} tool=${COMP_WORDS[0]} words
    COMPREPLY=()
    case $previous in
    --gic) words="2 3" ;;
    --cpu) words="cortex-a53 cortex-a57 cortex-a72 neoverse-n1 max" ;;
    --on-panic) words="stop restart ignore" ;;
    --log-level) words="error warning info debug" ;;
    --memory) words="256M 512M 1G 2G" ;;
    --cmdline | --vcpus | --timeout | --qemu-arg) return ;;
    --kernel | --initrd | --dtb | --firmware | --host-image | -o | --output) compopt -o default && return ;;
    *)
        if [ "$COMP_CWORD" -eq 1 ]; then
            words=$("$tool" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p; s/^  .*\(--[a-z-]*\).*/\1/p')
        elif [[ $current == -* ]]; then
            words=$("$tool" "${COMP_WORDS[1]}" --help 2>/dev/null | sed -n 's/^  .*\(--[a-z-]*\)[ ,].*/\1/p')
        else
            compopt -o default
            return
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _sel4vm sel4vm
