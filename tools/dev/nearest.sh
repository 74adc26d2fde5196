# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# The known name that a misspelt one was meant to be. Sourced, never run.

# changes_between A B: how many letters are changed, left out, added or swapped with their neighbour.
changes_between() {
    local a=$1 b=$2 i j least
    local -a before=() previous=() row=()
    for ((j = 0; j <= ${#b}; j++)); do previous[j]=$j; done
    for ((i = 1; i <= ${#a}; i++)); do
        row=("$i")
        for ((j = 1; j <= ${#b}; j++)); do
            least=$((previous[j - 1] + 1))
            [ "${a:i-1:1}" != "${b:j-1:1}" ] || least=${previous[j - 1]}
            [ $((previous[j] + 1)) -ge "$least" ] || least=$((previous[j] + 1))
            [ $((row[j - 1] + 1)) -ge "$least" ] || least=$((row[j - 1] + 1))
            if [ $i -gt 1 ] && [ $j -gt 1 ] && [ "${a:i-1:1}" = "${b:j-2:1}" ] && [ "${a:i-2:1}" = "${b:j-1:1}" ] &&
                [ $((before[j - 2] + 1)) -lt "$least" ]; then
                least=$((before[j - 2] + 1))
            fi
            row[j]=$least
        done
        before=("${previous[@]}")
        previous=("${row[@]}")
    done
    echo "${previous[${#b}]}"
}

# nearest NAME KNOWN...: "; the nearest known one is 'KNOWN'", or nothing when none is near enough to be a slip.
nearest() {
    local name=$1 known best='' limit changes
    shift
    [ ${#name} -le 40 ] || return 0
    limit=$((${#name} / 3 > 1 ? ${#name} / 3 : 1))
    for known in "$@"; do
        changes=$(changes_between "$name" "$known")
        if [ "$changes" -le $limit ]; then
            best=$known
            limit=$((changes - 1))
        fi
    done
    [ -z "$best" ] || printf "; the nearest known one is '%s'" "$best"
}
