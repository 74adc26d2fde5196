// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/program/host_objects.hpp>

namespace sel4vm::program {

void HostObjects::close() {
    destroy_vcpus();
    if (binding_ != nullptr)
        capi::close_binding(c_, *binding_);
    binding_ = nullptr;
}

Status<HostError> HostObjects::open(vm_host_t &environment, HostObjects *peer, const capi::BindingOptions &options) {
    c_.vka = &environment.vka;
    c_.simple = &environment.simple;
    c_.io_ops = &environment.io_ops;
    c_.mem.vmm_vspace = environment.vspace;
    c_.host_endpoint = environment.endpoint;
    priority_ = environment.priority;
    binding_ = SEL4VM_TRY(capi::open_binding(c_, peer != nullptr ? peer->binding_ : nullptr, options));
    return Ok{};
}

Status<HostError> HostObjects::make_vcpus(VmId id, u16 count) {
    c_vcpus_ = OwnedArray<vm_vcpu_t>::make(binding_->allocator(), count);
    ports_ = OwnedArray<machine::VcpuPorts>::make(binding_->allocator(), count);
    if (!c_vcpus_ || !ports_)
        return Err{HostError{HostErrorKind::out_of_memory}};
    for (u16 i = 0; i < count; ++i) {
        vm_vcpu_t &vcpu = c_vcpus_[i];
        vcpu.vm = &c_;
        vcpu.vcpu_id = i;
        vcpu.target_cpu = -1;
        const auto ports = binding_->create_vcpu(vcpu, id, VcpuId{i}, priority_);
        if (!ports) {
            destroy_vcpus();
            return Err{ports.error()};
        }
        ports_[i] = {ports->vcpu, ports->list_registers, ports->timer};
        ++made_;
    }
    return Ok{};
}

void HostObjects::destroy_vcpus() {
    while (made_ > 0)
        binding_->destroy_vcpu(c_vcpus_[--made_]);
    ports_ = {};
    c_vcpus_ = {};
}

} // namespace sel4vm::program
