// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/guest_capabilities.hpp>

namespace sel4vm::sel4 {

Status<HostError> GuestCapabilities::create(vka_t &vka, usize max_vcpus) {
    vka_ = &vka;
    bits_ = guest_cspace_bits(max_vcpus);
    return node_.allocate(vka, seL4_CapTableObject, bits_);
}

seL4_Word GuestCapabilities::root_data() const { return seL4_CNode_CapData_new(0, seL4_WordBits - bits_).words[0]; }

Status<HostError> GuestCapabilities::install_fault_endpoint(seL4_CPtr endpoint, seL4_Word slot, seL4_Word badge) {
    constexpr seL4_Word kGrantReply = 1;
    constexpr seL4_Word kWrite = 1;
    if (slot == 0 || slot >> bits_ != 0)
        return Err{HostError{HostErrorKind::invalid}};
    cspacepath_t from{};
    vka_cspace_make_path(vka_, endpoint, &from);
    const int error =
        seL4_CNode_Mint(node_.cap(), slot, static_cast<seL4_Uint8>(bits_), from.root, from.capPtr,
                        static_cast<seL4_Uint8>(from.capDepth), seL4_CapRights_new(kGrantReply, 0, 0, kWrite), badge);
    if (error != 0)
        return Err{host_error(error)};
    return Ok{};
}

void GuestCapabilities::remove(seL4_Word slot) {
    static_cast<void>(seL4_CNode_Delete(cap(), slot, static_cast<seL4_Uint8>(bits_)));
}

Status<HostError> VcpuThread::allocate(vka_t &vka) {
    vka_ = &vka;
    if (auto done = tcb_.allocate(vka, seL4_TCBObject, seL4_TCBBits); !done)
        return done;
#ifdef CONFIG_KERNEL_MCS
    return context_.allocate(vka, seL4_SchedContextObject, seL4_MinSchedContextBits);
#else
    return Ok{};
#endif
}

#ifdef CONFIG_KERNEL_MCS

// The kernel takes the endpoint from the VMM's own space, so the guest cannot name it.
Status<HostError> VcpuThread::configure(simple_t &simple, GuestCapabilities &capabilities, seL4_CPtr space,
                                        const FaultRoute &route, int priority) {
    if (!fault_endpoint_.allocate(*vka_))
        return Err{out_of_memory()};
    cspacepath_t from{};
    vka_cspace_make_path(vka_, route.endpoint, &from);
    const cspacepath_t to = fault_endpoint_.path();
    if (const int error = vka_cnode_mint(&to, &from, seL4_AllRights, route.badge); error != 0)
        return Err{host_error(error)};
    if (auto done = bind_to(simple, 0); !done)
        return done;
    if (const int error = seL4_TCB_Configure(tcb_.cap(), capabilities.cap(), capabilities.root_data(), space, 0, 0, 0);
        error != 0)
        return Err{host_error(error)};
    const auto level = static_cast<seL4_Word>(priority);
    if (const int error = seL4_TCB_SetSchedParams(tcb_.cap(), simple_get_tcb(&simple), level, level, context_.cap(),
                                                  fault_endpoint_.cap());
        error != 0)
        return Err{host_error(error)};
    return Ok{};
}

Status<HostError> VcpuThread::bind_to(simple_t &simple, int target_cpu) {
    const seL4_CPtr control = simple_get_sched_ctrl(&simple, target_cpu);
    if (const int error =
            seL4_SchedControl_Configure(control, context_.cap(), share_.budget_us, share_.period_us, 0, 0);
        error != 0)
        return Err{host_error(error)};
    control_ = control;
    return Ok{};
}

Status<HostError> VcpuThread::set_share(const CpuShare &share) {
    if (const int error = seL4_SchedControl_Configure(control_, context_.cap(), share.budget_us, share.period_us, 0, 0);
        error != 0)
        return Err{host_error(error)};
    share_ = share;
    return Ok{};
}

#else

Status<HostError> VcpuThread::configure(simple_t &simple, GuestCapabilities &capabilities, seL4_CPtr space,
                                        const FaultRoute &route, int priority) {
    if (auto done = capabilities.install_fault_endpoint(route.endpoint, route.slot, route.badge); !done)
        return done;
    capabilities_ = &capabilities;
    slot_ = route.slot;
    if (const int error =
            seL4_TCB_Configure(tcb_.cap(), route.slot, capabilities.cap(), capabilities.root_data(), space, 0, 0, 0);
        error != 0)
        return Err{host_error(error)};
    // It sets nobody's priority, so its own limit is the lowest.
    if (const int error =
            seL4_TCB_SetSchedParams(tcb_.cap(), simple_get_tcb(&simple), 0, static_cast<seL4_Word>(priority));
        error != 0)
        return Err{host_error(error)};
    return Ok{};
}

Status<HostError> VcpuThread::bind_to(simple_t &, [[maybe_unused]] int target_cpu) {
#if CONFIG_MAX_NUM_NODES > 1
    if (const int error = seL4_TCB_SetAffinity(tcb_.cap(), static_cast<seL4_Word>(target_cpu)); error != 0)
        return Err{host_error(error)};
#endif
    return Ok{};
}

Status<HostError> VcpuThread::set_share(const CpuShare &) { return Err{HostError{HostErrorKind::not_available}}; }

#endif

// The thread goes before what it runs with.
VcpuThread::~VcpuThread() {
    if (capabilities_ != nullptr)
        capabilities_->remove(slot_);
    fault_endpoint_.reset();
    tcb_.reset();
}

} // namespace sel4vm::sel4
