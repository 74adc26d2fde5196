// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/guest_resources.hpp>

#include <hosts/sel4/gic_addresses.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/base/text.hpp>

namespace sel4vm::sel4 {

Status<HostError> GuestResources::make(Made &made, VmId vm, VcpuId id) {
    if (auto done = made.thread.allocate(parts_.vka); !done)
        return done;
    const VcpuSetup setup{vm, id, aarch64::affinity_of_vcpu(id.value()),
                          parts_.first_badge == 0 ? 0 : parts_.first_badge + id.value()};
    if (const auto owner = parts_.endpoint.owner_of(setup.badge); !owner.empty()) {
        Text<120> text;
        text << "badge " << Hex{setup.badge} << ", chosen for vCPU " << id.value() << ", has a bit of what " << owner
             << " has";
        parts_.log.line(LogLevel::error, "host", text.view());
        return Err{HostError{HostErrorKind::invalid}};
    }
    made.vcpu = Owned<Vcpu>::make(parts_.allocator, parts_.endpoint, parts_.space, setup);
    if (!made.vcpu)
        return Err{out_of_memory()};
    if (auto done = made.vcpu->create(parts_.vka, made.thread.tcb()); !done)
        return done;
    const FaultRoute route{parts_.endpoint.cap(), made.vcpu->badge(), seL4_Word{kFaultEndpointSlot} + id.value()};
    return made.thread.configure(parts_.simple, capabilities_, parts_.space.root().cptr, route, made.priority);
}

Result<aarch64::VcpuPorts, HostError> GuestResources::create_vcpu(VmId vm, VcpuId id, int priority) {
    if (id.value() >= max_vcpus() || has(id))
        return Err{HostError{HostErrorKind::invalid}};
    Owned<Made> &made = vcpus_[id.value()];
    made = Owned<Made>::make(parts_.allocator);
    if (!made)
        return Err{out_of_memory()};
    made->priority = priority + static_cast<int>(priority_);
    ++made_;
    auto done = make(*made, vm, id);
    if (done && budget_.budget_us != 0)
        done = share_budget();
    if (!done) {
        made.reset();
        --made_;
        return Err{done.error()};
    }
    return aarch64::VcpuPorts{made->vcpu.get(), &made->vcpu->list_registers(), &made->vcpu->timer()};
}

void GuestResources::destroy_vcpu(VcpuId id) {
    if (!has(id))
        return;
    vcpus_[id.value()].reset();
    --made_;
}

Status<HostError> GuestResources::set_budget([[maybe_unused]] u32 priority, [[maybe_unused]] u32 budget_us,
                                             [[maybe_unused]] u32 period_us) {
#ifdef CONFIG_KERNEL_MCS
    if (priority >= kPriorities || budget_us == 0 || budget_us > period_us || made_ != 0)
        return Err{HostError{HostErrorKind::invalid}};
    priority_ = priority;
    budget_ = {budget_us, period_us};
    return Ok{};
#else
    return Err{HostError{HostErrorKind::not_available}};
#endif
}

// The kernel takes no budget that is hardly longer than what a switch costs, so a small part comes as a larger one less often.
Status<HostError> GuestResources::share_budget() {
    constexpr u64 kSmallest = 100;
    const bool small = budget_.budget_us < kSmallest * made_;
    const CpuShare part = small ? CpuShare{budget_.budget_us, budget_.period_us * made_}
                                : CpuShare{budget_.budget_us / made_, budget_.period_us};
    for (Owned<Made> &made : vcpus_) {
        if (made)
            SEL4VM_TRY(made->thread.set_share(part));
    }
    return Ok{};
}

Status<HostError> GuestResources::bind_vcpu(VcpuId id, u32 cpu) {
    if (cpu >= CONFIG_MAX_NUM_NODES || !has(id))
        return Err{HostError{HostErrorKind::invalid}};
    Made &made = *vcpus_[id.value()];
#if CONFIG_MAX_NUM_NODES > 1
    const NodeThreads::From from{parts_.vka, parts_.simple, parts_.space.vmm_root(), parts_.allocator, made.priority};
    NodeThread *const there = SEL4VM_TRY(parts_.endpoint.node_threads().on(cpu, from));
    SEL4VM_TRY(made.vcpu->leave_cpu());
    SEL4VM_TRY(made.thread.bind_to(parts_.simple, static_cast<int>(cpu)));
    made.vcpu->be_at(there);
    return Ok{};
#else
    return made.thread.bind_to(parts_.simple, static_cast<int>(cpu));
#endif
}

aarch64::GicSupport GuestResources::gic() { return gic_support(); }

} // namespace sel4vm::sel4
