// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/virtual_machine.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::kvm {

Result<std::unique_ptr<VirtualMachine>, HostError> VirtualMachine::make(const System &system, EventPort &events,
                                                                        sel4vm::Clock &clock) {
    File vm = SEL4VM_TRY(system.make_vm());
    return std::unique_ptr<VirtualMachine>(new VirtualMachine(std::move(vm), system, events, clock));
}

Status<HostError> VirtualMachine::make_vcpu(VmId vm, VcpuId id) {
    auto found = vcpus_.find(id.value());
    if (found == vcpus_.end()) {
        auto fresh = std::make_unique<Made>(clock_);
        SEL4VM_TRY(fresh->kernel.open(system_.kvm(), vm_, id.value()));
        found = vcpus_.emplace(id.value(), std::move(fresh)).first;
    } else if (found->second->port) {
        return Err{HostError{HostErrorKind::invalid}};
    } else {
        SEL4VM_TRY(found->second->kernel.reset(id == VcpuId{0} ? PowerOn::running : PowerOn::by_psci));
    }
    std::optional<Vcpu> &port = found->second->port;
    port.emplace(vm, id, found->second->kernel, static_cast<Siblings &>(*this), events_);
    if (const auto started = port->start_thread(); !started) {
        port.reset();
        return started;
    }
    return Ok{};
}

void VirtualMachine::destroy_vcpu(VcpuId id) {
    if (const auto found = vcpus_.find(id.value()); found != vcpus_.end())
        found->second->port.reset();
}

Status<HostError> VirtualMachine::connect(const Interrupts &interrupts) {
    SEL4VM_TRY(gic_.create(interrupts.gic.version));
    for (const auto &[number, made] : vcpus_)
        SEL4VM_TRY(made->kernel.set_timer_interrupts(interrupts.virtual_timer, interrupts.physical_timer));
    return gic_.init(interrupts.gic, static_cast<u32>(vcpus_.size()));
}

void VirtualMachine::reset_others() {
    for (const auto &[number, made] : vcpus_) {
        if (number == 0)
            continue;
        const auto done = made->kernel.reset(PowerOn::by_psci);
        SEL4VM_ASSERT(done);
    }
}

} // namespace sel4vm::kvm
