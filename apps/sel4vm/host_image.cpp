// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/host_image.hpp>
#include <apps/sel4vm/own_image.hpp>
#include <apps/sel4vm/text.hpp>

#include <array>
#include <cstdlib>
#include <fmt/format.h>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <system_error>

namespace sel4vm::cli {
namespace {

// The header of an arm64 Image: Documentation/arch/arm64/booting.rst of Linux.
constexpr usize kHeaderBytes = 64;
constexpr usize kImageSizeAt = 16;
constexpr usize kMagicAt = 56;
constexpr u32 kMagic = 0x644d'5241; // "ARM\x64"

std::filesystem::path search() {
    std::error_code error;
    const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    const std::array places{here / "../share/sel4vm/vmm.img",           // installed
                            here / "../../../target/apps/vmm/vmm.img"}; // build/PRESET/apps/sel4vm
    for (const auto &place : places)
        if (std::filesystem::exists(place, error))
            return std::filesystem::canonical(place);
    throw Failure(
        ExitStatus::bad_input,
        fmt::format(
            "there is no host image: neither {} nor {}; build it with ./dev build, or name one with --host-image",
            places[0].lexically_normal().string(), places[1].lexically_normal().string()));
}

} // namespace

HostImage HostImage::find(const std::optional<std::string> &option) {
    std::filesystem::path path;
    std::string said_by;
    if (option) {
        path = *option;
        said_by = "option '--host-image': ";
    } else if (const char *own = std::getenv("SEL4VM_HOST_IMAGE"); own != nullptr && *own != '\0') {
        path = own;
        said_by = "SEL4VM_HOST_IMAGE: ";
    } else {
        path = search();
    }
    auto data = read_file(path, {256 * kMiB});
    if (!data)
        throw Failure(ExitStatus::bad_input, fmt::format("{}{} {}", said_by, shown_path(path.string()), data.error()));
    const auto padded = align_up(data->size(), kPageBytes);
    if (data->size() < kHeaderBytes || boot::load_le<u32>(*data, kMagicAt) != kMagic ||
        boot::load_le<u64>(*data, kImageSizeAt) > *padded || !is_host_image(*data))
        throw Failure(ExitStatus::bad_input,
                      fmt::format("{}{} is not a host image of sel4vm", said_by, shown_path(path.string())));
    if (const auto own = own_image(path.string(), *data); own && own->has_system)
        throw Failure(ExitStatus::bad_input, fmt::format("{}{} is {}, which has its system already; {}", said_by,
                                                         shown_path(path.string()), own->what, own->takes_it));
    data->resize(static_cast<usize>(*padded));
    return {std::move(path), std::move(*data)};
}

Bytes HostImage::with_room_for(u64 bundle_bytes) const {
    Bytes out = data_;
    boot::store_le<u64>(out, kImageSizeAt, data_.size() + bundle_bytes);
    return out;
}

} // namespace sel4vm::cli
