// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/node_thread.hpp>

#include <hosts/sel4/node_thread.hpp>

#include <sel4_host/double/kernel.hpp>

#if !defined(__aarch64__)
// Only its address counts.
void sel4vm_node_thread() {}
#endif

namespace sel4vm::sel4_double {

namespace {

u64 call(u64 cap, seL4_MessageInfo_t tag, u64 first, u64 second) {
    switch (seL4_MessageInfo_get_label(tag)) {
    case ARMVCPUReadReg: return seL4_ARM_VCPU_ReadRegs(cap, static_cast<seL4_VCPUReg>(first)).value;
    case ARMVCPUWriteReg: seL4_ARM_VCPU_WriteRegs(cap, static_cast<seL4_VCPUReg>(first), second); return 0;
    case CNodeDelete: seL4_CNode_Delete(cap, first, static_cast<seL4_Uint8>(second)); return 0;
    default: Kernel::current().violate("a call on another CPU that is none"); return 0;
    }
}

} // namespace

bool is_node_thread(const Tcb &thread) {
    // SAFETY: the address of code, as the thread's register has it.
    return thread.vcpu == nullptr && thread.registers[Tcb::kPc] == reinterpret_cast<u64>(&sel4vm_node_thread);
}

void run_node_thread(Tcb &thread) {
    Kernel &kernel = Kernel::current();
    const auto x = [&](unsigned n) -> u64 & { return thread.registers[word_of_x(n)]; };
    if (!thread.runs() || thread.vspace.object() == nullptr || thread.cspace.object() != kernel.root)
        kernel.violate("a thread for calls on another CPU that cannot make them");
    if (x(7) != static_cast<u64>(seL4_SysCall) || x(17) != static_cast<u64>(seL4_SysSend))
        kernel.violate("a system call that is none");
    const u64 callers = std::exchange(kernel.node, thread.affinity);
    x(29) = call(x(0), {{x(1)}}, x(2), x(3));
    seL4_Signal(x(8));
    kernel.node = callers;
    if (const Capability *const never = kernel.slot(x(16)); never == nullptr || !never->is(ObjectKind::notification))
        kernel.violate("a thread for calls on another CPU does not wait");
    thread.state = Tcb::State::inactive;
}

} // namespace sel4vm::sel4_double
