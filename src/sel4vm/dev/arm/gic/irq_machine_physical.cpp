// SPDX-License-Identifier: BSD-2-Clause
//
// Shared interrupts behind which there is one of the hardware. The physical interrupt is enabled while the guest's is enabled, forwarded and
// has a target, so that the hardware holds back what the guest masks. When it comes it stays active, and the guest's wire high, until the guest's
// interrupt ends: then the wire falls, and a device that still asks raises a new one.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

namespace {
aarch64::PhysicalTrigger trigger_of(bool edge) {
    return edge ? aarch64::PhysicalTrigger::edge : aarch64::PhysicalTrigger::level;
}
} // namespace

[[gnu::cold]] bool IrqMachine::connect_physical(Allocator &allocator, u32 intid, Trigger trigger,
                                                aarch64::PhysicalIrqPort &port, aarch64::PhysicalIrqSink &sink) {
    if (!physical_.words)
        physical_.words = OwnedArray<PhysicalWord>::make(allocator, shared_.size());
    if (!physical_.words)
        return false;
    physical_.port = &port;
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    SharedWord &place = shared(w);
    IrqWord &irq = place.irq;
    PhysicalWord &told = physical_.words[w - 1];
    place.physical |= b;
    irq.listened |= b;
    if (trigger == Trigger::edge) {
        told.edge_at_reset |= b;
        told.edge |= b;
        irq.edge |= b;
    }
    told.target[intid % kIrqsPerWord] = kNoCpu;
    port.connect(intid, trigger_of(trigger == Trigger::edge), sink);
    return true;
}

[[gnu::noinline]] void IrqMachine::take_physical(u32 intid) {
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    SharedWord &place = shared(w);
    IrqWord &irq = place.irq;
    if ((place.taken & b) != 0) {
        // A linked list register has ended the last one, and this is not known yet.
        place.again |= b;
        if ((irq.listed & b) != 0)
            wake(place.holder[intid % kIrqsPerWord]);
        return;
    }
    place.taken |= b;
    if (drive(irq, b, Level::high))
        update_shared(w, b);
}

/// True when it is one of the hardware's.
[[gnu::noinline]] bool IrqMachine::end_physical(u32 intid, EndedBy how) {
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    if (!is_physical(intid))
        return false;
    SharedWord &place = shared(intid / kIrqsPerWord);
    IrqWord &irq = place.irq;
    if ((place.taken & b) == 0)
        return true; // pended by the guest
    irq.wire &= ~b;
    if ((place.again & b) != 0) {
        place.again &= ~b;
        static_cast<void>(drive(irq, b, Level::high)); // whoever ends one looks what waits
        return true;
    }
    place.taken &= ~b;
    if (how == EndedBy::software)
        physical_.port->end(intid);
    return true;
}

/// The hardware's is no longer active for the guest's, which is in no list register and not active. What asks still comes again.
[[gnu::cold]] void IrqMachine::let_go_physical(u32 w, u32 b) {
    SharedWord &place = shared(w);
    place.irq.wire &= ~b;
    place.taken &= ~b;
    place.again &= ~b;
    physical_.port->end(w * kIrqsPerWord + static_cast<u32>(std::countr_zero(b)));
}

/// The hardware's interrupts do as the guest's, after a change of these.
[[gnu::noinline, gnu::cold]] void IrqMachine::follow_physical(u32 w, u32 bits) {
    SharedWord &place = shared(w);
    IrqWord &irq = place.irq;
    PhysicalWord &told = physical_.words[w - 1];
    aarch64::PhysicalIrqPort &port = *physical_.port;
    for (bits &= place.physical; bits != 0; bits &= bits - 1) {
        const u32 i = static_cast<u32>(std::countr_zero(bits));
        const u32 b = bit<u32>(i);
        const u32 intid = w * kIrqsPerWord + i;
        const bool reachable = place.target[i] != kNoCpu;
        const bool wanted = reachable && (forwarded_bits(irq) & b) != 0;
        const bool retriggered = ((told.edge ^ irq.edge) & b) != 0;
        if ((told.enabled & b) != 0 && (!wanted || retriggered)) {
            port.disable(intid);
            told.enabled &= ~b;
        }
        if ((place.taken & b) != 0 && ((irq.active | irq.listed) & b) == 0 && (!wanted || (irq.waiting() & b) == 0))
            let_go_physical(w, b);
        if (retriggered) {
            port.set_trigger(intid, trigger_of((irq.edge & b) != 0));
            told.edge ^= b;
        }
        if (reachable && told.target[i] != place.target[i]) {
            port.route(intid, VcpuId{place.target[i]});
            told.target[i] = place.target[i];
        }
        if (wanted && (told.enabled & b) == 0) {
            told.enabled |= b;
            port.enable(intid);
        }
    }
}

[[gnu::cold]] void IrqMachine::release_physical() {
    if (!physical_.exist())
        return;
    for (u32 w = 1; w < word_count(); ++w) {
        PhysicalWord &told = physical_.words[w - 1];
        for (u32 bits = shared(w).physical; bits != 0; bits &= bits - 1) {
            const u32 b = bits & ~(bits - 1);
            if ((told.enabled & b) != 0)
                physical_.port->disable(w * kIrqsPerWord + static_cast<u32>(std::countr_zero(b)));
            let_go_physical(w, b); // also one that came while it was disabled
        }
        told.enabled = 0;
    }
}

} // namespace sel4vm::dev
