// SPDX-License-Identifier: BSD-2-Clause
//
// From a description and its blobs to the request that boot::plan_layout answers: all RAM, and everything in the map that
// images must keep clear of. The machine itself and the workstation tool both ask through this, so that the tool promises
// what the machine then does. Deliberately copies nothing and judges nothing but the kernel's format.
#pragma once

#include <sel4vm/boot/layout.hpp>
#include <sel4vm/machine/description.hpp>

#include <optional>
#include <span>

namespace sel4vm::machine {

/// What an image that is not placed by the boot protocol covers: a region in whole pages for rom and firmware, the bytes
/// for raw. Nothing for other kinds, without an address, and for sizes that are impossible.
[[nodiscard]] std::optional<GpaRange> fixed_range(const ImageRecord &image);

class ImagePlacement {
public:
    /// `description` was validated; each of its images has its bytes at blobs[image.blob]. Both outlive this.
    ImagePlacement(const MachineDescription &description, std::span<const std::span<const u8>> blobs);
    ImagePlacement(const ImagePlacement &) = delete;
    ImagePlacement &operator=(const ImagePlacement &) = delete;

    /// Reads the kernel, where there is one. Before request().
    [[nodiscard]] Status<boot::ImageError> read_kernel();

    /// Refers to this object.
    [[nodiscard]] const boot::LayoutRequest &request() const { return request_; }

private:
    void occupy(const std::optional<GpaRange> &range);

    const MachineDescription &description_;
    std::span<const std::span<const u8>> blobs_;
    FixedVector<GpaRange, kMaxMemoryRegions> memory_;
    FixedVector<GpaRange, kMaxImages + kMaxDevices + 2 * kMaxShared + 5>
        occupied_; // 5: the parts of the interrupt controller, the flash, fw_cfg
    boot::KernelImage kernel_;
    boot::LayoutRequest request_;
};

} // namespace sel4vm::machine
