// SPDX-License-Identifier: BSD-2-Clause
//
// The architecture versions of Arm's Generic Interrupt Controller that a host can have and a guest can be given (IHI 0048, IHI 0069).
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

enum class GicVersion : u8 {
    v2 = 2, ///< CPU interfaces in memory, 8 at most
    v3 = 3, ///< and 4: CPU interfaces in system registers, redistributors
};

} // namespace sel4vm::aarch64
