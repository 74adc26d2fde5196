// SPDX-License-Identifier: BSD-2-Clause
//
// Which line of a source an instruction comes from: addr2line(1) of binutils, where it is installed, asked address by address.
#pragma once

#include <sel4vm/base/types.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace sel4vm::cli {

class LineFinder {
public:
    explicit LineFinder(const std::filesystem::path &elf);
    LineFinder(const LineFinder &) = delete;
    LineFinder &operator=(const LineFinder &) = delete;
    ~LineFinder();

    /// "src/vm.cpp:12"; nothing when it is not known.
    [[nodiscard]] std::optional<std::string> line_of(u64 address);

private:
    [[nodiscard]] std::optional<std::string> answer();
    void stop();

    pid_t process_ = -1;
    int questions_ = -1;
    int answers_ = -1;
};

} // namespace sel4vm::cli
