// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/program/host_objects.hpp>

namespace sel4vm::program {

void HostObjects::close() {
    destroy_vcpus();
    if (resources_ != nullptr)
        host_->free_guest(*resources_);
    resources_ = nullptr;
}

Status<HostError> HostObjects::open(aarch64::ProgramHost &host) {
    host_ = &host;
    resources_ = SEL4VM_TRY(host.make_guest());
    return Ok{};
}

Status<HostError> HostObjects::make_vcpus(VmId id, u16 count) {
    ports_ = OwnedArray<aarch64::VcpuPorts>::make(resources_->allocator(), count);
    if (!ports_)
        return Err{HostError{HostErrorKind::out_of_memory}};
    while (made_ < count) {
        const auto ports = resources_->create_vcpu(id, VcpuId{made_}, host_->vcpu_priority());
        if (!ports) {
            destroy_vcpus();
            return Err{ports.error()};
        }
        ports_[made_++] = *ports;
    }
    return Ok{};
}

void HostObjects::destroy_vcpus() {
    while (made_ > 0)
        resources_->destroy_vcpu(VcpuId{--made_});
    ports_ = {};
}

} // namespace sel4vm::program
