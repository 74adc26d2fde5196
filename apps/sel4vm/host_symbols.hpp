// SPDX-License-Identifier: BSD-2-Clause
//
// The addresses in a panic of the host as functions and lines, from the ELF file that the image was made of. Only the host's own report is
// read: the lines that follow "panic: " on its channel (docs/console.md).
#pragma once

#include <apps/sel4vm/elf_symbols.hpp>
#include <apps/sel4vm/line_finder.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace sel4vm::cli {

class HostSymbols {
public:
    /// `image` is what runs; `elf`, beside the host image, may be missing or of another build.
    HostSymbols(std::filesystem::path image, std::filesystem::path elf)
        : image_(std::move(image)), elf_(std::move(elf)) {}

    /// A line of the host, with the function behind the address that it tells.
    [[nodiscard]] std::string explained(const std::string &line);

private:
    void load();

    std::filesystem::path image_;
    std::filesystem::path elf_;
    bool panic_ = false;
    bool loaded_ = false;
    u64 base_ = 0;
    std::optional<ElfSymbols> symbols_;
    std::optional<LineFinder> lines_;
};

} // namespace sel4vm::cli
