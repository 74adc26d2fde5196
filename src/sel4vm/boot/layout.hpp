// SPDX-License-Identifier: BSD-2-Clause
//
// Where kernel, initrd and device tree go and where the boot vCPU starts, as QEMU 7.2's `virt` board does it for -kernel
// and -bios (docs/booting.md has the rules and how they were observed). Only arithmetic: nothing is copied here.
// Two deliberate differences: QEMU silently leaves out an initrd given with an ELF kernel, here it is loaded; and QEMU
// calculates with a device tree of 1 MiB, here its real size counts, so that it is present in more cases.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/boot/image.hpp>

#include <optional>
#include <span>

namespace sel4vm::boot {

/// The most that a device tree may have for Linux on AArch64 (Documentation/arch/arm64/booting.rst, section 2).
inline constexpr u64 kLargestLinuxDtbBytes = 2 * kMiB;

struct LayoutRequest {
    /// All RAM; the first region gets initrd and device tree, and its base is the reference of relative addresses.
    std::span<const GpaRange> memory;
    /// The kernel, or nullptr for firmware.
    const KernelImage *kernel = nullptr;
    /// Where firmware starts; without a kernel.
    Gpa firmware_entry;
    u64 initrd_bytes = 0; ///< 0 = none
    /// What else the map holds (images at fixed places, ROM, devices) and must not be overwritten.
    std::span<const GpaRange> occupied;
};

struct DtbPlace {
    Gpa at;
    u64 room_bytes = 0;
    /// The place is not RAM: the machine puts read-only memory there. (A bare program that covers the RAM base gets
    /// its device tree at 0, where QEMU has flash.)
    bool outside_ram = false;
    /// When it does not fit, the guest goes without rather than not at all.
    bool optional = false;
    friend constexpr bool operator==(const DtbPlace &, const DtbPlace &) = default;
};

struct Layout {
    Gpa entry;
    u64 argument = 0; ///< x0; x1 to x3 are 0
    std::optional<GpaRange> initrd;
    DtbPlace dtb;
};

enum class LayoutErrorKind : u8 {
    no_memory,           ///< the request has no RAM
    kernel_outside_ram,  ///< a segment at `at` of `needed` bytes
    initrd_does_not_fit, ///< `needed` bytes at `at`, where `available` are left
    dtb_does_not_fit,    ///< `needed` bytes at `at`, where `available` are left
    kernel_overlaps,     ///< the segment at `at` lies over an occupied range
    initrd_overlaps,     ///< the initrd at `at` lies over an occupied range
    dtb_overlaps,        ///< the device tree at `at` lies over an occupied range
    dtb_too_large,       ///< `needed` bytes, where the boot protocol of an arm64 Image allows `available`
};

struct LayoutError {
    LayoutErrorKind kind;
    Gpa at;
    u64 needed = 0;
    u64 available = 0;
    friend constexpr bool operator==(const LayoutError &, const LayoutError &) = default;
};
/// A sentence without its end.
[[nodiscard]] Text<160> describe(const LayoutError &error);

[[nodiscard]] Result<Layout, LayoutError> plan_layout(const LayoutRequest &request);

/// Whether a device tree of this size may be put where the layout says: true, false (the guest goes without), or why
/// the guest cannot start.
[[nodiscard]] Result<bool, LayoutError> accepts_dtb(const Layout &layout, const LayoutRequest &request, u64 dtb_bytes);

} // namespace sel4vm::boot
