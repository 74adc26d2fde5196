// SPDX-License-Identifier: BSD-2-Clause
//
// Calls on threads, and on what lets them run.
#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/node_thread.hpp>

namespace sel4vm::sel4_double {

namespace {

/// The thread's spaces, where both capabilities may be used for that.
seL4_Error set_spaces(Tcb &thread, seL4_CNode cspace, seL4_Word data, seL4_CPtr vspace) {
    Kernel &kernel = Kernel::current();
    const Capability *const node = kernel.slot(cspace);
    const Capability *const space = kernel.slot(vspace);
    if (node == nullptr || !node->is(ObjectKind::cnode) || space == nullptr || !space->is(ObjectKind::vspace) ||
        space->asid == 0)
        return seL4_IllegalOperation;
    Capability root(*node->object());
    root.guard_bits = data == 0 ? node->guard_bits : static_cast<unsigned>(data & 63);
    if (root.guard_bits + root.as<CNode>()->radix > seL4_WordBits)
        return seL4_IllegalOperation;
    if (data >> 6 != 0)
        kernel.violate("a guard that is not 0");
    if (kernel.refusals.call())
        return seL4_InvalidCapability;
    thread.cspace = std::move(root);
    thread.vspace = Capability(*space->object());
    thread.vspace.asid = space->asid;
    return seL4_NoError;
}

seL4_Error set_priority(Tcb &thread, seL4_CPtr authority, seL4_Word max_priority, seL4_Word priority) {
    const Capability *const found = Kernel::current().slot(authority);
    const Tcb *const limit = found == nullptr ? nullptr : found->as<Tcb>();
    if (limit == nullptr)
        return seL4_InvalidCapability;
    if (max_priority > limit->max_priority || priority > limit->max_priority)
        return seL4_RangeError;
    if (Kernel::current().refusals.call())
        return seL4_InvalidCapability;
    thread.max_priority = max_priority;
    thread.priority = priority;
    return seL4_NoError;
}

[[maybe_unused]] bool may_handle_faults(const Capability &cap) {
    return cap.is(ObjectKind::endpoint) && cap.allows(kWrite) && (cap.rights & (kGrant | kGrantReply)) != 0;
}

} // namespace

} // namespace sel4vm::sel4_double

using namespace sel4vm;
using namespace sel4vm::sel4_double;

extern "C" {

#ifdef CONFIG_KERNEL_MCS

seL4_Error seL4_TCB_Configure(seL4_TCB cap, seL4_CNode cspace, seL4_Word cspace_data, seL4_CPtr vspace, seL4_Word,
                              seL4_Word, seL4_CPtr) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    return thread == nullptr ? int{seL4_InvalidCapability} : set_spaces(*thread, cspace, cspace_data, vspace);
}

seL4_Error seL4_TCB_SetSchedParams(seL4_TCB cap, seL4_TCB authority, seL4_Word max_priority, seL4_Word priority,
                                   seL4_CPtr context, seL4_CPtr fault_endpoint) {
    Kernel &kernel = Kernel::current();
    Tcb *const thread = kernel.invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_InvalidCapability;
    const Capability *const found = kernel.slot(context);
    SchedContext *const sc = found == nullptr ? nullptr : found->as<SchedContext>();
    if (sc == nullptr)
        return seL4_InvalidCapability;
    if (sc->thread != nullptr || thread->context != nullptr)
        return seL4_IllegalOperation;
    const Capability *const handler = kernel.slot(fault_endpoint);
    if (fault_endpoint != seL4_CapNull && (handler == nullptr || !may_handle_faults(*handler)))
        return seL4_InvalidCapability;
    if (const seL4_Error error = set_priority(*thread, authority, max_priority, priority); error != 0)
        return error;
    thread->context = sc;
    thread->affinity = sc->cpu;
    sc->thread = thread;
    if (fault_endpoint != seL4_CapNull)
        thread->fault_endpoint = Capability(*handler->object(), handler->rights, handler->badge);
    return seL4_NoError;
}

seL4_Error seL4_SchedControl_Configure(seL4_SchedControl cap, seL4_SchedContext context, seL4_Time budget,
                                       seL4_Time period, seL4_Word, seL4_Word) {
    Kernel &kernel = Kernel::current();
    const SchedControl *const control = kernel.invoked_as<SchedControl>(cap);
    if (control == nullptr)
        return seL4_InvalidCapability;
    const Capability *const found = kernel.slot(context);
    SchedContext *const sc = found == nullptr ? nullptr : found->as<SchedContext>();
    if (sc == nullptr)
        return seL4_InvalidCapability;
    if (budget == 0 || budget > period)
        return seL4_RangeError;
    if (kernel.refusals.call())
        return seL4_InvalidCapability;
    constexpr u64 kTicksPerMicrosecond = 125; // two of them
    sc->configure(budget * kTicksPerMicrosecond / 2, period * kTicksPerMicrosecond / 2, kernel.clock.now_ticks());
    sc->cpu = control->cpu;
    if (sc->thread != nullptr)
        sc->thread->affinity = control->cpu;
    return seL4_NoError;
}

#else

seL4_Error seL4_TCB_Configure(seL4_TCB cap, seL4_CPtr fault_endpoint, seL4_CNode cspace, seL4_Word cspace_data,
                              seL4_CPtr vspace, seL4_Word, seL4_Word, seL4_CPtr) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_InvalidCapability;
    const seL4_Error error = set_spaces(*thread, cspace, cspace_data, vspace);
    if (error == 0)
        thread->fault_handler = fault_endpoint;
    return error;
}

seL4_Error seL4_TCB_SetSchedParams(seL4_TCB cap, seL4_TCB authority, seL4_Word max_priority, seL4_Word priority) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    return thread == nullptr ? int{seL4_InvalidCapability} : set_priority(*thread, authority, max_priority, priority);
}

seL4_Error seL4_TCB_SetAffinity(seL4_TCB cap, seL4_Word node) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_InvalidCapability;
    if (node >= CONFIG_MAX_NUM_NODES)
        return seL4_IllegalOperation;
    if (Kernel::current().refusals.call())
        return seL4_InvalidCapability;
    thread->affinity = node;
    return seL4_NoError;
}

#endif

seL4_Error seL4_TCB_Suspend(seL4_TCB cap) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_InvalidCapability;
    thread->cancel_ipc();
    thread->state = Tcb::State::inactive;
    return seL4_NoError;
}

// A thread that runs is left alone; one that waits for anything does not wait any more.
seL4_Error seL4_TCB_Resume(seL4_TCB cap) {
    Tcb *const thread = Kernel::current().invoked_as<Tcb>(cap);
    if (thread == nullptr)
        return seL4_InvalidCapability;
    if (thread->state != Tcb::State::running)
        thread->cancel_ipc();
    thread->state = Tcb::State::running;
    if (is_node_thread(*thread))
        run_node_thread(*thread);
    return seL4_NoError;
}

seL4_Error seL4_TCB_BindNotification(seL4_TCB cap, seL4_CPtr notification) {
    Kernel &kernel = Kernel::current();
    Tcb *const thread = kernel.invoked_as<Tcb>(cap);
    const Capability *const found = kernel.slot(notification);
    Notification *const bound = found == nullptr ? nullptr : found->as<Notification>();
    if (thread == nullptr || bound == nullptr || !found->allows(kRead))
        return seL4_InvalidCapability;
    if (thread->notification != nullptr || bound->bound != nullptr)
        return seL4_IllegalOperation;
    thread->notification = bound;
    bound->bound = thread;
    return seL4_NoError;
}

} // extern "C"
