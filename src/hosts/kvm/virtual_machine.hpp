// SPDX-License-Identifier: BSD-2-Clause
//
// One VM as KVM has it: its memory, its interrupt controller and its vCPUs, in the order in which the kernel wants them made.
//
// Threads: making and destroying from one thread while no vCPU runs.
#pragma once

#include <hosts/kvm/guest_space.hpp>
#include <hosts/kvm/kernel_vcpu.hpp>
#include <hosts/kvm/system.hpp>
#include <hosts/kvm/timer.hpp>
#include <hosts/kvm/vcpu.hpp>

#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/host/services.hpp>

#include <map>
#include <memory>
#include <optional>

namespace sel4vm::kvm {

class VirtualMachine final : private Siblings {
public:
    /// What the guest's interrupts and timers look like.
    struct Interrupts {
        GicLayout gic;
        u32 virtual_timer = aarch64::kTimerIntidVirtual; ///< INTID
        u32 physical_timer = aarch64::kTimerIntidPhysical;
    };

    /// All outlive it.
    [[nodiscard]] static Result<std::unique_ptr<VirtualMachine>, HostError>
    make(const System &system, EventPort &events, sel4vm::Clock &clock);
    VirtualMachine(const VirtualMachine &) = delete;
    VirtualMachine &operator=(const VirtualMachine &) = delete;
    ~VirtualMachine() = default;

    [[nodiscard]] GuestSpace &space() { return space_; }
    [[nodiscard]] Gic &gic() { return gic_; }

    /// A vCPU; events name it by `vm` and `id`. invalid: there is one of this number already.
    [[nodiscard]] Status<HostError> make_vcpu(VmId vm, VcpuId id);
    /// It never runs again. Nothing when there is none.
    void destroy_vcpu(VcpuId id);
    [[nodiscard]] Vcpu &vcpu(VcpuId id) { return *vcpus_.at(id.value())->port; }
    [[nodiscard]] aarch64::TimerPort &timer(VcpuId id) { return vcpus_.at(id.value())->timer; }
    /// The interrupt controller; once, after all vCPUs were made and before one of them runs.
    [[nodiscard]] Status<HostError> connect(const Interrupts &interrupts);

private:
    struct Made {
        explicit Made(sel4vm::Clock &clock) : timer(kernel, clock) {}
        KvmVcpu kernel; // the kernel's is there as long as the VM
        Timer timer;
        std::optional<Vcpu> port; // ends its thread before the kernel's goes
    };

    VirtualMachine(File vm, const System &system, EventPort &events, sel4vm::Clock &clock)
        : system_(system), events_(events), clock_(clock), vm_(std::move(vm)),
          space_(vm_, system.memory_slots(), kAddressBits), gic_(vm_) {}
    void reset_others() override;

    const System &system_;
    EventPort &events_;
    sel4vm::Clock &clock_;
    File vm_;
    GuestSpace space_;
    Gic gic_;
    std::map<u16, std::unique_ptr<Made>> vcpus_; // by number
};

} // namespace sel4vm::kvm
