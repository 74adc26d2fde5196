// SPDX-License-Identifier: BSD-2-Clause
//
// What a host has for one VM, and the one thing that it has to offer for it: services, a guest-physical space, an event port, vCPUs. How vCPUs
// are made, and with which ports, is the architecture's part of it (arch/aarch64/ports/guest_resources.hpp). Deliberately nothing of a client's own
// memory or of any client's language: what the C interface wants besides is in capi/binding.hpp.
//
// Threads: one, and it is the executor's that waits on events(); except where a port says otherwise.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/guest_space_port.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm {

class GuestResources {
public:
    // -- services. Allocator, clock and events outlive it; log and entropy live as long as it does
    [[nodiscard]] virtual Allocator &allocator() = 0;
    [[nodiscard]] virtual Log &log() = 0;
    [[nodiscard]] virtual Clock &clock() = 0;
    [[nodiscard]] virtual Entropy &entropy() = 0;
    /// The executor's; VMs that one executor serves share it.
    [[nodiscard]] virtual EventPort &events() = 0;

    /// The VM's own second-stage address space. RAM of the library's comes from its allocate_ram().
    [[nodiscard]] virtual GuestSpacePort &space() = 0;

    // -- vCPUs; create_vcpu() is the architecture's
    /// How many one VM can have here.
    [[nodiscard]] virtual u32 max_vcpus() const = 0;
    /// Whatever it is doing, it never runs again; its ports are gone. Nothing when there is none of this number.
    virtual void destroy_vcpu(VcpuId id) = 0;
    /// Binds a vCPU that was not started to a CPU of the machine. HostErrorKind::invalid: there is no such CPU.
    [[nodiscard]] virtual Status<HostError> bind_vcpu(VcpuId id, u32 cpu) = 0;
    /// Its vCPUs together have `budget_us` of every `period_us` microseconds of their CPU at most, and go before those of VMs of a lower priority
    /// (0 is the ordinary one, 3 the highest). Before a vCPU is made. not_available where the host decides by itself.
    [[nodiscard]] virtual Status<HostError> set_budget(u32 /*priority*/, u32 /*budget_us*/, u32 /*period_us*/) {
        return Err{HostError{HostErrorKind::not_available}};
    }

protected:
    ~GuestResources() = default;
};

} // namespace sel4vm
