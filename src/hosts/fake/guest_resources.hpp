// SPDX-License-Identifier: BSD-2-Clause
//
// What the fake host has for one VM: vCPUs that execute A64 code, in one guest space, on one executor's event port.
#pragma once

#include <hosts/fake/counted_space.hpp>
#include <hosts/fake/guest_cpu.hpp>
#include <hosts/fake/guest_cpu_port.hpp>

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>

#include <array>
#include <memory>

namespace sel4vm::fake {

class GuestResources final : public aarch64::GuestResources {
public:
    static constexpr u32 kMaxVcpus = 128;

    /// All of it outlives this.
    GuestResources(HostBase &host, GuestCpuPort &events, CountedSpace &space)
        : host_(host), events_(events), space_(space) {}

    [[nodiscard]] Allocator &allocator() override { return host_; }
    [[nodiscard]] sel4vm::Log &log() override { return program_log(); }
    [[nodiscard]] sel4vm::Clock &clock() override { return host_.clock; }
    [[nodiscard]] sel4vm::Entropy &entropy() override { return host_.entropy; }
    [[nodiscard]] sel4vm::EventPort &events() override { return events_; }
    [[nodiscard]] GuestSpacePort &space() override { return space_; }
    [[nodiscard]] u32 max_vcpus() const override { return kMaxVcpus; }
    [[nodiscard]] Result<aarch64::VcpuPorts, HostError> create_vcpu(VmId vm, VcpuId id, int priority) override;
    void destroy_vcpu(VcpuId id) override;
    /// The fake machine has any CPU.
    [[nodiscard]] Status<HostError> bind_vcpu(VcpuId id, u32 cpu) override;
    [[nodiscard]] aarch64::GicSupport gic() override { return gic_support(); }
    [[nodiscard]] aarch64::Conduit firmware_conduit() override { return aarch64::Conduit::hvc; }

    /// For whoever asks before there is a VM.
    [[nodiscard]] static aarch64::GicSupport gic_support();

private:
    HostBase &host_;
    GuestCpuPort &events_;
    CountedSpace &space_;
    std::array<std::unique_ptr<GuestCpu>, kMaxVcpus> cpus_; // by number
};

} // namespace sel4vm::fake
