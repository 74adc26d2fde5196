// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/guest_resources.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>

namespace sel4vm::el2 {

Result<aarch64::VcpuPorts, HostError> GuestResources::create_vcpu(VmId vm, VcpuId id, int) {
    if (id.value() >= kMaxVcpus || vcpus_[id.value()])
        return Err{HostError{HostErrorKind::invalid}};
    const VcpuSetup setup{vm, id, aarch64::affinity_of_vcpu(id.value()), 0};
    Owned<Vcpu> &vcpu = vcpus_[id.value()];
    vcpu = Owned<Vcpu>::make(parts_.host.heap(), parts_.processor, parts_.space, share_, setup);
    if (!vcpu)
        return Err{HostError{HostErrorKind::out_of_memory}};
    return aarch64::VcpuPorts{vcpu.get(), &vcpu->list_registers(), &vcpu->timer(), vcpu->pmu()};
}

Status<HostError> GuestResources::set_budget(u32 priority, u32 budget_us, u32 period_us) {
    if (priority >= VmShare::kPriorities || budget_us == 0 || budget_us > period_us || share_.task_count() != 0)
        return Err{HostError{HostErrorKind::invalid}};
    share_.set_priority(priority, CpuBudget::of_microseconds(budget_us, period_us, clock()));
    return Ok{};
}

void GuestResources::destroy_vcpu(VcpuId id) {
    if (id.value() < kMaxVcpus)
        vcpus_[id.value()].reset();
}

aarch64::GicSupport GuestResources::gic_support(Host &host, const Processor &processor) {
    const GicVersionsSupported supported = processor.gic_versions();
    aarch64::GicSupport gic;
    gic.v2 = supported.v2;
    gic.v3 = supported.v3;
    if (const auto &gicv = host.platform().gic.virtual_interface)
        gic.cpu_interface = gicv->base();
    gic.own_deactivation = true;
    return gic;
}

} // namespace sel4vm::el2
