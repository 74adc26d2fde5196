// SPDX-License-Identifier: BSD-2-Clause
//
// Which interrupt controller the kernel virtualizes and where. Addresses are the build's (Sel4VmGic* of docs/using-on-sel4.md), since
// the kernel tells a root task nothing of them; for the platforms of libsel4vm they have its values.
#pragma once

#include <hosts/sel4/kernel.hpp>

#include <sel4vm/arch/aarch64/ports/gic_support.hpp>

namespace sel4vm::sel4 {

[[nodiscard]] inline aarch64::GicSupport gic_support() {
    aarch64::GicSupport gic;
#ifdef CONFIG_ARM_GIC_V3_SUPPORT
    gic.v3 = true;
#else
    gic.v2 = true;
    gic.cpu_interface = HostPhys{SEL4VM_GICV_PADDR};
#endif
    gic.distributor = Gpa{SEL4VM_GICD_GUEST_PADDR};
    gic.cpu_interface_at = Gpa{SEL4VM_GICC_GUEST_PADDR};
    gic.redistributors = Gpa{SEL4VM_GICR_GUEST_PADDR};
    return gic;
}

} // namespace sel4vm::sel4
