// SPDX-License-Identifier: BSD-2-Clause
//
// Taking and leaving the parts of the state (gic_locks.hpp), and SGIs of who holds none of them. Only with LockMode::spin.
//
// Whoever leaves has seen to all that it has caused: nobody is woken while a part is held, and no wake stays behind with one that is not.
#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>

#include <utility>

namespace sel4vm::dev {

namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;

[[gnu::noinline]] Held Gic::hold(Need need, u32 caller) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (need.part == Part::shared || need.part == Part::all) [[unlikely]]
        return hold_several(need.part, caller);
    IrqMachine &irqs = core_.irqs();
    CpuState &cpu = irqs.cpu(need.vcpu);
    cpu.part.lock();
    irqs.collect_sgis(cpu);
    if (need.serves_next)
        cpu.woken = false;
    const Held held(caller, need.vcpu, Held::kOwn);
    if (need.part == Part::own_and_shared || IrqMachine::needs_shared(cpu)) [[unlikely]]
        return join_shared(cpu, held);
    return held;
}

[[gnu::noinline]] Held Gic::join_shared(CpuState &cpu, Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    lock_.lock();
    IrqMachine::join_shared(cpu);
    held.add_shared();
    return held;
}

[[gnu::noinline]] Held Gic::hold_several(Part part, u32 caller) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (part == Part::shared) {
        lock_.lock();
        return Held(caller, 0, Held::kShared);
    }
    IrqMachine &irqs = core_.irqs();
    irqs.cpu(0).part.lock();
    for (u32 n = 1; n < config_.vcpu_count; ++n)
        irqs.cpu(n).part.lock_next();
    lock_.lock();
    for (CpuState &cpu : irqs.cpus()) {
        IrqMachine::join_shared(cpu);
        irqs.collect_sgis(cpu);
    }
    return Held(caller, 0, Held::kShared | Held::kAll);
}

[[gnu::noinline]] void Gic::let_go(Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (held.shared()) [[unlikely]]
        return let_go_of_several(held);
    CpuState &cpu = core_.irqs().cpu(held.vcpu());
    if (cpu.woken) [[unlikely]]
        return let_go_woken(cpu, held);
    cpu.part.unlock();
}

[[gnu::noinline]] void Gic::let_go_woken(CpuState &cpu, Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (held.vcpu() == held.caller())
        held = serve_held(cpu, held);
    if (cpu.woken || held.shared())
        return let_go_of_several(held);
    cpu.part.unlock();
}

/// What was done to the caller's interrupts may have made shared ones its business.
Held Gic::serve_held(CpuState &cpu, Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (!held.shared() && IrqMachine::needs_shared(cpu))
        held = join_shared(cpu, held);
    core_.irqs().forget_wake(cpu);
    core_.delivery(cpu.index).service();
    return held;
}

[[gnu::noinline]] void Gic::let_go_of_several(Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    IrqMachine &irqs = core_.irqs();
    const u32 caller = held.caller();
    if (caller != Held::kNobody && (held.all() || (held.own() && held.vcpu() == caller)) &&
        irqs.is_woken(irqs.cpu(caller)))
        held = serve_held(irqs.cpu(caller), held);
    CpuSet wakes;
    const u32 first = held.vcpu();
    const u32 end = held.all() ? config_.vcpu_count : first + (held.own() ? 1 : 0);
    for (u32 n = first; n < end; ++n) {
        if (std::exchange(irqs.cpu(n).woken, false))
            wakes.add(CpuSet::of(n));
    }
    if (held.shared()) {
        wakes.add(irqs.take_wakes());
        if (!irqs.finished().empty()) [[unlikely]]
            return let_go_and_tell(wakes, held);
    }
    release_parts(held);
    act(wakes);
}

[[gnu::noinline, gnu::cold]] void Gic::let_go_and_tell(const CpuSet &wakes,
                                                       Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    IrqMachine &irqs = core_.irqs();
    const IrqMachine::FinishedIrqs told = irqs.finished();
    irqs.finished().clear();
    release_parts(held);
    act(wakes);
    for (const FinishedIrq &each : told)
        tell(each);
    if (told.size() < IrqMachine::kRefusedAtOnce)
        return;
    const Held again = hold_several(Part::all, kNobody);
    static_cast<void>(irqs.has_more_refused());
    let_go_of_several(again);
}

void Gic::release_parts(Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    IrqMachine &irqs = core_.irqs();
    if (held.all()) {
        for (CpuState &cpu : irqs.cpus())
            IrqMachine::leave_shared(cpu);
    } else if (held.own() && held.shared()) {
        IrqMachine::leave_shared(irqs.cpu(held.vcpu()));
    }
    if (held.shared())
        lock_.unlock();
    if (held.all()) {
        for (u32 n = 1; n < config_.vcpu_count; ++n)
            irqs.cpu(n).part.unlock_next();
        irqs.cpu(0).part.unlock();
    } else if (held.own()) {
        irqs.cpu(held.vcpu()).part.unlock();
    }
}

