// SPDX-License-Identifier: BSD-2-Clause
//
// What lets the parts of the state have different holders (gic_locks.hpp), with LockMode::spin.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

namespace sel4vm::dev {

namespace {

/// Whether what a vCPU does with its interrupts would touch the shared part, apart from what changes without it: new candidates and chores.
bool has_ties(const CpuState &cpu) {
    if (((cpu.candidate_words & ~u32{1}) | cpu.irq.listened | cpu.irq.refused) != 0)
        return true; // who is told of an end stands in the shared part
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (entry.intid >= kIrqsPerWord || entry.orphan)
            return true;
    }
    return false;
}

} // namespace

/// A shared interrupt gets into a list register, and a listener or an orphan comes, only while both parts are held.
void IrqMachine::leave_shared(CpuState &cpu) {
    cpu.sees_shared = false;
    cpu.tied = has_ties(cpu);
}

void IrqMachine::join_shared(CpuState &cpu) {
    cpu.sees_shared = true;
    u32 words = cpu.shared_words.load(std::memory_order_relaxed);
    if ((words & CpuState::kAskedForLpis) != 0) {
        cpu.chores |= chore::kLpis;
        words &= ~CpuState::kAskedForLpis;
        cpu.shared_words.store(words, std::memory_order_relaxed);
    }
    cpu.candidate_words = (cpu.candidate_words & 1) | words;
}

[[gnu::noinline]] void IrqMachine::collect_posted(CpuState &cpu) {
    u32 sgis = 0;
    if (version_ == GicVersion::v3) {
        const u64 posted = cpu.inbox.take(0);
        // ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 raise those of group 0 only.
        const u32 of_group0 = static_cast<u32>(posted >> SgiInbox::kLaneBits) & ~cpu.irq.group1;
        sgis = (static_cast<u32>(posted) | of_group0) & low_mask<u32>(SgiInbox::kLaneBits);
        for (u32 rest = sgis; rest != 0; rest &= rest - 1)
            cpu.sgi_sources[static_cast<u32>(std::countr_zero(rest))] |= 1;
    } else {
        for (u32 word = 0; word < SgiInbox::kWords; ++word) {
            for (u64 posted = cpu.inbox.take(word); posted != 0; posted &= posted - 1) {
                const u32 place = static_cast<u32>(std::countr_zero(posted));
                const u32 sgi = place % SgiInbox::kLaneBits;
                cpu.sgi_sources[sgi] |= bit<u8>(word * SgiInbox::kLanesPerWord + place / SgiInbox::kLaneBits);
                sgis |= bit<u32>(sgi);
            }
        }
    }
    cpu.irq.latched |= sgis;
    update_private(cpu, sgis);
}

} // namespace sel4vm::dev
