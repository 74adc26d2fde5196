// SPDX-License-Identifier: BSD-2-Clause
//
// What the guest's register accesses do to interrupts, in words of 32.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kSgiBits = 0xffff;
}

void IrqMachine::enable(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.implemented & ~irq.enabled;
    irq.enabled |= bits;
    update(cpu, w, bits);
    forwarding_changed(cpu, w);
}

void IrqMachine::disable(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.enabled;
    irq.enabled &= ~bits;
    update(cpu, w, bits);
}

void IrqMachine::set_groups(u32 cpu, u32 w, u32 group1) {
    IrqWord &irq = word(cpu, w);
    const u32 changed = (irq.group1 ^ group1) & irq.implemented;
    irq.group1 ^= changed;
    update(cpu, w, changed);
    if (w != 0)
        retarget_choices(w, changed);
    forwarding_changed(cpu, w);
}

void IrqMachine::set_edge(u32 cpu, u32 w, u32 bits, u32 edge) {
    IrqWord &irq = word(cpu, w);
    if (w == 0)
        bits &= ~kSgiBits; // SGIs are edge-triggered for good
    const u32 changed = (irq.edge ^ edge) & bits & irq.implemented;
    irq.edge ^= changed;
    update(cpu, w, changed);
}

void IrqMachine::set_pending(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.implemented;
    if (w == 0) {
        for (u32 sgis = bits & kSgiBits; sgis != 0; sgis &= sgis - 1)
            cpus_[cpu].sgi_sources[static_cast<u32>(std::countr_zero(sgis))] |= 1;
    }
    irq.latched |= bits;
    update(cpu, w, bits);
}

void IrqMachine::clear_pending(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.implemented;
    if (w == 0) {
        for (u32 sgis = bits & kSgiBits; sgis != 0; sgis &= sgis - 1)
            cpus_[cpu].sgi_sources[static_cast<u32>(std::countr_zero(sgis))] = 0;
    }
    irq.latched &= ~bits;
    irq.lr_latch &= ~bits;
    update(cpu, w, bits);
}

void IrqMachine::clear_sgi_sources(u32 n, u32 sgi, u8 sources) {
    CpuState &cpu = cpus_[n];
    const u32 b = bit<u32>(sgi);
    cpu.sgi_sources[sgi] &= static_cast<u8>(~sources);
    if (cpu.sgi_sources[sgi] == 0)
        cpu.irq.latched &= ~b;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (!entry.orphan && entry.intid == sgi && (sources & bit<u8>(entry.source)) != 0)
            cpu.irq.lr_latch &= ~b;
    }
    update(n, 0, b);
}

void IrqMachine::set_active(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.implemented & ~irq.active;
    irq.active |= bits;
    if (can_rewrite_) {
        irq.want_active |= bits & irq.listed;
        irq.drop_active &= ~bits;
        // The others need a list register, or the guest could not end them.
        for (u32 rest = bits & ~irq.listed; rest != 0; rest &= rest - 1) {
            const u8 target = target_of(cpu, w * kIrqsPerWord + static_cast<u32>(std::countr_zero(rest)));
            if (target != kNoCpu) {
                cpus_[target].chores |= chore::kListActive;
                wake(w, target);
            }
        }
    }
    update(cpu, w, bits);
}

void IrqMachine::clear_active(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.implemented;
    // What is listed ends when its holder hears of it.
    for (u32 ended = irq.active & bits & irq.listened & ~irq.listed; ended != 0; ended &= ended - 1)
        note_finished(cpu, w * kIrqsPerWord + static_cast<u32>(std::countr_zero(ended)));
    irq.active &= ~bits;
    irq.want_active &= ~bits;
    forget_unlisted(cpu, w, bits);
    if (can_rewrite_)
        irq.drop_active |= bits & irq.listed;
    update(cpu, w, bits);
}

u32 IrqMachine::pending(u32 cpu, u32 w) {
    const IrqWord &irq = word(cpu, w);
    return (irq.waiting() | irq.lr_latch) & irq.implemented;
}

u8 IrqMachine::sgi_sources(u32 n, u32 sgi) {
    const CpuState &cpu = cpus_[n];
    u8 sources = cpu.sgi_sources[sgi];
    if ((cpu.irq.lr_latch & bit<u32>(sgi)) != 0) {
        for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
            const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
            if (!entry.orphan && entry.intid == sgi)
                sources |= bit<u8>(entry.source);
        }
    }
    return sources;
}

void IrqMachine::set_priority(u32 cpu, u32 intid, u8 priority) {
    const u32 w = intid / kIrqsPerWord;
    const u32 i = intid % kIrqsPerWord;
    IrqWord &irq = word(cpu, w);
    priority &= priority_mask_;
    if ((irq.implemented & bit<u32>(i)) == 0 || irq.priority[i] == priority)
        return;
    irq.priority[i] = priority;
    update(cpu, w, bit<u32>(i));
    if (w != 0)
        retarget_choices(w, bit<u32>(i));
    // A waiting interrupt may now deserve a list register that another one has.
    const u8 target = target_of(cpu, intid);
    if (target != kNoCpu && (cpus_[target].candidates[w] & bit<u32>(i)) != 0)
        wake(w, target);
}

} // namespace sel4vm::dev
