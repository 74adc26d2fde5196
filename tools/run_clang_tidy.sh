#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run_clang_tidy.sh BUILD_FOLDER FILE...: clang-tidy with the commands of a build folder, several files at a time. GCC's
# own options are unknown to clang; they change no code that clang-tidy reads, so they are passed over.
set -euo pipefail
folder=$1
shift
printf '%s\0' "$@" | xargs -0 -r -n 1 -P "$(nproc)" clang-tidy --quiet -p "$folder" \
    --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument \
    2> >(grep -v 'warnings\? generated' >&2)
