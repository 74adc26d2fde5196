#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Runs one small guest and judges it: run_guest.sh SOURCE IMAGE [options of `sel4vm run`].
# The guest's source may say, in comment lines of its own:
#   // run: OPTIONS        further options of `sel4vm run`
#   // input: TEXT         bytes for its console (printf escapes)
#   // gic: N              only for this version of the interrupt controller (read by CMake)
#   // expect: TEXT        a line that the output must hold, besides the closing "guest: pass"
#   // status: N           the exit status of the run, when it is not 0
set -u
source=$1
image=$2
shift 2

field() { sed -n "s|^// $1: ||p" "$source"; }
read -r -a more <<<"$(field run | tr '\n' ' ')"
status=$(field status)

# The messages go to a file of their own: in one stream they could cut a line of the guest's console in two.
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
output=$(printf '%b' "$(field input)" | timeout 330 "$SEL4VM" run --kernel "$image" --timeout 300 "$@" "${more[@]}" 2>"$messages")
found=$?
output+=$'\n'$(<"$messages")
printf '%s\n' "$output"
if [ "$found" -ne "${status:-0}" ]; then
  echo "FAILED: exit status $found, expected ${status:-0}"
  exit 1
fi
if ! grep -q '^guest: pass' <<<"$output"; then
  echo "FAILED: the guest did not say that it passed"
  exit 1
fi
while IFS= read -r line; do
  if ! grep -qF "$line" <<<"$output"; then
    echo "FAILED: the output lacks: $line"
    exit 1
  fi
done < <(field expect)
