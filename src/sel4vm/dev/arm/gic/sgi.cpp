// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/sgi.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>

namespace sel4vm::dev {

using aarch64::GicdSgir;
using aarch64::IccSgir;

namespace {
constexpr u64 kNobody = IccSgir::Aff3::mask | IccSgir::Aff2::mask | IccSgir::RangeSelector::mask;
} // namespace

// To oneself, and the same as before, is nearly always listed at once.
static void send(GicCore &core, u32 caller, CpuState &target, u32 sgi, u8 source) {
    if (target.index != caller || !core.delivery(caller).send_sgi_again(sgi, source))
        core.irqs().send_sgi(target, sgi, source);
}

[[nodiscard]] static u32 targets_v2(u32 cpu_count, u32 caller, GicdSgir request) {
    const u32 everyone = low_mask<u32>(cpu_count);
    switch (static_cast<aarch64::SgiTarget>(request.get<GicdSgir::Target>())) {
    case aarch64::SgiTarget::list: return request.get<GicdSgir::TargetList>() & everyone;
    case aarch64::SgiTarget::others: return everyone & ~bit<u32>(caller);
    case aarch64::SgiTarget::self: return bit<u32>(caller);
    default: return 0; // reserved
    }
}

void send_sgi_v2(GicCore &core, u32 caller, u32 sgir) {
    IrqMachine &irqs = core.irqs();
    const GicdSgir request{sgir};
    u32 targets = targets_v2(irqs.cpu_count(), caller, request);
    for (; targets != 0; targets &= targets - 1)
        send(core, caller, irqs.cpu(static_cast<u32>(std::countr_zero(targets))), request.get<GicdSgir::Intid>(),
             static_cast<u8>(caller));
}

[[gnu::noinline, gnu::cold]] static void send_to_others(IrqMachine &irqs, u32 caller, u32 sgi, SgiRegister which) {
    for (u32 n = 0; n < irqs.cpu_count(); ++n) {
        const bool is_group1 = (irqs.cpu(n).irq.group1 & bit<u32>(sgi)) != 0;
        if (n != caller && (!is_group1 || which == SgiRegister::sgi1))
            irqs.set_pending(n, 0, bit<u32>(sgi));
    }
}

void send_sgi_v3(GicCore &core, u32 caller, SgiRegister which, u64 value) {
    IrqMachine &irqs = core.irqs();
    const IccSgir request{value};
    const u32 sgi = request.get<IccSgir::Intid>();
    if (request.get<IccSgir::AllOthers>()) [[unlikely]]
        return send_to_others(irqs, caller, sgi, which);
    // Who has which affinity (affinity.hpp): sixteen of each Aff1, and nobody any other, so that a list names its vCPUs by their numbers.
    if ((value & kNobody) != 0)
        return;
    const u32 first = aarch64::kVcpusPerCluster * request.get<IccSgir::Aff1>();
    for (u32 list = request.get<IccSgir::TargetList>(); list != 0; list &= list - 1) {
        const u32 n = first + static_cast<u32>(std::countr_zero(list));
        if (n >= irqs.cpu_count())
            return;
        CpuState &target = irqs.cpu(n);
        // SGI1R may raise SGIs of both groups, the other two only those of group 0.
        const bool is_group1 = (target.irq.group1 & bit<u32>(sgi)) != 0;
        if (!is_group1 || which == SgiRegister::sgi1)
            send(core, caller, target, sgi, 0);
    }
}

// -- by who holds nothing

CpuSet post_sgi_v2(GicCore &core, u32 caller, u32 sgir) {
    IrqMachine &irqs = core.irqs();
    const GicdSgir request{sgir};
    const u32 targets = targets_v2(irqs.cpu_count(), caller, request);
    for (u32 others = targets & ~bit<u32>(caller); others != 0; others &= others - 1)
        irqs.inbox(static_cast<u32>(std::countr_zero(others))).post(caller, request.get<GicdSgir::Intid>());
    return CpuSet::of_first(targets);
}

CpuSet post_sgi_v3(GicCore &core, u32 caller, SgiRegister which, u64 value) {
    IrqMachine &irqs = core.irqs();
    const IccSgir request{value};
    const u32 sgi = request.get<IccSgir::Intid>();
    const u32 lane = which == SgiRegister::sgi1 ? SgiInbox::kAnyGroup : SgiInbox::kGroup0;
    CpuSet targets;
    const auto post = [&](u32 n) {
        targets.add(CpuSet::of(n));
        if (n != caller)
            irqs.inbox(n).post(lane, sgi);
    };
    if (request.get<IccSgir::AllOthers>()) [[unlikely]] {
        for (u32 n = 0; n < irqs.cpu_count(); ++n) {
            if (n != caller)
                post(n);
        }
        return targets;
    }
    if ((value & kNobody) != 0)
        return targets;
    const u32 first = aarch64::kVcpusPerCluster * request.get<IccSgir::Aff1>();
    for (u32 list = request.get<IccSgir::TargetList>(); list != 0; list &= list - 1) {
        const u32 n = first + static_cast<u32>(std::countr_zero(list));
        if (n >= irqs.cpu_count())
            break;
        post(n);
    }
    return targets;
}

void send_sgi_to_self(GicCore &core, u32 caller, u32 sgi, SgiRegister which) {
    IrqMachine &irqs = core.irqs();
    CpuState &cpu = irqs.cpu(caller);
    const bool is_v2 = irqs.version() == GicVersion::v2;
    if (is_v2 || which == SgiRegister::sgi1 || (cpu.irq.group1 & bit<u32>(sgi)) == 0)
        send(core, caller, cpu, sgi, static_cast<u8>(is_v2 ? caller : 0));
}

} // namespace sel4vm::dev
