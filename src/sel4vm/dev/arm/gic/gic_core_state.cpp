// SPDX-License-Identifier: BSD-2-Clause
//
// Saving and restoring. A restored state comes about as a guest would have made it: by the same changes that its register writes make, so that no
// value is legal here that a guest could not have written.
#include <sel4vm/dev/arm/gic/gic_core.hpp>
#include <sel4vm/dev/arm/gic/gic_state.hpp>

namespace sel4vm::dev {

namespace {

constexpr u32 kSgiBits = 0xffff;

GicIrqState saved(const IrqWord &irq) {
    return {.enabled = irq.enabled,
            .group1 = irq.group1,
            .edge = irq.edge,
            .pending = irq.latched | irq.lr_latch,
            .active = irq.active,
            .priority = irq.priority};
}

} // namespace

[[gnu::cold]] void GicCore::save(GicState &to) {
    to = {};
    for (CpuDelivery &delivery : deliveries_)
        delivery.observe();
    to.forwarded_groups = irqs_.forwarded_groups();
    for (u32 n = 0; n < irqs_.cpu_count(); ++n) {
        const CpuState &cpu = irqs_.cpu(n);
        GicCpuState &out = to.cpus[n];
        out.irqs = saved(cpu.irq);
        for (u32 sgi = 0; sgi < kSgiCount; ++sgi) {
            if ((out.irqs.pending & bit<u32>(sgi)) != 0)
                out.sgi_sources[sgi] = irqs_.sgi_sources(n, sgi);
        }
        out.awake = cpu.asleep ? 0 : 1;
        if (const auto control = deliveries_[n].interface_control()) {
            out.interface_known = 1;
            out.interface_control = *control;
        }
    }
    for (u32 w = 1; w < irqs_.word_count(); ++w) {
        const SharedWord &place = irqs_.shared(w);
        to.shared[w - 1] = {.irqs = saved(place.irq),
                            .any_cpu = place.any_cpu,
                            .messages = place.messages & ~place.irq.edge,
                            .routes = place.route};
    }
}

[[gnu::cold]] void GicCore::restore(const GicState &from) {
    CpuSet on;
    std::array<std::optional<u32>, kMaxGicCpus> interfaces;
    for (u32 n = 0; n < irqs_.cpu_count(); ++n) {
        if (irqs_.cpu(n).on)
            on.add(CpuSet::of(n));
        interfaces[n] = deliveries_[n].interface_control();
    }
    reset();
    for (u32 n = 0; n < irqs_.cpu_count(); ++n) {
        if (on.has(n))
            turned_on(n);
        if (interfaces[n])
            deliveries_[n].set_interface_control(from.cpus[n].interface_known != 0 ? from.cpus[n].interface_control
                                                                                   : *interfaces[n]);
        restore_private(n, from.cpus[n]);
    }
    for (u32 w = 1; w < irqs_.word_count(); ++w) {
        const GicSharedState &shared = from.shared[w - 1];
        restore_irqs(0, w, shared.irqs);
        restore_routes(w, shared);
        restore_messages(w, shared.messages & ~shared.irqs.edge);
        irqs_.set_pending(0, w, shared.irqs.pending);
        irqs_.set_active(0, w, shared.irqs.active);
    }
    irqs_.set_forwarded_groups(from.forwarded_groups);
}

void GicCore::restore_irqs(u32 cpu, u32 w, const GicIrqState &from) {
    irqs_.set_groups(cpu, w, from.group1);
    irqs_.set_edge(cpu, w, ~u32{0}, from.edge);
    for (u32 i = 0; i < kIrqsPerWord; ++i)
        irqs_.set_priority(cpu, w * kIrqsPerWord + i, from.priority[i]);
    irqs_.enable(cpu, w, from.enabled);
}

void GicCore::restore_routes(u32 w, const GicSharedState &from) {
    const bool v3 = irqs_.version() == GicVersion::v3;
    // GICD_ITARGETSR has bits for CPUs that there are, and none where there is one only.
    const u32 mask = v3 ? ~u32{0} : irqs_.cpu_count() == 1 ? 0 : low_mask<u32>(irqs_.cpu_count());
    for (u32 i = 0; i < kIrqsPerWord; ++i) {
        const bool any = v3 && (from.any_cpu & bit<u32>(i)) != 0;
        irqs_.set_route(w * kIrqsPerWord + i, from.routes[i] & mask, any ? Routing::any_cpu : Routing::listed);
    }
}

void GicCore::restore_messages(u32 w, u32 messages) {
    if (!irqs_.has_message_spis())
        return;
    for (; messages != 0; messages &= messages - 1)
        irqs_.send_message(w * kIrqsPerWord + static_cast<u32>(std::countr_zero(messages)), Level::high);
}

void GicCore::restore_private(u32 n, const GicCpuState &from) {
    restore_irqs(n, 0, from.irqs);
    if (irqs_.version() == GicVersion::v3)
        irqs_.set_power(n, (from.awake & 1) != 0 ? RedistributorPower::awake : RedistributorPower::asleep);
    irqs_.set_pending(n, 0, from.irqs.pending & ~kSgiBits);
    // An SGI is pending for those that sent it; where that is not told apart, for one.
    const u32 senders = irqs_.version() == GicVersion::v2 ? low_mask<u32>(irqs_.cpu_count()) : 1;
    for (u32 sgis = from.irqs.pending & kSgiBits; sgis != 0; sgis &= sgis - 1) {
        const u32 sgi = static_cast<u32>(std::countr_zero(sgis));
        const u8 sources = static_cast<u8>(from.sgi_sources[sgi] & senders);
        if (sources == 0)
            continue;
        irqs_.set_pending(n, 0, bit<u32>(sgi));
        irqs_.cpu(n).sgi_sources[sgi] = sources; // not by send_sgi(), which must stay inline where it is hot
    }
    irqs_.set_active(n, 0, from.irqs.active);
}

} // namespace sel4vm::dev
