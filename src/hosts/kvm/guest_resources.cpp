// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/guest_resources.hpp>

namespace sel4vm::kvm {

aarch64::GicSupport Shared::gic() const {
    return {.v2 = system.has(GicVersion::v2), .v3 = system.has(GicVersion::v3), .own_controller = true};
}

Result<std::unique_ptr<GuestResources>, HostError> GuestResources::make(Shared &shared, EventPort &events) {
    auto machine = SEL4VM_TRY(VirtualMachine::make(shared.system, events, shared.clock));
    return std::unique_ptr<GuestResources>(new GuestResources(shared, events, std::move(machine)));
}

Result<aarch64::VcpuPorts, HostError> GuestResources::create_vcpu(VmId vm, VcpuId id, int) {
    if (id.value() >= max_vcpus())
        return Err{HostError{HostErrorKind::invalid}};
    SEL4VM_TRY(machine_->make_vcpu(vm, id));
    return aarch64::VcpuPorts{&machine_->vcpu(id), nullptr, &machine_->timer(id)};
}

Status<HostError> GuestResources::bind_vcpu(VcpuId id, u32 cpu) { return machine_->vcpu(id).bind(cpu); }

Result<aarch64::GicPort *, HostError> GuestResources::make_gic(const aarch64::GicPlace &place) {
    SEL4VM_TRY(machine_->connect({.gic = {.version = place.version,
                                          .spi_count = place.spi_count,
                                          .distributor = place.distributor,
                                          .other = place.other},
                                  .virtual_timer = place.virtual_timer,
                                  .physical_timer = place.physical_timer}));
    return static_cast<aarch64::GicPort *>(this);
}

void GuestResources::set_wire(u32 intid, aarch64::Wire wire) {
    machine_->gic().set_level(intid, wire == aarch64::Wire::high);
}

void GuestResources::set_private_wire(VcpuId vcpu, u32 intid, aarch64::Wire wire) {
    machine_->gic().set_private_level(vcpu.value(), intid, wire == aarch64::Wire::high);
}

} // namespace sel4vm::kvm
