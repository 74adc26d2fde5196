// SPDX-License-Identifier: BSD-2-Clause
//
// What firmware is told by fw_cfg: the vCPUs, and a kernel that it shall start instead of what a disk has.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/boot/layout.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg_keys.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace key = dev::fw_cfg_key;

Status<BuildError> VirtMachine::make_fw_cfg() {
    if (!has_fw_cfg(description_))
        return Ok{};
    const BuildError no_memory = build_error("firmware", "the host has no memory left for what it is told");
    fw_cfg_ = Owned<dev::FwCfg>::make(host_.allocator, dma_, work_, host_.locks);
    cmdline_ = OwnedArray<u8>::make(host_.allocator, description_.cmdline.size() + 1);
    if (!fw_cfg_ || !cmdline_)
        return Err{no_memory};
    std::copy(description_.cmdline.begin(), description_.cmdline.end(), cmdline_.begin()); // and a zero

    const u32 vcpus = description_.vcpu_count;
    if (!fw_cfg_->connect() || !fw_cfg_->add_number(key::kCpuCount, vcpus, 2) ||
        !fw_cfg_->add_number(key::kMostCpus, vcpus, 2))
        return Err{no_memory};
    if (description_.image(ImageKind::kernel) != nullptr && !tell_kernel())
        return Err{no_memory};
    const auto range = GpaRange::make(kFwCfgBase, dev::FwCfg::kRangeBytes);
    if (!vm_.attach(*range, *fw_cfg_))
        return Err{build_error("firmware", "something else is where it is told about its machine")};
    return Ok{};
}

bool VirtMachine::tell_kernel() {
    const auto tell = [this](u16 size, u16 data, std::span<const u8> bytes) {
        return fw_cfg_->add_number(size, static_cast<u32>(bytes.size()), 4) && fw_cfg_->add(data, bytes);
    };
    const auto bytes_of = [this](ImageKind kind) {
        const ImageRecord *const record = description_.image(kind);
        return record != nullptr && record->blob < blobs_.size() ? blobs_[record->blob] : std::span<const u8>{};
    };
    return tell(key::kKernelSize, key::kKernelData, bytes_of(ImageKind::kernel)) &&
           tell(key::kInitrdSize, key::kInitrdData, boot::initrd_contents(bytes_of(ImageKind::initrd))) &&
           tell(key::kCmdlineSize, key::kCmdlineData, cmdline_.view());
}

} // namespace sel4vm::machine
