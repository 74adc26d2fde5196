// SPDX-License-Identifier: BSD-2-Clause
//
// What the run loop needs of a guest space: the registers that select it, and a look at guest RAM to decode an
// instruction that trapped without a syndrome.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// Implemented by the guest space (mm/), used by the vCPU half.
class Stage2 {
public:
    /// VTTBR_EL2: table base and VMID; constant for the life of the space.
    [[nodiscard]] virtual u64 translation_base() const = 0;
    /// VTCR_EL2, the same for every space of the host.
    [[nodiscard]] virtual u64 translation_control() const = 0;
    /// Where EL2 sees these bytes of guest RAM; nullptr when any of them is not mapped as RAM (not a device) here.
    /// `size_bytes` bytes do not cross a 4 KiB page.
    [[nodiscard]] virtual const volatile u8 *ram_at(Gpa at, u64 size_bytes) const = 0;

protected:
    ~Stage2() = default;
};

} // namespace sel4vm::el2
