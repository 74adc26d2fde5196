// SPDX-License-Identifier: BSD-2-Clause
//
// Interrupts of the hardware that a guest has as its own.
#include <sel4vm/dev/arm/gic/gic.hpp>

namespace sel4vm::dev {

[[gnu::cold]] bool Gic::connect_physical(Allocator &allocator, u32 intid, Trigger trigger,
                                         aarch64::PhysicalIrqPort &port) {
    SEL4VM_ASSERT(intid >= kIrqsPerWord && has(intid));
    Session session(*this, kNobody, [] { return Need{}; });
    return core_.irqs().connect_physical(allocator, intid, trigger, port, *this);
}

[[gnu::cold]] void Gic::release_physical() {
    Session session(*this, kNobody, [] { return Need{}; });
    core_.irqs().release_physical();
}

void Gic::physical_irq(u32 intid) {
    Session session(*this, kNobody, [] { return Need{Part::shared}; });
    core_.irqs().take_physical(intid);
}

} // namespace sel4vm::dev
