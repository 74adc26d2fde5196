// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/guest_resources.hpp>

#include <hosts/sel4/gic_addresses.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/base/text.hpp>

namespace sel4vm::sel4 {

Status<HostError> GuestResources::make(Made &made, VmId vm, VcpuId id, int priority) {
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
    return made.thread.configure(parts_.simple, capabilities_, parts_.space.root().cptr, route, priority);
}

void GuestResources::unmake(Made &made) {
    made.vcpu.reset();
    made.thread.reset();
}

Result<aarch64::VcpuPorts, HostError> GuestResources::create_vcpu(VmId vm, VcpuId id, int priority) {
    if (id.value() >= vcpus_.size() || vcpus_[id.value()].vcpu)
        return Err{HostError{HostErrorKind::invalid}};
    Made &made = vcpus_[id.value()];
    if (const auto done = make(made, vm, id, priority); !done) {
        unmake(made);
        return Err{done.error()};
    }
    return aarch64::VcpuPorts{made.vcpu.get(), &made.vcpu->list_registers(), &made.vcpu->timer()};
}

void GuestResources::destroy_vcpu(VcpuId id) {
    if (id.value() < vcpus_.size())
        unmake(vcpus_[id.value()]);
}

Status<HostError> GuestResources::bind_vcpu(VcpuId id, u32 cpu) {
    if (cpu >= CONFIG_MAX_NUM_NODES || id.value() >= vcpus_.size() || !vcpus_[id.value()].vcpu)
        return Err{HostError{HostErrorKind::invalid}};
    return vcpus_[id.value()].thread.bind_to(parts_.simple, static_cast<int>(cpu));
}

aarch64::GicSupport GuestResources::gic() { return gic_support(); }

} // namespace sel4vm::sel4
