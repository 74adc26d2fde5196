# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of ./dev for fish: to be sourced. Commands and what they do are those of its own help.
complete -c dev -n __fish_use_subcommand -f -a "(commandline -po | read -l dev rest; eval \$dev --help | string match -rg '^  ([a-z0-9]+) .*' )"
complete -c dev -n '__fish_seen_subcommand_from build' -f -a 'target cli tools host host-clang all'
complete -c dev -n '__fish_seen_subcommand_from sel4vm' -a 'check build run inspect schema completion'
complete -c dev -l help -d 'What the command does'
