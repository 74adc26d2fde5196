// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/host_symbols.hpp>

#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <fstream>

namespace sel4vm::cli {
namespace {

// An arm64 Image's header: the image's own file says how much is appended to it.
constexpr usize kImageHeaderBytes = 64;

/// The number of "(image+0x1234)" at the end of a line of the report.
std::optional<u64> offset_in(std::string_view line) {
    constexpr std::string_view kBefore = " (image+";
    const bool of_report = line.starts_with("  called from 0x") || line.starts_with("  elr 0x");
    const usize at = line.rfind(kBefore);
    if (!of_report || at == std::string_view::npos || !line.ends_with(')'))
        return std::nullopt;
    line.remove_prefix(at + kBefore.size());
    line.remove_suffix(1);
    return parse_number(line);
}

bool begins_with(const std::filesystem::path &image, std::span<const u8> text) {
    std::ifstream file(image, std::ios::binary);
    std::string start(text.size(), '\0');
    file.read(start.data(), static_cast<std::streamsize>(start.size()));
    return text.size() > kImageHeaderBytes && file.gcount() == static_cast<std::streamsize>(start.size()) &&
           std::equal(text.begin() + kImageHeaderBytes, text.end(), start.begin() + kImageHeaderBytes,
                      [](u8 wanted, char found) { return wanted == static_cast<u8>(found); });
}

} // namespace

void HostSymbols::load() {
    loaded_ = true;
    auto file = read_file(elf_, {256 * kMiB});
    if (!file)
        return;
    ElfSymbols symbols(std::move(*file));
    const auto base = symbols.value_of("__image_start");
    if (!base || !begins_with(image_, symbols.loaded_at(*base)))
        return; // names of another build would be wrong ones
    base_ = *base;
    symbols_ = std::move(symbols);
    if (symbols_->has_lines())
        lines_.emplace(elf_);
}

std::string HostSymbols::explained(const std::string &line) {
    panic_ = panic_ || line.starts_with("panic: ");
    const auto offset = panic_ ? offset_in(line) : std::nullopt;
    if (!offset)
        return line;
    if (!loaded_)
        load();
    const auto name = symbols_ ? symbols_->name_of(base_ + *offset) : std::nullopt;
    if (!name)
        return line;
    const auto where = lines_ ? lines_->line_of(base_ + *offset) : std::nullopt;
    return line + " " + *name + (where ? ", " + *where : std::string());
}

} // namespace sel4vm::cli
