// SPDX-License-Identifier: BSD-2-Clause
//
// A vCPU as the kernel has it, behind a few functions, so that what is built on them runs in tests without KVM.
#pragma once

#include <hosts/kvm/arm64_abi.hpp>
#include <hosts/kvm/file.hpp>

namespace sel4vm::kvm {

/// Where a vCPU is after its reset.
enum class PowerOn : u8 {
    running, ///< KVM_RUN executes
    by_psci, ///< KVM_RUN waits until another vCPU calls CPU_ON
};

class KernelVcpu {
public:
    /// KVM_RUN: 0 or an errno.
    [[nodiscard]] virtual int run() = 0;
    /// The page that is shared with the kernel.
    [[nodiscard]] virtual kvm_run &shared() = 0;
    [[nodiscard]] virtual Result<u64, HostError> get(u64 name) = 0;
    [[nodiscard]] virtual Status<HostError> set(u64 name, u64 value) = 0;
    /// Architectural reset state.
    [[nodiscard]] virtual Status<HostError> reset(PowerOn power) = 0;
    /// A synchronous external abort, about the last access, before the next instruction.
    [[nodiscard]] virtual Status<HostError> raise_external_abort() = 0;

protected:
    ~KernelVcpu() = default;
};

/// KVM's own.
class KvmVcpu final : public KernelVcpu {
public:
    KvmVcpu() = default;
    KvmVcpu(const KvmVcpu &) = delete;
    KvmVcpu &operator=(const KvmVcpu &) = delete;
    ~KvmVcpu();

    /// Once. `kvm` is /dev/kvm.
    [[nodiscard]] Status<HostError> open(const File &kvm, const File &vm, u32 number);
    /// Which private interrupts its timers have, before the interrupt controller is initialised.
    [[nodiscard]] Status<HostError> set_timer_interrupts(u32 virtual_timer, u32 physical_timer);

    [[nodiscard]] int run() override;
    [[nodiscard]] kvm_run &shared() override { return *run_; }
    [[nodiscard]] Result<u64, HostError> get(u64 name) override;
    [[nodiscard]] Status<HostError> set(u64 name, u64 value) override;
    [[nodiscard]] Status<HostError> reset(PowerOn power) override;
    [[nodiscard]] Status<HostError> raise_external_abort() override;

private:
    File file_;
    kvm_run *run_ = nullptr;
    usize run_bytes_ = 0;
    abi::VcpuInit init_{};
};

} // namespace sel4vm::kvm
