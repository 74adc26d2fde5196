// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/file_kind.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/image.hpp>
#include <sel4vm/machine/description.hpp>
#include <string_view>

namespace sel4vm::cli {

bool is_device_tree(std::span<const u8> data) {
    constexpr u32 kMagic = 0xd00d'feed;
    return data.size() >= 8 && boot::load_be<u32>(data, 0) == kMagic;
}

bool is_cpio(std::span<const u8> data) {
    constexpr std::string_view kMagic = "070701";
    return data.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), data.begin());
}

/// A bundle starts on a page of an image, where the host program ends.
std::optional<usize> find_bundle(std::span<const u8> data) {
    for (usize at = 0; at + boot::kBundleHeaderBytes <= data.size(); at += kPageBytes)
        if (boot::Bundle::open(data.subspan(at)))
            return at;
    return std::nullopt;
}

std::optional<std::string> no_system_file(const std::string &path, std::span<const u8> data) {
    if (!is_gzip(data) && !is_cpio(data) && !is_device_tree(data) &&
        std::find(data.begin(), data.end(), u8{0}) == data.end())
        return std::nullopt;
    const std::string name = shown_path(path);
    const auto is = [&name](std::string_view what, std::string_view takes_it) {
        return fmt::format("{} is {}, not a system file; {} {}", name, what, takes_it, name);
    };
    if (find_bundle(data))
        return is("an image of 'sel4vm build'", "what is in it is listed by: sel4vm inspect");
    if (is_device_tree(data))
        return is("a device tree", "it goes with a kernel, as --dtb");
    if (is_cpio(data))
        return is("a cpio archive", "it goes with a kernel, as --initrd");
    if (is_gzip(data))
        return is("a gzip file", "a kernel is run by: sel4vm run --kernel");
    const auto kernel = boot::parse_kernel(data, machine::MemoryRegion{}.base);
    if (kernel && kernel->format != boot::KernelFormat::raw)
        return is(fmt::format("a kernel ({})", boot::to_string(kernel->format)), "run it by: sel4vm run --kernel");
    return is("a binary file", "a kernel is run by: sel4vm run --kernel");
}

} // namespace sel4vm::cli
