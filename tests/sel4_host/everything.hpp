// SPDX-License-Identifier: BSD-2-Clause
//
// A client that does everything it can, as far as it gets: for tests that refuse it something, or let it do it again and again.
#pragma once

#include <sel4_host/double/host.hpp>

namespace sel4vm::sel4_double {

/// A host with the devices and the SMC capability that use_everything() wants.
class EverythingHost {
public:
    EverythingHost();
    ~EverythingHost() { vm_host_close(&host); }
    EverythingHost(const EverythingHost &) = delete;
    EverythingHost &operator=(const EverythingHost &) = delete;

    /// Two VMs on one endpoint, every kind of memory, devices, interrupts, a run, a reset, and their end.
    void use_everything();

    [[nodiscard]] Environment &environment() { return environment_of(host); }
    [[nodiscard]] Kernel &kernel() { return environment().kernel; }

    vm_host_t host{};

private:
    void use_memory(vm_t &vm, const seL4_CPtr *frames);
    void use_platform_support(vm_t &vm);
    void run_twice(vm_t &vm, vm_vcpu_t &vcpu);
    seL4_CPtr smc_ = 0;
};

} // namespace sel4vm::sel4_double
