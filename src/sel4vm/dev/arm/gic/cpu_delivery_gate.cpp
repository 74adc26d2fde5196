// SPDX-License-Identifier: BSD-2-Clause
//
// What the guest's CPU interface lets through: whether a wait ends, and who takes an interrupt that several vCPUs could take.
#include <sel4vm/dev/arm/gic/cpu_delivery.hpp>

namespace sel4vm::dev {

using aarch64::ListRegisterState;

namespace {

// GICH_VMCR and ICH_VMCR_EL2 agree in these bits: group enables 0 and 1, EOImode 9, priority mask from 31 down.
constexpr u32 kGroup0 = bit<u32>(0);
constexpr u32 kGroup1 = bit<u32>(1);
constexpr u32 kEoiMode = bit<u32>(9);

[[nodiscard]] InterfaceGate gate_of(u32 control) {
    return {control >> 24, (control & kGroup0) != 0, (control & kGroup1) != 0};
}

} // namespace

[[gnu::noinline, gnu::cold]] bool CpuDelivery::splits_ends() {
    return abilities_.read_back && (lists_->interface_control() & kEoiMode) != 0;
}

/// Of the most urgent active interrupt whose priority still runs: the guest can drop priorities and keep the interrupts active (EOImode 1),
/// and write the active priorities itself. 0x100: none, or the host does not tell.
u32 CpuDelivery::running_priority() {
    const CpuState &cpu = state();
    if (!abilities_.unlisted_ends)
        return 0x100;
    u32 running = cpu.unlisted == 0 ? 0x100 : unlisted_priority();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (has_active(entry.state) && !entry.injected_active && entry.running_priority < running &&
            lists_->priority_runs(entry.running_priority, entry.group1))
            running = entry.running_priority;
    }
    return running;
}

/// What is signalled now: what the interface lets through, and no running priority holds back.
InterfaceGate CpuDelivery::gate() {
    if (!abilities_.read_back)
        return {};
    InterfaceGate gate = gate_of(lists_->interface_control());
    const u32 running = running_priority();
    if (running < gate.below)
        gate.below = running;
    return gate;
}

/// Whether a list register holds a pending interrupt that is signalled as soon as no running priority holds it back.
[[gnu::noinline, gnu::cold]] bool CpuDelivery::any_listed_passes() {
    const InterfaceGate open = gate_of(lists_->interface_control());
    for (u32 used = state().lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = state().lists[static_cast<u32>(std::countr_zero(used))];
        if (!entry.orphan && entry.state == ListRegisterState::pending && open.passes(entry.priority, entry.group1))
            return true;
    }
    return false;
}

bool CpuDelivery::has_deliverable() {
    // All of it: what a fold alone would find out might then wait for an exit that nothing causes.
    service();
    const CpuState &cpu = state();
    if (cpu.lists_in_use == 0 && cpu.candidate_words == 0)
        return false;
    const InterfaceGate open = gate();
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if ((!entry.orphan || entry.intid >= aarch64::kFirstLpi) && entry.state == ListRegisterState::pending &&
            open.passes(entry.priority, entry.group1))
            return true;
    }
    // Not even the most urgent one, whatever its group: what waits for its priority is not gone through one by one.
    if (cpu.candidate_words != 0 && best_of_several().priority < open.below) {
        if (any_candidate_passes(open))
            return true;
    }
    return (cpu.chores & chore::kLpis) != 0 && lpi_passes(open);
}

[[gnu::noinline, gnu::cold]] bool CpuDelivery::any_candidate_passes(const InterfaceGate &open) {
    const CpuState &cpu = state();
    for (u32 words = cpu.candidate_words; words != 0; words &= words - 1) {
        const u32 w = static_cast<u32>(std::countr_zero(words));
        const IrqWord &irq = word(w);
        for (u32 bits = cpu.candidates[w]; bits != 0; bits &= bits - 1) {
            const u32 i = static_cast<u32>(std::countr_zero(bits));
            if (open.passes(irq.priority[i], (irq.group1 & bit<u32>(i)) != 0))
                return true;
        }
    }
    return false;
}

[[gnu::noinline, gnu::cold]] bool CpuDelivery::has_wake_up() {
    service();
    const CpuState &cpu = state();
    if (cpu.candidate_words != 0)
        return true;
    for (u32 used = cpu.lists_in_use; used != 0; used &= used - 1) {
        const ListEntry &entry = cpu.lists[static_cast<u32>(std::countr_zero(used))];
        if (!entry.orphan && has_pending(entry.state))
            return true;
    }
    return false;
}

/// For the others' sake: an interrupt that could go to several goes to one whose interface is open. The host reports when the guest
/// enables or disables a group; a moved priority mask is seen the next time.
[[gnu::noinline, gnu::cold]] void CpuDelivery::look_at_interface() {
    namespace cause = aarch64::maintenance;
    constexpr u32 kCauses =
        cause::kGroup0Enabled | cause::kGroup0Disabled | cause::kGroup1Enabled | cause::kGroup1Disabled;
    CpuState &cpu = state();
    const bool watch = abilities_.read_back && irqs_->has_choices();
    InterfaceGate gate;
    u32 causes = 0;
    if (watch) {
        gate = gate_of(lists_->interface_control());
        causes = gate.group1 ? cause::kGroup1Disabled : cause::kGroup1Enabled;
        // QEMU (7.2 at least) reports the end of group 0 while group 1 is disabled, for ever; then it is seen the next time.
        if (!gate.group0)
            causes |= cause::kGroup0Enabled;
        else if (gate.group1)
            causes |= cause::kGroup0Disabled;
    } else {
        cpu.chores &= static_cast<u8>(~chore::kWatchInterface);
    }
    if (abilities_.maintenance_control)
        ask_maintenance(kCauses, causes);
    irqs_->saw_gate(cpu, gate);
}

} // namespace sel4vm::dev
