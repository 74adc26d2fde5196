// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest's threads can name: a small CNode with the fault endpoints (the kernel finds them there, beside MCS) and the
// services that the client puts in; and the threads themselves.
#pragma once

#include <hosts/sel4/capabilities.hpp>

namespace sel4vm::sel4 {

/// The guest's CNode: the first of its fault endpoints, one for each vCPU, and its size with what is left for a client's services.
/// (guest_vm_arch.h of the C interface says the same.)
inline constexpr seL4_Word kFaultEndpointSlot = 1;
constexpr unsigned guest_cspace_bits(usize vcpu_count) {
    constexpr usize kNotVcpus = 8; // the null slot, one that was the library's in libsel4vm, six services
    unsigned bits = 4;
    while (usize{1} << bits < vcpu_count + kNotVcpus)
        ++bits;
    return bits;
}

class GuestCapabilities {
public:
    [[nodiscard]] Status<HostError> create(vka_t &vka, usize max_vcpus);
    [[nodiscard]] const vka_object_t &object() const { return node_.object(); }
    [[nodiscard]] seL4_CPtr cap() const { return node_.cap(); }
    [[nodiscard]] seL4_Word root_data() const;
    /// The fault endpoint: send, and grant its own reply capability; nothing that could carry more.
    [[nodiscard]] Status<HostError> install_fault_endpoint(seL4_CPtr endpoint, seL4_Word slot, seL4_Word badge);
    void remove(seL4_Word slot);

private:
    vka_t *vka_ = nullptr;
    unsigned bits_ = 0; ///< its size
    OwnedObject node_;
};

/// Where the faults of a thread go.
struct FaultRoute {
    seL4_CPtr endpoint = 0;
    seL4_Word badge = 0;
    seL4_Word slot = 0; ///< in the guest's CNode
};

/// How much of its CPU a thread has: `budget_us` of every `period_us` microseconds. As much as there is: a turn of 10 ms among its equals.
struct CpuShare {
    u64 budget_us = 10'000;
    u64 period_us = 10'000;
};

/// The thread of one vCPU.
class VcpuThread {
public:
    VcpuThread() = default;
    VcpuThread(const VcpuThread &) = delete;
    VcpuThread &operator=(const VcpuThread &) = delete;
    ~VcpuThread();
    [[nodiscard]] Status<HostError> allocate(vka_t &vka);
    [[nodiscard]] Status<HostError> configure(simple_t &simple, GuestCapabilities &capabilities, seL4_CPtr space,
                                              const FaultRoute &route, int priority);
    /// Which it goes on with when it is bound anew; the kernel knows budgets with MCS only.
    [[nodiscard]] Status<HostError> set_share(const CpuShare &share);
    [[nodiscard]] Status<HostError> bind_to(simple_t &simple, int target_cpu);
    [[nodiscard]] seL4_CPtr tcb() const { return tcb_.cap(); }
    [[nodiscard]] const vka_object_t &object() const { return tcb_.object(); }
    /// MCS: what runs it, and what a client gives a share of the CPU that it is bound to with; else nothing.
    [[nodiscard]] const vka_object_t &scheduling_context() const { return context_.object(); }
    [[nodiscard]] seL4_CPtr scheduling_control() const { return control_; }

private:
    vka_t *vka_ = nullptr;
    GuestCapabilities *capabilities_ = nullptr;
    seL4_Word slot_ = 0;
    OwnedObject tcb_;
    OwnedObject context_;    ///< MCS
    CpuShare share_;         ///< MCS
    seL4_CPtr control_ = 0;  ///< MCS: of the CPU that it is bound to
    CapSlot fault_endpoint_; ///< MCS: in the VMM's own space
};

} // namespace sel4vm::sel4
