// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/sgi.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>

namespace sel4vm::dev {

using aarch64::GicdSgir;
using aarch64::IccSgir;

namespace {
constexpr u32 kListBits = 16;
constexpr u32 kWholeList = 0xffff;
} // namespace

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

void send_sgi_v3(IrqMachine &irqs, u32 caller, SgiRegister which, u64 value) {
    const IccSgir request{value};
    const u32 sgi = request.get<IccSgir::Intid>();
    const bool others = request.get<IccSgir::AllOthers>();
    // The list counts from this one on, by Aff0; no more than one look for each of its bits, however many vCPUs there are.
    const u64 affinity = u64{request.get<IccSgir::Aff3>()} << 32 | u64{request.get<IccSgir::Aff2>()} << 16 |
                         u64{request.get<IccSgir::Aff1>()} << 8 | u64{request.get<IccSgir::RangeSelector>()} * 16;
    const auto listed = aarch64::vcpu_of_affinity(affinity, irqs.cpu_count());
    if (!listed && !others)
        return;
    u32 list = others ? kWholeList : request.get<IccSgir::TargetList>();
    for (u32 first = others ? 0 : *listed;; first += kListBits) {
        for (; list != 0; list &= list - 1) {
            const u32 n = first + static_cast<u32>(std::countr_zero(list));
            if (n >= irqs.cpu_count())
                return;
            CpuState &target = irqs.cpu(n);
            // SGI1R may raise SGIs of both groups, the other two only those of group 0.
            const bool is_group1 = (target.irq.group1 & bit<u32>(sgi)) != 0;
            if ((is_group1 && which != SgiRegister::sgi1) || (others && n == caller))
                continue;
            irqs.send_sgi(target, sgi, 0);
        }
        if (!others)
            return;
        list = kWholeList;
    }
}

} // namespace sel4vm::dev
