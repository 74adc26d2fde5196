// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/guest_resources.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>

namespace sel4vm::fake {

Result<aarch64::VcpuPorts, HostError> GuestResources::create_vcpu(VmId vm, VcpuId id, int) {
    if (id.value() >= kMaxVcpus || cpus_[id.value()])
        return Err{HostError{HostErrorKind::invalid}};
    if (host_.refuses())
        return Err{HostError{HostErrorKind::out_of_memory}};
    auto &cpu = cpus_[id.value()];
    cpu = std::make_unique<GuestCpu>(space_.inner(), host_.clock, aarch64::affinity_of_vcpu(id.value()));
    events_.add(vm, id, *cpu);
    host_.note_made();
    return aarch64::VcpuPorts{cpu.get(), &cpu->lists(), &cpu->timer()};
}

void GuestResources::destroy_vcpu(VcpuId id) {
    if (id.value() >= kMaxVcpus || !cpus_[id.value()])
        return;
    events_.remove(*cpus_[id.value()]);
    cpus_[id.value()].reset();
    host_.note_gone();
}

Status<HostError> GuestResources::bind_vcpu(VcpuId, u32) {
    if (host_.refuses())
        return Err{HostError{HostErrorKind::failed}};
    return Ok{};
}

aarch64::GicSupport GuestResources::gic_support() {
    aarch64::GicSupport gic;
    gic.v2 = true;
    gic.v3 = true;
    gic.cpu_interface = kVirtualCpuInterface;
    gic.own_deactivation = true;
    return gic;
}

} // namespace sel4vm::fake
