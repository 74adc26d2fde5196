// SPDX-License-Identifier: BSD-2-Clause
//
// Messages of the host's own making to what is no endpoint: a thread's registers, and what it sends to VCPU objects without waiting for
// an answer. Nobody hears why such a one is refused, so that is a violation.
#include <sel4_host/double/kernel.hpp>

using namespace sel4vm;
using namespace sel4vm::sel4_double;

namespace {

/// Word `i` of the caller's message: the first four are in registers.
struct CallersMessage {
    seL4_Word *mr[4];
    seL4_Word &operator[](usize i) const { return i < 4 ? *mr[i] : Kernel::current().buffer.msg[i]; }
};

seL4_Error read_registers(const Tcb &thread, const CallersMessage &message, seL4_Word length, seL4_Word &count) {
    if (length < 2)
        return seL4_TruncatedMessage;
    count = message[1];
    if (count < 1 || count > Tcb::kRegisters)
        return seL4_RangeError;
    for (usize i = 0; i < count; ++i)
        message[i] = thread.registers[i];
    return seL4_NoError;
}

seL4_Error write_registers(Tcb &thread, const CallersMessage &message, seL4_Word length) {
    constexpr usize kArguments = 2;
    if (length < kArguments || length - kArguments < message[1])
        return seL4_TruncatedMessage;
    if ((message[0] & 1) != 0)
        Kernel::current().violate("registers are written and the thread is resumed at once");
    for (usize i = 0; i < message[1] && i < Tcb::kRegisters; ++i) {
        if (i == Tcb::kPstate)
            thread.set_pstate(message[i + kArguments]);
        else
            thread.registers[i] = message[i + kArguments];
    }
    return seL4_NoError;
}

seL4_Error registers_call(Tcb &thread, seL4_MessageInfo_t tag, const CallersMessage &message, seL4_Word &words) {
    Kernel &kernel = Kernel::current();
    if (thread.state == Tcb::State::running && !thread.forges)
        kernel.violate("registers of a thread that runs");
    const seL4_Word length = seL4_MessageInfo_get_length(tag);
    if (seL4_MessageInfo_get_label(tag) == TCBReadRegisters)
        return read_registers(thread, message, length, words);
    if (seL4_MessageInfo_get_label(tag) == TCBWriteRegisters)
        return write_registers(thread, message, length);
    return seL4_IllegalOperation;
}

seL4_Error inject(seL4_CPtr cap, seL4_Word packed) {
    return seL4_ARM_VCPU_InjectIRQ(cap, static_cast<seL4_Uint16>(packed), static_cast<seL4_Uint8>(packed >> 16),
                                   static_cast<seL4_Uint8>(packed >> 24), static_cast<seL4_Uint8>(packed >> 32));
}

} // namespace

extern "C" {

seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *mr0, seL4_Word *mr1,
                                    seL4_Word *mr2, seL4_Word *mr3) {
    Kernel &kernel = Kernel::current();
    Tcb *const thread = kernel.invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_MessageInfo_new(seL4_InvalidCapability, 0, 0, 0);
    seL4_Word words = 0;
    const seL4_Error error = registers_call(*thread, tag, {{mr0, mr1, mr2, mr3}}, words);
    if (error != 0)
        kernel.violate("a call on registers that the kernel refuses");
    return seL4_MessageInfo_new(static_cast<seL4_Word>(error), 0, 0, error != 0 ? 0 : words);
}

void seL4_NBSendWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
                        seL4_Word *mr3) {
    Kernel &kernel = Kernel::current();
    const Capability *const found = kernel.slot(cap);
    seL4_Error error = seL4_IllegalOperation;
    if (found != nullptr && found->is(ObjectKind::tcb)) {
        seL4_Word words = 0;
        error = registers_call(*kernel.invoked_as<Tcb>(cap), tag, {{mr0, mr1, mr2, mr3}}, words);
    } else if (seL4_MessageInfo_get_length(tag) == 1) { // of a VCPU, and the calls below know what is one
        if (seL4_MessageInfo_get_label(tag) == ARMVCPUInjectIRQ)
            error = inject(cap, *mr0);
        else if (seL4_MessageInfo_get_label(tag) == ARMVCPUAckVPPI)
            error = seL4_ARM_VCPU_AckVPPI(cap, *mr0);
    }
    if (error != 0)
        kernel.violate("an invocation without an answer that the kernel refuses");
}

} // extern "C"
