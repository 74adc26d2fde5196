// SPDX-License-Identifier: BSD-2-Clause
//
// The flash chip. What it holds is written once, when the VM is built: it outlives resets, as the board's does.
#include <sel4vm/machine/arm/virt_machine.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::make_flash() {
    if (!description_.flash)
        return Ok{};
    const FlashRecord &record = *description_.flash;
    const auto range = GpaRange::make(record.base, kFlashBankBytes);
    if (!range)
        return Err{build_error("flash", "the address is impossible")};
    using Writes = dev::CfiFlash::Writes;
    flash_ =
        Owned<Flash>::make(host_.allocator, vm_.memory(), *range, record.writable ? Writes::allowed : Writes::locked);
    if (!flash_)
        return Err{build_error("flash", "the host has no memory left for it")};
    if (const auto added = vm_.add_rom_device(*range, flash_->chip); !added)
        return Err{build_error("flash", to_string(added.error()))};

    std::span<const u8> contents;
    if (record.image) {
        if (*record.image >= description_.images.size())
            return Err{build_error("flash", "it has no image")};
        const ImageRecord &image = description_.images[*record.image];
        if (image.blob >= blobs_.size() || blobs_[image.blob].size() != image.size_bytes)
            return Err{build_error("flash", "the bundle lacks its bytes")};
        contents = blobs_[image.blob];
    }
    GuestMemory &memory = vm_.memory();
    if (contents.size() > range->size() || !memory.load_image(record.base, contents))
        return Err{build_error("flash", "its image is larger than it")};
    const Gpa rest{record.base.value() + contents.size()};
    const u64 erased = range->size() - contents.size();
    if (erased != 0 && (!memory.fill(rest, erased, 0xff) || !memory.clean(rest, erased)))
        return Err{build_error("flash", "the host has no memory for it")};
    return Ok{};
}

} // namespace sel4vm::machine
