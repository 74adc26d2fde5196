// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/elf_symbols.hpp>

#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <cstdlib>
#include <cxxabi.h>
#include <fmt/format.h>
#include <memory>
#include <sel4vm/boot/bytes.hpp>

namespace sel4vm::cli {
namespace {

// Offsets and values of the ELF-64 object file format and of its supplement for AArch64.
constexpr u64 kElfHeaderBytes = 64;
constexpr u64 kSectionBytes = 64;
constexpr u64 kSegmentBytes = 56;
constexpr u64 kSymbolBytes = 24;
constexpr u16 kAArch64 = 183;
constexpr u32 kSymbolTable = 2;
constexpr u8 kFunction = 2;
constexpr u16 kDefinedNowhere = 0;
constexpr u32 kLoaded = 1;

constexpr usize kLongestName = 160;

/// As it is written in the source, where it is a C++ name.
std::string readable(std::string_view name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(std::string(name).c_str(), nullptr, nullptr, &status), &std::free);
    const std::string out = status == 0 ? demangled.get() : std::string(name);
    return out.size() <= kLongestName ? out : out.substr(0, kLongestName) + "...";
}

} // namespace

std::span<const u8> ElfSymbols::part(u64 at, u64 size) const {
    if (at > file_.size() || size > file_.size() - at)
        return {};
    return std::span<const u8>(file_).subspan(static_cast<usize>(at), static_cast<usize>(size));
}

template <class T>
T ElfSymbols::number(u64 at) const {
    const auto bytes = part(at, sizeof(T));
    return bytes.empty() ? T{} : boot::load_le<T>(bytes, 0);
}

std::string_view ElfSymbols::text(std::span<const u8> table, u64 at) const {
    if (at >= table.size())
        return {};
    const auto rest = table.subspan(static_cast<usize>(at));
    const auto end = std::find(rest.begin(), rest.end(), u8{0});
    // SAFETY: bytes may be read as characters.
    return {reinterpret_cast<const char *>(rest.data()), static_cast<usize>(end - rest.begin())};
}

ElfSymbols::ElfSymbols(Bytes file) : file_(std::move(file)) {
    if (file_.size() < kElfHeaderBytes || number<u32>(0) != 0x464c'457f || file_[4] != 2 || file_[5] != 1 ||
        number<u16>(18) != kAArch64)
        return;
    const u64 sections = number<u64>(40);
    const u64 count = number<u16>(60);
    if (number<u16>(58) != kSectionBytes || part(sections, count * kSectionBytes).empty())
        return;
    const auto section = [sections](u64 index) { return sections + index * kSectionBytes; };
    const u64 names_at = section(number<u16>(62));
    const auto names = part(number<u64>(names_at + 24), number<u64>(names_at + 32));
    for (u64 i = 0; i < count; ++i) {
        if (number<u32>(section(i) + 4) == kSymbolTable)
            read_symbols(section(i), sections, number<u64>(section(i) + 56), count);
        has_lines_ = has_lines_ || text(names, number<u32>(section(i))) == ".debug_line";
    }
    std::stable_sort(symbols_.begin(), symbols_.end(),
                     [](const Symbol &a, const Symbol &b) { return a.value < b.value; });
}

void ElfSymbols::read_symbols(u64 section, u64 sections, u64 entry_bytes, u64 count) {
    const u64 strings = number<u32>(section + 40);
    if (entry_bytes != kSymbolBytes || strings >= count)
        return;
    const u64 strings_at = sections + strings * kSectionBytes;
    const auto names = part(number<u64>(strings_at + 24), number<u64>(strings_at + 32));
    const auto table = part(number<u64>(section + 24), number<u64>(section + 32));
    for (u64 at = number<u64>(section + 24), left = table.size() / kSymbolBytes; left > 0; --left, at += kSymbolBytes) {
        const std::string_view name = text(names, number<u32>(at));
        // Names such as $x say what kind of code begins there.
        if (name.empty() || name.starts_with('$') || number<u16>(at + 6) == kDefinedNowhere)
            continue;
        const bool function = (number<u8>(at + 4) & 0xf) == kFunction;
        symbols_.push_back({number<u64>(at + 8), number<u64>(at + 16), name, function});
    }
}

std::optional<std::string> ElfSymbols::name_of(u64 address) const {
    const auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                        [](u64 value, const Symbol &symbol) { return value < symbol.value; });
    for (auto it = after; it != symbols_.begin();) {
        --it;
        if (!it->function)
            continue;
        if (it->size != 0 && address - it->value >= it->size)
            return std::nullopt;
        return fmt::format("{}+{:#x}", readable(it->name), address - it->value);
    }
    return std::nullopt;
}

std::optional<u64> ElfSymbols::value_of(std::string_view name) const {
    const auto found =
        std::find_if(symbols_.begin(), symbols_.end(), [name](const Symbol &symbol) { return symbol.name == name; });
    return found == symbols_.end() ? std::nullopt : std::optional(found->value);
}

std::span<const u8> ElfSymbols::loaded_at(u64 address) const {
    const u64 segments = number<u64>(32);
    for (u64 i = 0, count = number<u16>(56); i < count; ++i) {
        const u64 at = segments + i * kSegmentBytes;
        const u64 start = number<u64>(at + 16);
        const u64 size = number<u64>(at + 32);
        if (number<u32>(at) == kLoaded && address >= start && address - start < size)
            return part(number<u64>(at + 8) + (address - start), size - (address - start));
    }
    return {};
}

} // namespace sel4vm::cli
