// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio devices that say no more than what they are for, a disk's file or a network's switch: what they are called, and which slot of the board they
// go into.
#pragma once

#include <apps/sel4vm/system.hpp>

#include <optional>
#include <string_view>

namespace sel4vm::cli {

/// Called `name` and the first number from 1 on that is free, in the first slot without a device, with the slot's interrupt. Of a VM with a device in
/// every slot it is in the first, which does not pass for good.
[[nodiscard]] machine::DeviceRecord new_virtio(System &system, const machine::MachineDescription &vm,
                                               std::string_view type, std::string_view name);
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

/// "02:00:00:00:00:01"; nothing when it is none.
[[nodiscard]] std::optional<MacAddress> parse_mac(std::string_view text);

} // namespace sel4vm::cli
