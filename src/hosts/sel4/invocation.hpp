// SPDX-License-Identifier: BSD-2-Clause
//
// Invocations that are sent instead of called: libsel4's stubs call, and then the kernel writes an answer that says "done". These three
// cannot be refused for a reason that anybody here could act on: capabilities are the library's own and arguments are checked before. Sent
// without blocking, since a capability that is not there would otherwise be a fault of this thread.
#pragma once

#include <hosts/sel4/kernel.hpp>

namespace sel4vm::sel4 {

/// seL4_ARM_VCPU_InjectIRQ: all arguments are in one word.
inline void send_inject_irq(seL4_CPtr vcpu, u32 intid, unsigned priority, unsigned group, unsigned index) {
    seL4_Word packed = u64{intid} | u64{priority} << 16 | u64{group} << 24 | u64{index} << 32;
    seL4_Word unused = 0;
    seL4_NBSendWithMRs(vcpu, seL4_MessageInfo_new(ARMVCPUInjectIRQ, 0, 0, 1), &packed, &unused, &unused, &unused);
}

/// seL4_ARM_VCPU_AckVPPI
inline void send_ack_vppi(seL4_CPtr vcpu, seL4_Word intid) {
    seL4_Word unused = 0;
    seL4_NBSendWithMRs(vcpu, seL4_MessageInfo_new(ARMVCPUAckVPPI, 0, 0, 1), &intid, &unused, &unused, &unused);
}

/// seL4_TCB_WriteRegisters of the first `count` words, without resuming the thread. The first two words come here; those after them
/// are in the IPC buffer from its fifth on.
inline void send_write_registers(seL4_CPtr tcb, unsigned count, seL4_Word first, seL4_Word second) {
    seL4_Word flags = 0;
    seL4_Word words = count;
    seL4_NBSendWithMRs(tcb, seL4_MessageInfo_new(TCBWriteRegisters, 0, 0, 2 + words), &flags, &words, &first, &second);
}

} // namespace sel4vm::sel4
