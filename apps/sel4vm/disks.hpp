// SPDX-License-Identifier: BSD-2-Clause
//
// Disks that say no more than their file: what they are called, and which slot of the board they go into.
#pragma once

#include <apps/sel4vm/system.hpp>

namespace sel4vm::cli {

/// A disk whose image is the VM's next one: called disk1 or the first number that is free, in the first slot without a device, with the slot's
/// interrupt. Of a VM with a device in every slot it is in the first, which does not pass for good.
[[nodiscard]] machine::DeviceRecord new_disk(System &system, const machine::MachineDescription &vm);

} // namespace sel4vm::cli