[[gnu::noinline]] Held Gic::enter(Need need, u32 caller) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (is_apart()) [[unlikely]]
        return hold(need, caller);
    lock_.lock();
    return Held(0);
}

[[gnu::noinline]] void Gic::leave(u32 caller, Held held) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (is_apart()) [[unlikely]]
        return let_go(held);
    if (core_.irqs().has_news())
        serve_caller(caller);
    if (core_.irqs().has_news())
        leave_with_news();
    else
        lock_.unlock();
}

// -- what a register access touches

Need Gic::distributor_need(const Access &access, bool is_write) const {
    const u32 at = static_cast<u32>(access.offset);
    const u32 vcpu = access.vcpu.value();
    if (is_write) {
        const bool active = at >= gicd::kIsactiver && at < gicd::kIpriorityr;
        const bool targets = at >= gicd::kItargetsr && at < gicd::kIcfgr;
        if (at < 4 || active || targets || at / 16 == gicd::kSgir / 16 || at >= gicd::kIrouter)
            return {Part::all, vcpu};
    }
    // Private interrupts of GICv2, and what never changes.
    const bool in_first_word = at < gicd::kIpriorityr ? at % 128 < 4 : at < gicd::kIpriorityr + 32;
    const bool of_sgis = at >= gicd::kCpendsgir && at < gicd::kSpendsgir + 16;
    const bool own = at < gicd::kIgroupr ? !is_write : in_first_word || of_sgis;
    return {own && access.width != Width::b8 ? Part::own : Part::own_and_shared, vcpu};
}

Need Gic::redistributor_need(const Access &access, u64 offset, bool is_write) {
    const u64 at = offset % Redistributors::kBytesPerCpu;
    const u32 vcpu = access.vcpu.value();
    if (at < gicr::kFrameBytes) // the only one that changes there is WAKER, and it does so under everything
        return {is_write && at / 8 == gicr::kWaker / 8 ? Part::all : Part::own, vcpu};
    return {offset / Redistributors::kBytesPerCpu == vcpu ? Part::own : Part::all, vcpu};
}

// -- SGIs. Nearly all are for one other vCPU, and need no set.

/// GICD_SGIR. False: it is no such write.
bool Gic::send_sgi_apart(const Access &access, u64 value) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (access.offset != gicd::kSgir || access.width != Width::b4 || config_.version != GicVersion::v2)
        return false;
    const u32 caller = access.vcpu.value();
    const u32 sgir = static_cast<u32>(value);
    const aarch64::GicdSgir request{sgir};
    const u32 list = request.get<aarch64::GicdSgir::TargetList>();
    const u32 one = static_cast<u32>(std::countr_zero(list));
    if (is_power_of_two(list) && one < config_.vcpu_count && one != caller &&
        request.get<aarch64::GicdSgir::Target>() == static_cast<u32>(aarch64::SgiTarget::list)) [[likely]] {
        core_.irqs().inbox(one).post(caller, request.get<aarch64::GicdSgir::Intid>());
        act(one);
        return true;
    }
    send_rest(caller, aarch64::GicdSgir{sgir}.get<aarch64::GicdSgir::Intid>(), SgiRegister::sgi1,
              post_sgi_v2(core_, caller, sgir));
    return true;
}

void Gic::send_sgi_apart(u32 caller, SgiRegister which, u64 value) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    using aarch64::IccSgir;
    constexpr u64 kNotOne =
        IccSgir::Aff3::mask | IccSgir::Aff2::mask | IccSgir::RangeSelector::mask | IccSgir::AllOthers::mask;
    const IccSgir request{value};
    const u32 list = request.get<IccSgir::TargetList>();
    const u32 one = aarch64::kVcpusPerCluster * request.get<IccSgir::Aff1>() + static_cast<u32>(std::countr_zero(list));
    if ((value & kNotOne) == 0 && is_power_of_two(list) && one != caller) [[likely]] {
        if (one >= config_.vcpu_count)
            return;
        const u32 lane = which == SgiRegister::sgi1 ? SgiInbox::kAnyGroup : SgiInbox::kGroup0;
        core_.irqs().inbox(one).post(lane, request.get<IccSgir::Intid>());
        return act(one);
    }
    send_rest(caller, aarch64::IccSgir{value}.get<aarch64::IccSgir::Intid>(), which,
              post_sgi_v3(core_, caller, which, value));
}

void Gic::send_rest(u32 caller, u32 sgi, SgiRegister which, CpuSet targets) SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
    if (targets.has(caller)) {
        targets.remove(CpuSet::of(caller));
        const Held held = hold({Part::own, caller}, caller);
        send_sgi_to_self(core_, caller, sgi, which);
        let_go(held);
    }
    act(targets);
}

} // namespace sel4vm::dev
