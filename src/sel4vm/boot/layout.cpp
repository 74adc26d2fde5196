// SPDX-License-Identifier: BSD-2-Clause
//
// See layout.hpp.
#include <sel4vm/boot/layout.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::boot {
namespace {

using Kind = LayoutErrorKind;

/// The initrd goes this far into RAM, or half-way where there is less than twice as much.
constexpr u64 kInitrdOffset = 128 * kMiB;
/// AArch64 Linux maps the device tree by one block of this size.
constexpr u64 kDtbAlignment = 2 * kMiB;
/// Room for a device tree outside RAM.
constexpr u64 kDtbRomBytes = kMiB;

Err<LayoutError> fail(Kind kind, Gpa at, u64 needed, u64 available = 0) {
    return Err{LayoutError{kind, at, needed, available}};
}

bool inside(std::span<const GpaRange> memory, Gpa at, u64 size_bytes) {
    for (const GpaRange &region : memory)
        if (region.contains(at, size_bytes))
            return true;
    return false;
}

bool overlaps_any(std::span<const GpaRange> ranges, Gpa at, u64 size_bytes) {
    const auto range = GpaRange::make(at, size_bytes);
    for (const GpaRange &other : ranges)
        if (range && range->overlaps(other))
            return true;
    return false;
}

/// Bytes of RAM from `at` to the end of the region; 0 when `at` is not in it.
u64 left_from(const GpaRange &ram, u64 at) { return ram.contains(Gpa{at}) ? ram.size() - ram.offset_of(Gpa{at}) : 0; }

Status<LayoutError> check_kernel(const LayoutRequest &request) {
    for (const Segment &segment : request.kernel->segments) {
        if (!inside(request.memory, segment.at, segment.memory_bytes))
            return fail(Kind::kernel_outside_ram, segment.at, segment.memory_bytes);
        if (overlaps_any(request.occupied, segment.at, segment.memory_bytes))
            return fail(Kind::kernel_overlaps, segment.at, segment.memory_bytes);
    }
    return Ok{};
}

/// Where an initrd would go, whether or not there is one: the device tree follows it.
u64 initrd_start(const LayoutRequest &request) {
    const GpaRange &ram = request.memory[0];
    const u64 wanted = ram.base().value() + std::min(ram.size() / 2, kInitrdOffset);
    const u64 after_kernel = request.kernel->end().value();
    // A kernel in another, higher region does not push the initrd out of the first.
    const u64 start = ram.contains(request.kernel->lowest()) ? std::max(wanted, after_kernel) : wanted;
    return align_up(start, kPageBytes).value_or(ram.end().value());
}

/// For a program that is not told where its device tree is: the RAM base, if the program leaves it free.
DtbPlace bare_dtb_place(const LayoutRequest &request) {
    const GpaRange &ram = request.memory[0];
    u64 room = ram.size();
    for (const Segment &segment : request.kernel->segments) {
        const u64 begin = segment.at.value();
        if (begin <= ram.base().value() && begin + segment.memory_bytes > ram.base().value())
            return {Gpa{0}, kDtbRomBytes, true, true};
        if (ram.contains(segment.at))
            room = std::min(room, ram.offset_of(segment.at));
    }
    return {ram.base(), room, false, true};
}

} // namespace

Text<160> describe(const LayoutError &error) {
    Text<160> text;
    switch (error.kind) {
    case Kind::no_memory: return text << "the VM has no memory";
    case Kind::kernel_outside_ram:
        return text << "the kernel needs " << error.needed << " bytes at " << error.at << ", which are not all RAM";
    case Kind::initrd_does_not_fit:
        return text << "the initrd has " << error.needed << " bytes, but from its place at " << error.at << " only "
                    << error.available << " bytes of RAM are left";
    case Kind::dtb_does_not_fit:
        return text << "the device tree has " << error.needed << " bytes, but at its place at " << error.at << " only "
                    << error.available << " bytes are left";
    case Kind::kernel_overlaps: return text << "the kernel's part at " << error.at << " overlaps another image";
    case Kind::initrd_overlaps: return text << "the initrd's place at " << error.at << " overlaps another image";
    case Kind::dtb_too_large:
        return text << "the device tree has " << error.needed << " bytes, but Linux takes at most " << error.available;
    case Kind::dtb_overlaps: return text << "the device tree's place at " << error.at << " overlaps another image";
    }
    return text << "the images cannot be placed";
}

Result<Layout, LayoutError> plan_layout(const LayoutRequest &request) {
    if (request.memory.empty())
        return fail(Kind::no_memory, Gpa{}, 0);
    const GpaRange &ram = request.memory[0];
    Layout layout;
    if (request.kernel == nullptr) {
        layout.entry = request.firmware_entry;
        layout.dtb = {ram.base(), ram.size(), false, false};
        return layout;
    }
    SEL4VM_TRY(check_kernel(request));
    layout.entry = request.kernel->entry;

    const u64 start = initrd_start(request);
    if (request.initrd_bytes != 0) {
        const u64 left = left_from(ram, start);
        if (request.initrd_bytes > left)
            return fail(Kind::initrd_does_not_fit, Gpa{start}, request.initrd_bytes, left);
        if (overlaps_any(request.occupied, Gpa{start}, request.initrd_bytes))
            return fail(Kind::initrd_overlaps, Gpa{start}, request.initrd_bytes);
        layout.initrd = GpaRange::make(Gpa{start}, request.initrd_bytes);
    }
    if (request.kernel->protocol == BootProtocol::bare) {
        layout.dtb = bare_dtb_place(request);
        if (layout.initrd && ram.base() == layout.dtb.at)
            layout.dtb.room_bytes = std::min(layout.dtb.room_bytes, ram.offset_of(layout.initrd->base()));
        return layout;
    }
    const u64 dtb = align_up(start + request.initrd_bytes, kDtbAlignment).value_or(ram.end().value());
    layout.dtb = {Gpa{dtb}, left_from(ram, dtb), false, false};
    layout.argument = dtb;
    return layout;
}

Result<bool, LayoutError> accepts_dtb(const Layout &layout, const LayoutRequest &request, u64 dtb_bytes) {
    const DtbPlace &place = layout.dtb;
    if (request.kernel != nullptr && request.kernel->format == KernelFormat::arm64_image &&
        dtb_bytes > kLargestLinuxDtbBytes)
        return fail(Kind::dtb_too_large, place.at, dtb_bytes, kLargestLinuxDtbBytes);
    const bool too_large = dtb_bytes > place.room_bytes;
    const bool in_the_way = overlaps_any(request.occupied, place.at, dtb_bytes) ||
                            (place.outside_ram && overlaps_any(request.memory, place.at, dtb_bytes));
    if (!too_large && !in_the_way)
        return true;
    if (place.optional)
        return false;
    if (too_large)
        return fail(Kind::dtb_does_not_fit, place.at, dtb_bytes, place.room_bytes);
    return fail(Kind::dtb_overlaps, place.at, dtb_bytes);
}

} // namespace sel4vm::boot
