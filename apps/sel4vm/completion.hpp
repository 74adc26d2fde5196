// SPDX-License-Identifier: BSD-2-Clause
//
// Completion of the tool's commands, options and values for shells, as scripts that are printed: `sel4vm completion`. Deliberately nothing
// of CLI11: options.cpp fills the records from the options as they are.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sel4vm::cli {

struct CompletedOption {
    std::string long_name;  // "--memory"
    std::string short_name; // "-o", or empty
    std::string help;
    std::string value;                // what it takes, as help calls it: "FILE"; empty for a flag
    std::vector<std::string> choices; // the values that there are, or usual ones
};

struct CompletedCommand {
    std::string name;
    std::string help;
    std::vector<CompletedOption> options;
    std::vector<std::string> words; // what comes after the command, when it is no file
};

enum class Shell { bash, zsh, fish };
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

[[nodiscard]] std::string completion_script(Shell shell, std::span<const CompletedCommand> commands);

} // namespace sel4vm::cli
