// SPDX-License-Identifier: BSD-2-Clause
//
// The functions of an AArch64 ELF file, by address. What is not such a file, or is a damaged one, has none.
#pragma once

#include <apps/sel4vm/files.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sel4vm::cli {

class ElfSymbols {
public:
    explicit ElfSymbols(Bytes file);
    ElfSymbols(ElfSymbols &&) = default;
    ElfSymbols &operator=(ElfSymbols &&) = default;
    ElfSymbols(const ElfSymbols &) = delete; // names point into the file
    ElfSymbols &operator=(const ElfSymbols &) = delete;
    ~ElfSymbols() = default;

    /// "sel4vm::Vmm::build()+0x1c", for an address as the file has it; nothing when it is in no function.
    [[nodiscard]] std::optional<std::string> name_of(u64 address) const;
    /// The value of a symbol, by the name that is in the file.
    [[nodiscard]] std::optional<u64> value_of(std::string_view name) const;
    /// What is loaded at an address, to the end of its segment; empty when nothing of the file is.
    [[nodiscard]] std::span<const u8> loaded_at(u64 address) const;
    /// True when the file says which line an instruction comes from.
    [[nodiscard]] bool has_lines() const { return has_lines_; }

private:
    struct Symbol {
        u64 value;
        u64 size; // 0 where the assembler was not told: up to the next one
        std::string_view name;
        bool function;
    };
    template <class T>
    [[nodiscard]] T number(u64 at) const;
    [[nodiscard]] std::span<const u8> part(u64 at, u64 size) const;
    [[nodiscard]] std::string_view text(std::span<const u8> table, u64 at) const;
    void read_symbols(u64 section, u64 sections, u64 entry_bytes, u64 count);

    Bytes file_;
    std::vector<Symbol> symbols_; // by value
    bool has_lines_ = false;
};

} // namespace sel4vm::cli
