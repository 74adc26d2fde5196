// SPDX-License-Identifier: BSD-2-Clause
//
// The host program (apps/vmm) as a file: finding it, and putting it and a bundle into one bootable image. It is an arm64
// Image that is as long as its memory, so that what follows it in the file follows it in memory.
#pragma once

#include <apps/sel4vm/files.hpp>

#include <optional>
#include <span>
#include <string>

namespace sel4vm::cli {

class HostImage {
public:
    /// The file named by the option, by $SEL4VM_HOST_IMAGE, or the one that came with this tool. Throws Failure.
    [[nodiscard]] static HostImage find(const std::optional<std::string> &option);

    [[nodiscard]] const std::filesystem::path &path() const { return path_; }
    /// The ELF file that it was made of, where somebody has put it beside it.
    [[nodiscard]] std::filesystem::path elf() const { return std::filesystem::path(path_).replace_extension(".elf"); }
    /// Bytes before the bundle.
    [[nodiscard]] u64 size_bytes() const { return data_.size(); }
    /// Its bytes, with the header saying that `bundle_bytes` follow.
    [[nodiscard]] Bytes with_room_for(u64 bundle_bytes) const;
    [[nodiscard]] std::span<const u8> bytes() const { return data_; }

private:
    HostImage(std::filesystem::path path, Bytes data) : path_(std::move(path)), data_(std::move(data)) {}
    std::filesystem::path path_;
    Bytes data_;
};

} // namespace sel4vm::cli
