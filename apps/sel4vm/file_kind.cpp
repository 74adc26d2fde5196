// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/file_kind.hpp>
#include <apps/sel4vm/own_image.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <fmt/format.h>
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

std::optional<std::string> no_system_file(const std::string &path, std::span<const u8> head, u64 file_bytes) {
    if (!is_gzip(head) && !is_cpio(head) && !is_device_tree(head) &&
        std::find(head.begin(), head.end(), u8{0}) == head.end())
        return std::nullopt;
    const std::string name = shown_path(path);
    const auto is = [&name](std::string_view what, std::string_view takes_it) {
        return fmt::format("{} is {}, not a system file; {}", name, what, takes_it);
    };
    // Where its bundle begins is not known before all of it is.
    const auto rest = head.size() < file_bytes && is_host_image(head) ? read_file(path) : Bytes{};
    if (const auto own = own_image(path, rest && !rest->empty() ? *rest : head))
        return is(own->what,
                  own->has_system ? "run the system file that it was built of; " + own->takes_it : own->takes_it);
    if (is_device_tree(head))
        return is("a device tree", "it goes with a kernel, as --dtb " + name);
    if (is_cpio(head))
        return is("a cpio archive", "it goes with a kernel, as --initrd " + name);
    const std::string run = "sel4vm run --kernel " + name;
    if (is_gzip(head))
        return is("a gzip file", "a kernel is run by: " + run);
    const auto kernel = boot::parse_kernel(boot::FileView{head, file_bytes}, machine::MemoryRegion{}.base);
    if (kernel && kernel->format != boot::KernelFormat::raw)
        return is(fmt::format("a kernel ({})", boot::to_string(kernel->format)), "run it by: " + run);
    return is("a binary file", "a kernel is run by: " + run);
}

} // namespace sel4vm::cli
