// SPDX-License-Identifier: BSD-2-Clause
//
// What validate() asks of a VM's flash chip.
#pragma once

#include <sel4vm/machine/address_claims.hpp>

namespace sel4vm::machine {

void check_flash(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims);

} // namespace sel4vm::machine
