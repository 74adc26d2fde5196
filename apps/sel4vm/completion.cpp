// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/completion.hpp>

#include <fmt/format.h>

namespace sel4vm::cli {
namespace {

constexpr std::string_view kHead = "# Printed by `sel4vm completion`.\n";

std::string joined(const std::vector<std::string> &words) {
    std::string out;
    for (const std::string &word : words)
        out += (out.empty() ? "" : " ") + word;
    return out;
}

/// For a text between single quotes; `also` are characters that mean something there.
std::string escaped(std::string_view text, std::string_view also) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
            continue;
        }
        if (also.find(c) != std::string_view::npos)
            out += '\\';
        out += c;
    }
    return out;
}

std::string names_of(std::span<const CompletedCommand> commands) {
    std::vector<std::string> names;
    for (const CompletedCommand &command : commands)
        names.push_back(command.name);
    return joined(names);
}

std::string options_of(const CompletedCommand &command) {
    std::vector<std::string> names{"--help"};
    for (const CompletedOption &option : command.options) {
        names.push_back(option.long_name);
        if (!option.short_name.empty())
            names.push_back(option.short_name);
    }
    return joined(names);
}

// ---------------------------------------------------------------- bash
std::string bash(std::span<const CompletedCommand> commands) {
    std::string values;
    std::string words;
    std::string done; // options that several commands have
    for (const CompletedCommand &command : commands) {
        words += fmt::format("    {}:-*) words='{}' ;;\n", command.name, options_of(command));
        if (!command.words.empty())
            words += fmt::format("    {}:*) words='{}' ;;\n", command.name, joined(command.words));
        for (const CompletedOption &option : command.options) {
            const std::string pattern =
                option.short_name.empty() ? option.long_name : option.short_name + " | " + option.long_name;
            if (option.value.empty() || done.find(pattern + ")") != std::string::npos)
                continue;
            done += pattern + ")";
            if (option.value == "FILE" || option.value == "OUT")
                values += fmt::format("    {}) compopt -o default && return ;;\n", pattern);
            else
                values += option.choices.empty()
                              ? fmt::format("    {}) return ;;\n", pattern)
                              : fmt::format("    {}) words='{}' ;;\n", pattern, joined(option.choices));
        }
    }
    return fmt::format(R"({head}# shellcheck shell=bash
_sel4vm() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} words=''
    COMPREPLY=()
    case $previous in
{values}    esac
    if [ -z "$words" ]; then
        if [ "$COMP_CWORD" -eq 1 ]; then
            words='{names} --help --help-all --version'
        else
            case ${{COMP_WORDS[1]}}:$current in
{words}            *) compopt -o default && return ;;
            esac
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _sel4vm sel4vm
)",
                       fmt::arg("head", kHead), fmt::arg("values", values), fmt::arg("names", names_of(commands)),
                       fmt::arg("words", words));
}

// ---------------------------------------------------------------- zsh
std::string zsh_value(const CompletedOption &option) {
    if (option.value.empty())
        return {};
    if (option.value == "FILE" || option.value == "OUT")
        return fmt::format(":{}:_files", option.value);
    return fmt::format(":{}:({})", option.value, joined(option.choices));
}

std::string zsh(std::span<const CompletedCommand> commands) {
    std::string list;
    std::string cases;
    for (const CompletedCommand &command : commands) {
        list += fmt::format("        '{}:{}'\n", command.name, escaped(command.help, ":"));
        cases += fmt::format(
            "    {})\n        _arguments \\\n            '--help[Print the help of this command]' \\\n", command.name);
        for (const CompletedOption &option : command.options) {
            const std::string help = escaped(option.help, "[]:");
            const char *again = option.value == "ARG" ? "*" : "";
            for (const std::string &name : {option.long_name, option.short_name})
                if (!name.empty())
                    cases += fmt::format("            '{}{}[{}]{}' \\\n", again, name, help, zsh_value(option));
        }
        cases += command.words.empty() ? "            '1:FILE:_files'\n        ;;\n"
                                       : fmt::format("            '1:what:({})'\n        ;;\n", joined(command.words));
    }
    return fmt::format(R"(#compdef sel4vm
{head}_sel4vm() {{
    local -a commands=(
{list}    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{cases}    esac
}}
_sel4vm "$@"
)",
                       fmt::arg("head", kHead), fmt::arg("list", list), fmt::arg("cases", cases));
}

// ---------------------------------------------------------------- fish
std::string fish(std::span<const CompletedCommand> commands) {
    std::string out(kHead);
    for (const CompletedCommand &command : commands) {
        out += fmt::format("complete -c sel4vm -n __fish_use_subcommand -f -a {} -d '{}'\n", command.name,
                           escaped(command.help, ""));
        const std::string here = fmt::format("complete -c sel4vm -n '__fish_seen_subcommand_from {}'", command.name);
        if (!command.words.empty())
            out += fmt::format("{} -f -a '{}'\n", here, joined(command.words));
        for (const CompletedOption &option : command.options) {
            out += fmt::format("{} -l {}", here, option.long_name.substr(2));
            if (!option.short_name.empty())
                out += fmt::format(" -s {}", option.short_name.substr(1));
            if (option.value == "FILE" || option.value == "OUT")
                out += " -r -F";
            else if (!option.value.empty())
                out += option.choices.empty() ? " -x" : fmt::format(" -x -a '{}'", joined(option.choices));
            out += fmt::format(" -d '{}'\n", escaped(option.help, ""));
        }
    }
    return out;
}

} // namespace

std::string completion_script(Shell shell, std::span<const CompletedCommand> commands) {
    switch (shell) {
    case Shell::bash: return bash(commands);
    case Shell::zsh: return zsh(commands);
    case Shell::fish: break;
    }
    return fish(commands);
}

} // namespace sel4vm::cli
