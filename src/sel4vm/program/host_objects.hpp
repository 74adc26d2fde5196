// SPDX-License-Identifier: BSD-2-Clause
//
// What one VM has from the linked host: an address space, vCPUs, and the services that every binding gives. Deliberately no VM: that is
// built from the ports. The C interface's structures are here only because bindings are opened for them.
//
// Threads: one.
#pragma once

#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/capi/binding.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/host.h>

namespace sel4vm::program {

class HostObjects {
public:
    HostObjects() = default;
    HostObjects(const HostObjects &) = delete;
    HostObjects &operator=(const HostObjects &) = delete;
    ~HostObjects() { close(); }

    /// `environment` and `peer`, which shares its endpoint, outlive this. Once.
    [[nodiscard]] Status<HostError> open(vm_host_t &environment, HostObjects *peer,
                                         const capi::BindingOptions &options = {});
    /// Once it is open.
    [[nodiscard]] capi::Binding &binding() const { return *binding_; }

    /// vCPUs 0 to `count` - 1 of VM `id`. Once; after an error there are none.
    [[nodiscard]] Status<HostError> make_vcpus(VmId id, u16 count);
    [[nodiscard]] std::span<const machine::VcpuPorts> vcpus() const { return ports_.view().first(made_); }
    /// They never run again. Before the VM's memory goes.
    void destroy_vcpus();
    /// Gives everything back before its time; may be called when there is nothing.
    void close();

private:
    vm_t c_{};
    capi::Binding *binding_ = nullptr;
    OwnedArray<vm_vcpu_t> c_vcpus_;
    OwnedArray<machine::VcpuPorts> ports_;
    usize made_ = 0;
    int priority_ = 0;
};

} // namespace sel4vm::program
