// SPDX-License-Identifier: BSD-2-Clause
//
// What this host has for one VM: an address space, vCPUs without list registers, and the kernel's interrupt controller.
#pragma once

#include <hosts/kvm/event_port.hpp>
#include <hosts/kvm/heap.hpp>
#include <hosts/kvm/services.hpp>
#include <hosts/kvm/virtual_machine.hpp>

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>

namespace sel4vm::kvm {

/// What all VMs of the process share.
struct Shared {
    System system;
    Heap heap;
    Log log;
    Clock clock;
    Entropy entropy;
    Mailbox mailbox;

    [[nodiscard]] aarch64::GicSupport gic() const;
};

class GuestResources final : public aarch64::GuestResources, private aarch64::GicPort {
public:
    static constexpr u32 kMaxVcpus = 123; // as many redistributors as fit at one place of the board

    /// A VM whose executor waits on `events`; both outlive it.
    [[nodiscard]] static Result<std::unique_ptr<GuestResources>, HostError> make(Shared &shared, EventPort &events);
    GuestResources(const GuestResources &) = delete;
    GuestResources &operator=(const GuestResources &) = delete;
    ~GuestResources() = default;

    [[nodiscard]] GuestSpace &kvm_space() { return machine_->space(); }

    [[nodiscard]] Allocator &allocator() override { return shared_.heap; }
    [[nodiscard]] sel4vm::Log &log() override { return shared_.log; }
    [[nodiscard]] sel4vm::Clock &clock() override { return shared_.clock; }
    [[nodiscard]] sel4vm::Entropy &entropy() override { return shared_.entropy; }
    [[nodiscard]] sel4vm::EventPort &events() override { return events_; }
    [[nodiscard]] GuestSpacePort &space() override { return machine_->space(); }
    [[nodiscard]] u32 max_vcpus() const override { return std::min(kMaxVcpus, shared_.system.max_vcpus()); }
    [[nodiscard]] Result<aarch64::VcpuPorts, HostError> create_vcpu(VmId vm, VcpuId id, int priority) override;
    void destroy_vcpu(VcpuId id) override { machine_->destroy_vcpu(id); }
    [[nodiscard]] Status<HostError> bind_vcpu(VcpuId id, u32 cpu) override;
    [[nodiscard]] aarch64::GicSupport gic() override { return shared_.gic(); }
    [[nodiscard]] Result<aarch64::GicPort *, HostError> make_gic(const aarch64::GicPlace &place) override;
    [[nodiscard]] aarch64::Conduit firmware_conduit() override { return aarch64::Conduit::hvc; }

private:
    GuestResources(Shared &shared, EventPort &events, std::unique_ptr<VirtualMachine> machine)
        : shared_(shared), events_(events), machine_(std::move(machine)) {}
    // -- GicPort
    void set_wire(u32 intid, aarch64::Wire wire) override;
    void set_private_wire(VcpuId vcpu, u32 intid, aarch64::Wire wire) override;
    void reset() override { machine_->gic().reset(); }

    Shared &shared_;
    EventPort &events_;
    std::unique_ptr<VirtualMachine> machine_;
};

} // namespace sel4vm::kvm
