// SPDX-License-Identifier: BSD-2-Clause
//
// AArch64 in the core's messages, and the SMC Calling Convention's NOT_SUPPORTED: what VmConfig::architecture of every AArch64 guest is.
#pragma once

#include <sel4vm/host/architecture.hpp>

namespace sel4vm::aarch64 {

[[nodiscard]] const Architecture &architecture();

} // namespace sel4vm::aarch64
