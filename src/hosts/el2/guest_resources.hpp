// SPDX-License-Identifier: BSD-2-Clause
//
// What this host has for one VM: vCPUs of one Processor, in one guest space. Deliberately not the owner of either: VMs of one executor share the
// first, and a program may put something of its own before the second.
//
// Threads: the executor's.
#pragma once

#include <hosts/el2/host.hpp>
#include <hosts/el2/vcpu/processor.hpp>
#include <hosts/el2/vcpu/vcpu.hpp>

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>

#include <array>

namespace sel4vm::el2 {

/// What it is made from; all of it outlives it.
struct GuestParts {
    Host &host;
    Log &log;
    Processor &processor;
    EventPort &events; ///< the processor's, or what stands before it
    GuestSpace &space;
    GuestSpacePort &space_port; ///< the space's, or what stands before it
};

class GuestResources final : public aarch64::GuestResources {
public:
    static constexpr u32 kMaxVcpus = 128;

    explicit GuestResources(const GuestParts &parts) : parts_(parts) {}
    /// Its vCPUs never run again.
    ~GuestResources() = default;
    GuestResources(const GuestResources &) = delete;
    GuestResources &operator=(const GuestResources &) = delete;

    [[nodiscard]] Allocator &allocator() override { return parts_.host.heap(); }
    [[nodiscard]] Log &log() override { return parts_.log; }
    [[nodiscard]] Clock &clock() override { return parts_.host.clock(); }
    [[nodiscard]] Entropy &entropy() override { return parts_.host.entropy(); }
    [[nodiscard]] EventPort &events() override { return parts_.events; }
    [[nodiscard]] GuestSpacePort &space() override { return parts_.space_port; }
    [[nodiscard]] u32 max_vcpus() const override { return kMaxVcpus; }
    [[nodiscard]] Result<aarch64::VcpuPorts, HostError> create_vcpu(VmId vm, VcpuId id, int priority) override;
    void destroy_vcpu(VcpuId id) override;
    /// One CPU runs all vCPUs, whatever the caller takes the machine's CPUs for.
    [[nodiscard]] Status<HostError> bind_vcpu(VcpuId, u32) override { return Ok{}; }
    [[nodiscard]] Status<HostError> set_budget(u32 priority, u32 budget_us, u32 period_us) override;
    [[nodiscard]] aarch64::GicSupport gic() override { return gic_support(parts_.host, parts_.processor); }
    [[nodiscard]] aarch64::Conduit firmware_conduit() override { return aarch64::Conduit::hvc; }

    /// One that create_vcpu() has made.
    [[nodiscard]] Vcpu &vcpu(VcpuId id) const { return *vcpus_[id.value()]; }

    /// For whoever asks before there is a VM.
    [[nodiscard]] static aarch64::GicSupport gic_support(Host &host, const Processor &processor);

private:
    GuestParts parts_;
    VmShare share_;
    std::array<Owned<Vcpu>, kMaxVcpus> vcpus_; // by number
};

} // namespace sel4vm::el2
