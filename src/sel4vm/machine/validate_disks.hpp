// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() asks of disks: that something is behind each, and that a disk of the machine is one VM's.
#pragma once

#include <sel4vm/machine/validation_report.hpp>

namespace sel4vm::machine {

void check_disk(const MachineDescription &vm, usize index, const DeviceRecord &device, ValidationReport &report);
void check_machine_disks(const SystemDescription &system, ValidationReport &report);

} // namespace sel4vm::machine
