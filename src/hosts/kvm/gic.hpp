// SPDX-License-Identifier: BSD-2-Clause
//
// The interrupt controller that KVM has for a VM. It delivers by itself: what is left to us is where it lies, the wires of devices, and its
// state after a reset, since the kernel resets it with nothing but the VM.
//
// Threads: lines from any thread; init() while the VM is built, reset() while no vCPU runs.
#pragma once

#include <hosts/kvm/file.hpp>

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::kvm {

using aarch64::GicVersion;

struct GicLayout {
    GicVersion version = GicVersion::v3;
    u32 spi_count = 32; ///< a multiple of 32
    Gpa distributor{0x0800'0000};
    Gpa other{0x080a'0000}; ///< CPU interface (version 2), or redistributors
};

class Gic {
public:
    /// Whether the kernel can give a VM this version here.
    [[nodiscard]] static bool is_available(const File &vm, GicVersion version);

    /// `vm` outlives this.
    explicit Gic(const File &vm) : vm_(vm) {}

    /// Makes the controller, before the vCPUs run. not_available: the machine cannot run this version.
    [[nodiscard]] Status<HostError> create(GicVersion version);
    /// Once, after the vCPUs were made, `vcpu_count` of them.
    [[nodiscard]] Status<HostError> init(const GicLayout &layout, u32 vcpu_count);
    [[nodiscard]] bool is_ready() const { return vcpu_count_ > 0; }

    /// The wire of a shared interrupt, INTID 32 and up.
    void set_level(u32 intid, bool high);
    /// The wire of a private peripheral interrupt, INTID 16 to 31.
    void set_private_level(u32 vcpu, u32 intid, bool high);

    /// Power-on state.
    void reset();

private:
    [[nodiscard]] Status<HostError> set(u32 group, u64 what, u64 value);
    [[nodiscard]] Status<HostError> set_word(u32 group, u64 what, u32 value);
    void reset_distributor();
    void reset_private(u32 vcpu);
    void reset_cpu_interface(u32 vcpu);
    void write_line(u32 line, bool high);

    const File &vm_;
    File device_;
    GicVersion version_ = GicVersion::v3;
    u32 spi_count_ = 0;
    u32 vcpu_count_ = 0;
};

} // namespace sel4vm::kvm
