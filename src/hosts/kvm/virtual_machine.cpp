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
    if (vcpus_.contains(id.value()))
        return Err{HostError{HostErrorKind::invalid}};
    auto made = std::make_unique<Made>(vm, id, static_cast<Siblings &>(*this), events_, clock_);
    SEL4VM_TRY(made->kernel.open(system_.kvm(), vm_, id.value()));
    SEL4VM_TRY(made->port.start_thread());
    vcpus_.emplace(id.value(), std::move(made));
    return Ok{};
}

Status<HostError> VirtualMachine::connect(const Interrupts &interrupts) {
    SEL4VM_TRY(gic_.create(interrupts.gic.version));
    for (const auto &[number, made] : vcpus_)
        SEL4VM_TRY(made->kernel.set_timer_interrupts(interrupts.virtual_timer, interrupts.physical_timer));
    return gic_.init(interrupts.gic, static_cast<u32>(vcpus_.size()));
}

void VirtualMachine::reset_others() {
    for (const auto &[number, made] : vcpus_) {
        if (made->port.boots())
            continue;
        const auto done = made->kernel.reset(PowerOn::by_psci);
        SEL4VM_ASSERT(done);
    }
}

} // namespace sel4vm::kvm
