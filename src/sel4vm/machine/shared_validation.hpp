// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() says of shared memory: of one VM's sides by themselves, and of the sides of several VMs.
#pragma once

#include <sel4vm/machine/address_claims.hpp>

namespace sel4vm::machine {

void check_shared_of(const MachineDescription &vm, usize vm_index, ValidationReport &report, AddressClaims &claims);
void check_shared_between(const SystemDescription &system, ValidationReport &report);

} // namespace sel4vm::machine
