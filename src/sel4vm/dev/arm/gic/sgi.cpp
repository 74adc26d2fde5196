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

void send_sgi_v2(GicCore &core, u32 caller, u32 sgir) {
    IrqMachine &irqs = core.irqs();
    const GicdSgir request{sgir};
    const u32 everyone = low_mask<u32>(irqs.cpu_count());
    u32 targets = 0;
    switch (static_cast<aarch64::SgiTarget>(request.get<GicdSgir::Target>())) {
    case aarch64::SgiTarget::list: targets = request.get<GicdSgir::TargetList>() & everyone; break;
    case aarch64::SgiTarget::others: targets = everyone & ~bit<u32>(caller); break;
    case aarch64::SgiTarget::self: targets = bit<u32>(caller); break;
    default: return; // reserved
    }
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

} // namespace sel4vm::dev
