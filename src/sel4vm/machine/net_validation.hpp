// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() says of networks: of one VM's ports by themselves, and of switches and the ports of several VMs.
#pragma once

#include <sel4vm/machine/validation_report.hpp>

namespace sel4vm::machine {

void check_net_of(const MachineDescription &vm, usize vm_index, ValidationReport &report);
void check_nets_between(const SystemDescription &system, ValidationReport &report);

} // namespace sel4vm::machine
