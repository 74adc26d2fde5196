// SPDX-License-Identifier: BSD-2-Clause
//
// Disks that say no more than their file: what they are called, and which slot of the board they go into.
#pragma once

#include <apps/sel4vm/system.hpp>

namespace sel4vm::cli {

/// A disk: called disk1 or the first number that is free, in the first slot without a device, with the slot's
/// interrupt. Of a VM with a device in every slot it is in the first, which does not pass for good.
[[nodiscard]] machine::DeviceRecord new_disk(System &system, const machine::MachineDescription &vm);

/// What somebody says of a disk that is a file.
struct DiskFile {
    std::string path; ///< from where the tool is
    bool read_only = false;
    bool kept = false; ///< what the guest writes goes into the file
    Origin origin{};
};

/// Adds the disk to a VM, with the file behind it: as an image, or, where its writes are kept or QEMU alone reads its format, as a disk of the machine.
void add_disk(System &system, usize vm, machine::DeviceRecord record, const DiskFile &file, Mistakes &mistakes);

} // namespace sel4vm::cli
