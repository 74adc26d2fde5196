// SPDX-License-Identifier: BSD-2-Clause
//
// What this host has for one VM: threads with VCPU objects whose faults go to one EndpointPort, in one guest space. Deliberately not the owner of either:
// VMs of one endpoint share the first, and a client's view of the second is somebody else's.
//
// Threads: the executor's.
#pragma once

#include <hosts/sel4/endpoint_port.hpp>
#include <hosts/sel4/guest_capabilities.hpp>
#include <hosts/sel4/guest_space.hpp>

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>

#include <array>

namespace sel4vm::sel4 {

/// What it is made from; all of it outlives it.
struct GuestParts {
    vka_t &vka;
    simple_t &simple;
    Allocator &allocator;
    Log &log;
    Clock &clock;
    Entropy &entropy;
    EndpointPort &endpoint;
    GuestSpace &space;
    u32 max_vcpus;             ///< at most GuestResources::kMaxVcpus
    seL4_Word first_badge = 0; ///< of its vCPUs on the endpoint; 0: the endpoint's choice
};

class GuestResources final : public aarch64::GuestResources {
public:
    /// Those of set_budget(): each is one more of the kernel's than the ordinary VMs have.
    static constexpr u32 kPriorities = 4;
    /// As many as a VM can have anywhere: their threads share the CPUs that there are.
    static constexpr u32 kMaxVcpus = 128;
    static_assert(kMaxVcpus <= EndpointPort::kMaxVcpus);

    explicit GuestResources(const GuestParts &parts) : parts_(parts) {}
    ~GuestResources() = default;
    GuestResources(const GuestResources &) = delete;
    GuestResources &operator=(const GuestResources &) = delete;

    /// Once the space has been made; call once, before anything else.
    [[nodiscard]] Status<HostError> create() { return capabilities_.create(parts_.vka, parts_.max_vcpus); }

    [[nodiscard]] Allocator &allocator() override { return parts_.allocator; }
    [[nodiscard]] Log &log() override { return parts_.log; }
    [[nodiscard]] Clock &clock() override { return parts_.clock; }
    [[nodiscard]] Entropy &entropy() override { return parts_.entropy; }
    [[nodiscard]] EventPort &events() override { return parts_.endpoint; }
    [[nodiscard]] GuestSpacePort &space() override { return parts_.space; }
    [[nodiscard]] u32 max_vcpus() const override { return parts_.max_vcpus; }
    [[nodiscard]] Result<aarch64::VcpuPorts, HostError> create_vcpu(VmId vm, VcpuId id, int priority) override;
    void destroy_vcpu(VcpuId id) override;
    [[nodiscard]] Status<HostError> bind_vcpu(VcpuId id, u32 cpu) override;
    /// On a kernel with MCS. Each vCPU has an equal part of the budget, whether or not the others use theirs.
    [[nodiscard]] Status<HostError> set_budget(u32 priority, u32 budget_us, u32 period_us) override;
    [[nodiscard]] aarch64::GicSupport gic() override;
    // An HVC whose x7 is the number of a system call is that call.
    [[nodiscard]] aarch64::Conduit firmware_conduit() override { return aarch64::Conduit::smc; }

    // -- what a client may see of it
    [[nodiscard]] const GuestCapabilities &capabilities() const { return capabilities_; }
    /// Of one that create_vcpu() has made.
    [[nodiscard]] const VcpuThread &thread(VcpuId id) const { return vcpus_[id.value()]->thread; }
    [[nodiscard]] Vcpu &vcpu(VcpuId id) { return *vcpus_[id.value()]->vcpu; }

private:
    struct Made {
        VcpuThread thread; // outlives its vCPU
        Owned<Vcpu> vcpu;
        int priority = 0;
    };
    [[nodiscard]] Status<HostError> make(Made &made, VmId vm, VcpuId id);
    [[nodiscard]] bool has(VcpuId id) const { return id.value() < vcpus_.size() && vcpus_[id.value()]; }
    [[nodiscard]] Status<HostError> share_budget();

    GuestParts parts_;
    GuestCapabilities capabilities_;
    std::array<Owned<Made>, kMaxVcpus> vcpus_; // by number
    u32 made_ = 0;                             // how many of them there are
    u32 priority_ = 0;                         // above the ordinary
    CpuShare budget_{0, 0};                    // of all together; 0: there is no such limit
};

} // namespace sel4vm::sel4
