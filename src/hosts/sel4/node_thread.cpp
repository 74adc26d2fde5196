// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/node_thread.hpp>

// It has no stack and no IPC buffer: everything is in registers, which the kernel leaves alone but for x0 to x5. The call; then x8, the one who
// waits for it, is signalled; then it waits for x16. x17 and x18 are the numbers of these two system calls, and x29 is the result.
#if defined(__aarch64__)
asm(R"(
    .pushsection .text.sel4vm_node_thread, "ax", %progbits
    .balign 4
    .global sel4vm_node_thread
    .type sel4vm_node_thread, %function
sel4vm_node_thread:
    svc #0
    mov x29, x2
    mov x0, x8
    mov x1, #0
    mov x7, x17
    svc #0
1:  mov x0, x16
    mov x7, x18
    svc #0
    b 1b
    .size sel4vm_node_thread, . - sel4vm_node_thread
    .popsection
)");
#endif

namespace sel4vm::sel4 {

namespace {

constexpr seL4_Word kHighest = 255;
#ifdef CONFIG_KERNEL_MCS
constexpr seL4_Word kWait = static_cast<seL4_Word>(seL4_SysWait);
#else
constexpr seL4_Word kWait = static_cast<seL4_Word>(seL4_SysRecv);
#endif

} // namespace

NodeThread::~NodeThread() {
    if (tcb_)
        static_cast<void>(seL4_TCB_Suspend(tcb_.cap()));
}

int NodeThread::schedule(simple_t &simple, u32 cpu, int priority) {
    const auto set = [&](seL4_Word level) {
#ifdef CONFIG_KERNEL_MCS
        return seL4_TCB_SetSchedParams(tcb_.cap(), simple_get_tcb(&simple), 0, level, context_.cap(), seL4_CapNull);
#else
        return seL4_TCB_SetSchedParams(tcb_.cap(), simple_get_tcb(&simple), 0, level);
#endif
    };
#ifdef CONFIG_KERNEL_MCS
    constexpr u64 kTurnMicroseconds = 10'000;
    if (const int error = seL4_SchedControl_Configure(simple_get_sched_ctrl(&simple, static_cast<int>(cpu)),
                                                      context_.cap(), kTurnMicroseconds, kTurnMicroseconds, 0, 0);
        error != 0)
        return error;
#elif CONFIG_MAX_NUM_NODES > 1
    if (const int error = seL4_TCB_SetAffinity(tcb_.cap(), cpu); error != 0)
        return error;
#else
    static_cast<void>(cpu);
#endif
    const int error = set(kHighest);
    return error == seL4_RangeError ? set(static_cast<seL4_Word>(priority)) : error;
}

Status<HostError> NodeThread::create(vka_t &vka, simple_t &simple, seL4_CPtr vspace, u32 cpu, int priority) {
    SEL4VM_TRY(done_.allocate(vka, seL4_NotificationObject, seL4_NotificationBits));
    SEL4VM_TRY(never_.allocate(vka, seL4_NotificationObject, seL4_NotificationBits));
#ifdef CONFIG_KERNEL_MCS
    SEL4VM_TRY(context_.allocate(vka, seL4_SchedContextObject, seL4_MinSchedContextBits));
#endif
    SEL4VM_TRY(tcb_.allocate(vka, seL4_TCBObject, seL4_TCBBits));
    registers_.bind(tcb_.cap());
    cspacepath_t path{};
    vka_cspace_make_path(&vka, tcb_.cap(), &path);
    // It names what the VMM names, by the same root.
#ifdef CONFIG_KERNEL_MCS
    const int error = seL4_TCB_Configure(tcb_.cap(), path.root, 0, vspace, 0, 0, 0);
#else
    const int error = seL4_TCB_Configure(tcb_.cap(), seL4_CapNull, path.root, 0, vspace, 0, 0, 0);
#endif
    if (error != 0)
        return Err{host_error(error)};
    if (const int refused = schedule(simple, cpu, priority); refused != 0)
        return Err{host_error(refused)};
    return Ok{};
}

u64 NodeThread::call(seL4_CPtr cap, seL4_Word label, seL4_Word length, seL4_Word first, seL4_Word second) {
    std::array<u64, kRegisterWords> &words = registers_.words();
    words = {};
    // SAFETY: the address of code, for a register.
    words[kWordPc] = reinterpret_cast<u64>(&sel4vm_node_thread);
    words[word_of_x(0)] = cap;
    words[word_of_x(1)] = seL4_MessageInfo_new(label, 0, 0, length).words[0];
    words[word_of_x(2)] = first;
    words[word_of_x(3)] = second;
    words[word_of_x(7)] = static_cast<seL4_Word>(seL4_SysCall);
    words[word_of_x(8)] = done_.cap();
    words[word_of_x(16)] = never_.cap();
    words[word_of_x(17)] = static_cast<seL4_Word>(seL4_SysSend);
    constexpr unsigned kLast = word_of_x(18);
    registers_.begin_with(kLast);
    registers_.set(kLast, kWait);
    registers_.flush();
    static_cast<void>(seL4_TCB_Resume(tcb_.cap()));
    seL4_Wait(done_.cap(), nullptr);
    registers_.begin();
    return registers_.get(word_of_x(29));
}

u64 NodeThread::read(seL4_CPtr vcpu, seL4_VCPUReg which) {
    return call(vcpu, ARMVCPUReadReg, 1, static_cast<seL4_Word>(which), 0);
}

void NodeThread::write(seL4_CPtr vcpu, seL4_VCPUReg which, u64 value) {
    static_cast<void>(call(vcpu, ARMVCPUWriteReg, 2, static_cast<seL4_Word>(which), value));
}

void NodeThread::erase(const cspacepath_t &slot) {
    static_cast<void>(call(slot.root, CNodeDelete, 2, slot.capPtr, slot.capDepth));
}

} // namespace sel4vm::sel4
