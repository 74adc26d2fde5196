// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/sgi.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>

namespace sel4vm::dev {

using aarch64::GicdSgir;
using aarch64::IccSgir;

void send_sgi_v2(IrqMachine &irqs, u32 caller, u32 sgir) {
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
        irqs.send_sgi(static_cast<u32>(std::countr_zero(targets)), request.get<GicdSgir::Intid>(),
                      static_cast<u8>(caller));
}

namespace {

// SGI1R may raise SGIs of both groups, the other two only those of group 0.
void send_allowed(IrqMachine &irqs, CpuState &target, u32 sgi, SgiRegister which) {
    const bool is_group1 = (target.irq.group1 & bit<u32>(sgi)) != 0;
    if (!is_group1 || which == SgiRegister::sgi1)
        irqs.send_sgi(target, sgi, 0);
}

[[gnu::noinline]] void send_to_others(IrqMachine &irqs, u32 caller, u32 sgi, SgiRegister which) {
    for (CpuState &target : irqs.cpus()) {
        if (target.index != caller)
            send_allowed(irqs, target, sgi, which);
    }
}

} // namespace

void send_sgi_v3(IrqMachine &irqs, u32 caller, SgiRegister which, u64 value) {
    const IccSgir request{value};
    const u32 sgi = request.get<IccSgir::Intid>();
    if (request.get<IccSgir::AllOthers>())
        return send_to_others(irqs, caller, sgi, which);
    // The list counts from this one on, by Aff0; no more than one look for each of its bits, however many vCPUs there are.
    const u64 affinity = u64{request.get<IccSgir::Aff3>()} << 32 | u64{request.get<IccSgir::Aff2>()} << 16 |
                         u64{request.get<IccSgir::Aff1>()} << 8 | u64{request.get<IccSgir::RangeSelector>()} * 16;
    const auto first = aarch64::vcpu_of_affinity(affinity, irqs.cpu_count());
    if (!first)
        return;
    for (u32 list = request.get<IccSgir::TargetList>(); list != 0; list &= list - 1) {
        const u32 target = *first + static_cast<u32>(std::countr_zero(list));
        if (target >= irqs.cpu_count())
            return;
        send_allowed(irqs, irqs.cpu(target), sgi, which);
    }
}

} // namespace sel4vm::dev
