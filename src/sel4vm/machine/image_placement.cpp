// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/image_placement.hpp>

#include <sel4vm/base/bits.hpp>

namespace sel4vm::machine {

namespace {

std::optional<GpaRange> range_of(const AddressBlock &block) { return GpaRange::make(block.base, block.size_bytes); }

} // namespace

std::optional<GpaRange> fixed_range(const ImageRecord &image) {
    switch (image.kind) {
    case ImageKind::kernel:
    case ImageKind::initrd:
    case ImageKind::dtb:
    case ImageKind::disk:
    case ImageKind::flash: return std::nullopt;
    case ImageKind::raw:
        if (!image.where)
            return std::nullopt;
        return GpaRange::make(*image.where, image.size_bytes);
    case ImageKind::rom:
        if (!image.where)
            return std::nullopt;
        break;
    case ImageKind::firmware: break;
    }
    const u64 whole_pages = align_up(image.size_bytes, kPageBytes).value_or(0);
    return GpaRange::make(image.where.value_or(Gpa{0}), image.region_bytes != 0 ? image.region_bytes : whole_pages);
}

ImagePlacement::ImagePlacement(const MachineDescription &description, std::span<const std::span<const u8>> blobs)
    : description_(description), blobs_(blobs) {
    for (const MemoryRegion &region : description.memory) {
        if (const auto range = GpaRange::make(region.base, region.size_bytes))
            static_cast<void>(memory_.emplace_back(*range)); // as many as the description can hold
    }
    for (const ImageRecord &image : description.images)
        occupy(fixed_range(image));
    if (has_fw_cfg(description))
        occupy(GpaRange::make(kFwCfgBase, kPageBytes));
    if (description.flash)
        occupy(GpaRange::make(description.flash->base, kFlashBankBytes));
    for (const DeviceRecord &device : description.devices)
        occupy(range_of(device.registers));
    for (const SharedRecord &shared : description.shared) {
        if (shared.base && shared.doorbell) {
            occupy(GpaRange::make(*shared.base, shared.size_bytes));
            occupy(GpaRange::make(*shared.doorbell, dev::Doorbell::kRangeBytes));
        }
    }
    occupy(range_of(description.gic.distributor));
    occupy(range_of(description.gic.version == GicVersion::v2 ? description.gic.cpu_interface
                                                              : description.gic.redistributors));
    if (description.gic.redistributors_left(description.vcpu_count) != 0)
        occupy(range_of(description.gic.more_redistributors));
    request_.memory = memory_.view();
    request_.occupied = occupied_.view();
    if (const ImageRecord *firmware = description.image(ImageKind::firmware))
        request_.firmware_entry = firmware->where.value_or(Gpa{0});
    if (const ImageRecord *initrd = description.image(ImageKind::initrd); initrd != nullptr && !has_fw_cfg(description))
        request_.initrd_bytes = boot::initrd_contents(blobs[initrd->blob]).size();
}

void ImagePlacement::occupy(const std::optional<GpaRange> &range) {
    if (range)
        static_cast<void>(occupied_.emplace_back(*range)); // as many as the description can hold
}

Status<boot::ImageError> ImagePlacement::read_kernel() {
    const ImageRecord *record = description_.image(ImageKind::kernel);
    if (record == nullptr || has_fw_cfg(description_))
        return Ok{};
    kernel_ = SEL4VM_TRY(boot::parse_kernel(blobs_[record->blob], description_.memory[0].base));
    request_.kernel = &kernel_;
    return Ok{};
}

} // namespace sel4vm::machine
