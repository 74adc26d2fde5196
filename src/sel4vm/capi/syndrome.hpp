// SPDX-License-Identifier: BSD-2-Clause
//
// The syndrome (ESR_EL2) that a client's vCPU fault callback gets, for hosts that do not tell the hardware's: what the exit
// says, without the register that it moves (read as 31, the zero register).
#pragma once

#include <sel4vm/host/exit.hpp>

namespace sel4vm::capi {

[[nodiscard]] u32 syndrome_of(const Exit &exit);
/// The general register in the syndrome of a trapped system register access.
[[nodiscard]] constexpr unsigned transfer_register(u32 syndrome) { return syndrome >> 5 & 31; }

} // namespace sel4vm::capi
