// SPDX-License-Identifier: BSD-2-Clause
//
// What one VM has from a program's host, with its vCPUs, freed together. Deliberately no VM: that is built from the ports.
//
// Threads: one.
#pragma once

#include <sel4vm/arch/aarch64/ports/program_host.hpp>
#include <sel4vm/base/owned_array.hpp>

#include <span>

namespace sel4vm::program {

class HostObjects {
public:
    HostObjects() = default;
    HostObjects(const HostObjects &) = delete;
    HostObjects &operator=(const HostObjects &) = delete;
    ~HostObjects() { close(); }

    /// `host` outlives this. Once.
    [[nodiscard]] Status<HostError> open(aarch64::ProgramHost &host);
    /// Once it is open.
    [[nodiscard]] aarch64::GuestResources &resources() const { return *resources_; }

    /// vCPUs 0 to `count` - 1 of VM `id`. Once; after an error there are none.
    [[nodiscard]] Status<HostError> make_vcpus(VmId id, u16 count);
    [[nodiscard]] std::span<const aarch64::VcpuPorts> vcpus() const { return ports_.view().first(made_); }
    /// They never run again. Before the VM's memory goes.
    void destroy_vcpus();
    /// Gives everything back before its time; may be called when there is nothing.
    void close();

private:
    aarch64::ProgramHost *host_ = nullptr;
    aarch64::GuestResources *resources_ = nullptr;
    OwnedArray<aarch64::VcpuPorts> ports_;
    u16 made_ = 0;
};

} // namespace sel4vm::program
