// SPDX-License-Identifier: BSD-2-Clause
//
// Message-based SPIs (IHI 0069, GICD_SETSPI_NSR and GICD_CLRSPI_NSR). Of an edge-triggered interrupt they set and clear the pending latch; a
// level-sensitive one is pending from the one to the other, whether it is acknowledged in between or not: they are its wire.
#include <sel4vm/dev/arm/gic/gic.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kMessageIntidMask = 0x1fff; // GICD_SETSPI_NSR.INTID
}

bool IrqMachine::has_message_spis() const {
    return aarch64::GicdTyper{distributor_type_}.get<aarch64::GicdTyper::Mbis>();
}

void IrqMachine::send_message(u32 intid, Level level) {
    intid &= kMessageIntidMask;
    if (intid < kIrqsPerWord || intid >= intid_limit())
        return;
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    SharedWord &place = shared(w);
    const bool edge = (place.irq.edge & b) != 0;
    if (level == Level::high) {
        if (edge)
            return set_pending(0, w, b);
        place.messages |= b & place.irq.implemented;
        return set_wire(0, intid, level);
    }
    if (edge)
        clear_pending(0, w, b);
    if ((place.messages & b) == 0)
        return;
    place.messages &= ~b;
    set_wire(0, intid, level);
}

void Gic::send(u32, u32 data) {
    const Held held = enter({Part::shared}, kNobody);
    core_.irqs().send_message(data, Level::high);
    leave(kNobody, held);
}

} // namespace sel4vm::dev
