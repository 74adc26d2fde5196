// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() asks of a VM's PCI bus and of what is on it.
#pragma once

#include <sel4vm/machine/address_claims.hpp>

namespace sel4vm::machine {

void check_pci(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims);

} // namespace sel4vm::machine
