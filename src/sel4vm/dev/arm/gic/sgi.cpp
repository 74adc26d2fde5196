// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/sgi.hpp>

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

void send_sgi_v3(IrqMachine &irqs, u32 caller, SgiRegister which, u64 value) {
    const IccSgir request{value};
    const u32 sgi = request.get<IccSgir::Intid>();
    const u32 cluster = u32{request.get<IccSgir::Aff3>()} << 24 | u32{request.get<IccSgir::Aff2>()} << 16 |
                        u32{request.get<IccSgir::Aff1>()} << 8;
    const u32 first = 16u * request.get<IccSgir::RangeSelector>();
    for (CpuState &target : irqs.cpus()) {
        if (request.get<IccSgir::AllOthers>()) {
            if (target.mask == bit<u32>(caller))
                continue;
        } else {
            const u32 affinity = target.affinity;
            const u32 member = (affinity & 0xff) - first;
            if ((affinity & ~u32{0xff}) != cluster || member >= 16 ||
                (request.get<IccSgir::TargetList>() >> member & 1) == 0)
                continue;
        }
        // SGI1R may raise SGIs of both groups, the other two only those of group 0.
        const bool is_group1 = (target.irq.group1 & bit<u32>(sgi)) != 0;
        if (!is_group1 || which == SgiRegister::sgi1)
            irqs.send_sgi(target, sgi, 0);
    }
}

} // namespace sel4vm::dev
