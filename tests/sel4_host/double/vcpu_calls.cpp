// SPDX-License-Identifier: BSD-2-Clause
//
// Calls on VCPU objects.
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/untyped.hpp>
#include <sel4_host/double/vcpu.hpp>

#include <sel4vm/base/assert.hpp>

using namespace sel4vm;
using namespace sel4vm::sel4_double;

namespace {

constexpr u64 kVirtualTimer = 27;

/// The message says what the limits are.
seL4_Error out_of_range(u64 last) {
    seL4_Word *const message = Kernel::current().buffer.msg;
    message[0] = 0;
    message[1] = last;
    return seL4_RangeError;
}

} // namespace

extern "C" {

seL4_Error seL4_ARM_VCPU_SetTCB(seL4_ARM_VCPU cap, seL4_TCB tcb) {
    Kernel &kernel = Kernel::current();
    Vcpu *const vcpu = kernel.invoked_as<Vcpu>(cap);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    const Capability *const thread = kernel.slot(tcb);
    if (thread == nullptr || !thread->is(ObjectKind::tcb))
        return seL4_IllegalOperation;
    if (vcpu->memory->retypes < 2 && kernel.refusals.call())
        return seL4_IllegalOperation;
    vcpu->associate(*thread->as<Tcb>());
    return seL4_NoError;
}

seL4_Error seL4_ARM_VCPU_InjectIRQ(seL4_ARM_VCPU cap, seL4_Uint16 intid, seL4_Uint8 priority, seL4_Uint8 group,
                                   seL4_Uint8 index) {
    constexpr u64 kMaxIntid = 1023;
    constexpr u64 kMaxPriority = 31;
    Kernel &kernel = Kernel::current();
    Vcpu *const vcpu = kernel.invoked_as<Vcpu>(cap);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    if (intid > kMaxIntid)
        return out_of_range(kMaxIntid);
    if (priority > kMaxPriority)
        return out_of_range(kMaxPriority);
    if (group > 1)
        return out_of_range(1);
    if (index >= kernel.options.list_registers)
        return out_of_range(kernel.options.list_registers - 1);
    fake::ListRegisters &lists = vcpu->cpu.lists();
    const aarch64::ListRegisterState state = lists.at(index).state;
    if (state != aarch64::ListRegisterState::empty)
        kernel.violate("a list register that is in use is filled");
    if (state == aarch64::ListRegisterState::active)
        return seL4_DeleteFirst;
    if (lists.at(index).eoi_maintenance)
        kernel.violate("a list register whose end was not reported is filled");
    aarch64::ListRegister value;
    value.state = aarch64::ListRegisterState::pending;
    value.intid = intid;
    value.priority = static_cast<u8>(priority << 3);
    value.group1 = group != 0;
    value.eoi_maintenance = true;
    SEL4VM_ASSERT(lists.write(index, value));
    if (lists.violation() != nullptr)
        kernel.violate(lists.violation());
    return seL4_NoError;
}

seL4_ARM_VCPU_ReadRegs_t seL4_ARM_VCPU_ReadRegs(seL4_ARM_VCPU cap, seL4_VCPUReg which) {
    Kernel &kernel = Kernel::current();
    Vcpu *const vcpu = kernel.invoked_as<Vcpu>(cap);
    if (vcpu == nullptr)
        return {seL4_InvalidCapability, 0};
    if (which >= seL4_VCPUReg_Num)
        return {seL4_InvalidArgument, 0};
    return {seL4_NoError, vcpu->read(which)};
}

seL4_Error seL4_ARM_VCPU_WriteRegs(seL4_ARM_VCPU cap, seL4_VCPUReg which, seL4_Word value) {
    Kernel &kernel = Kernel::current();
    Vcpu *const vcpu = kernel.invoked_as<Vcpu>(cap);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    if (which >= seL4_VCPUReg_Num)
        return seL4_InvalidArgument;
    vcpu->write(which, value);
    return seL4_NoError;
}

seL4_Error seL4_ARM_VCPU_AckVPPI(seL4_ARM_VCPU cap, seL4_Word irq) {
    Kernel &kernel = Kernel::current();
    Vcpu *const vcpu = kernel.invoked_as<Vcpu>(cap);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    if (irq != kVirtualTimer)
        return seL4_InvalidArgument;
    vcpu->cpu.timer().unmask();
    return seL4_NoError;
}

#ifdef CONFIG_ALLOW_SMC_CALLS
seL4_Error seL4_ARM_SMC_Call(seL4_ARM_SMC cap, seL4_ARM_SMCContext *arguments, seL4_ARM_SMCContext *results) {
    Kernel &kernel = Kernel::current();
    const Capability *const found = kernel.invoked(cap);
    if (found == nullptr || !found->is(ObjectKind::smc))
        return seL4_InvalidCapability;
    if (found->badge != 0 && found->badge != arguments->x0)
        return seL4_IllegalOperation;
    *results = *arguments;
    results->x0 = ~arguments->x0; // what the firmware of this machine does
    return seL4_NoError;
}
#endif

} // extern "C"
