// SPDX-License-Identifier: BSD-2-Clause
//
// What a host has for one VM of an Arm guest: host/guest_resources.hpp, the ports of its vCPUs, and what its interrupt hardware can do.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/ports/gic_port.hpp>
#include <sel4vm/arch/aarch64/ports/gic_support.hpp>
#include <sel4vm/arch/aarch64/ports/vcpu_ports.hpp>
#include <sel4vm/host/guest_resources.hpp>

namespace sel4vm::aarch64 {

class GuestResources : public sel4vm::GuestResources {
public:
    /// The objects of vCPU `id`, which events name by `vm` and `id`; the ports live until destroy_vcpu(). `priority` is of the host's own
    /// scale, and means nothing where that has none. HostErrorKind::invalid: `id` is taken, or not below max_vcpus().
    [[nodiscard]] virtual Result<VcpuPorts, HostError> create_vcpu(VmId vm, VcpuId id, int priority) = 0;
    [[nodiscard]] virtual GicSupport gic() = 0;
    /// With GicSupport::own_controller: makes the controller and places it; once, after all vCPUs were made and before one is reset. It lives as
    /// long as this.
    [[nodiscard]] virtual Result<GicPort *, HostError> make_gic(const GicPlace &place) {
        static_cast<void>(place);
        return Err{HostError{HostErrorKind::not_available}};
    }
    /// The instruction by which guests call their firmware and that always reaches the VMM.
    [[nodiscard]] virtual Conduit firmware_conduit() = 0;

protected:
    ~GuestResources() = default;
};

} // namespace sel4vm::aarch64
