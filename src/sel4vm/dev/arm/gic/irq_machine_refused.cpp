// SPDX-License-Identifier: BSD-2-Clause
//
// Injections that were refused because the guest had not enabled the interrupt. They are forgotten, but a client that passes a
// physical interrupt through waits for the end of each before it lets the next one come: it hears that as soon as the guest has made the
// interrupt deliverable.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

void IrqMachine::note_refused(u32 cpu, u32 intid) {
    IrqWord &irq = word(cpu, intid / kIrqsPerWord);
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    if ((irq.listened & ~irq.refused & b) == 0)
        return;
    irq.refused |= b;
    ++refused_;
}

void IrqMachine::collect_refused() {
    for (u32 n = 0; n < cpu_count(); ++n)
        collect_refused(n, 0);
    for (u32 w = 1; w < word_count(); ++w)
        collect_refused(0, w);
}

void IrqMachine::collect_refused(u32 cpu, u32 w) {
    IrqWord &irq = word(cpu, w);
    for (u32 ready = irq.refused & forwarded_bits(irq); ready != 0; ready &= ready - 1) {
        const u32 i = static_cast<u32>(std::countr_zero(ready));
        const u32 intid = w * kIrqsPerWord + i;
        const u8 target = target_of(cpu, intid);
        if (target == kNoCpu)
            continue;
        if (finished_.size() >= kRefusedAtOnce)
            return; // the next ones follow when these have been told
        irq.refused &= ~bit<u32>(i);
        --refused_;
        note_finished(target, intid);
    }
}

} // namespace sel4vm::dev
