// SPDX-License-Identifier: BSD-2-Clause
//
// A virtual machine: memory, devices, tables, vCPUs, and the answer to each exit. It owns its parts and nothing
// global; any number of VMs live in one process. Architecture- and host-neutral.
//
// Threads: building (attach, add, set_*) from one thread before start() or while paused. handle() on the executor of
// the vCPU. request_*(), pause(), resume(), stop() and state() from anywhere. See docs/threading.md.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/guest_space_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/address_map.hpp>
#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/fault_policy.hpp>
#include <sel4vm/vm/guest_memory.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/lifecycle.hpp>
#include <sel4vm/vm/vcpu.hpp>

#include <atomic>
#include <string_view>

namespace sel4vm {

struct VmConfig {
    std::string_view name; ///< for messages; must outlive the VM
    VmId id;
    LockMode locks = LockMode::none; ///< spin when several executors share the VM
    ResetPolicy on_reset = ResetPolicy::restart;
};

enum class VcpuError : u8 { too_many, wrong_state };

class Vm {
public:
    static constexpr usize kMaxVcpus = 32;

    Vm(const VmConfig &config, GuestSpacePort &space, Log &log);
    ~Vm();
    Vm(const Vm &) = delete;
    Vm &operator=(const Vm &) = delete;

    // -- identity
    [[nodiscard]] std::string_view name() const { return config_.name; }
    [[nodiscard]] VmId id() const { return config_.id; }
    [[nodiscard]] Log &log() const { return log_; }

    // -- building
    [[nodiscard]] Result<Vcpu *, VcpuError> add_vcpu(VcpuPort &port);
    [[nodiscard]] GuestMemory &memory() { return memory_; }
    [[nodiscard]] AddressMap &map() { return map_; }
    [[nodiscard]] SystemRegisterTable &system_registers() { return system_registers_; }
    [[nodiscard]] HypercallTable &hypercalls() { return hypercalls_; }
    [[nodiscard]] FaultPolicy &policy() { return policy_; }
    void set_irq_chip(IrqChip *chip) { irq_chip_ = chip; }
    [[nodiscard]] IrqChip *irq_chip() const { return irq_chip_; }
    void set_mistake_handler(MistakeHandler *handler) { mistake_handler_ = handler; }
    void set_lifecycle_hooks(LifecycleHooks *hooks) { hooks_ = hooks; }

    /// RAM or ROM that overlaps neither other memory nor a device.
    [[nodiscard]] Status<RegionError> add_memory(GpaRange range, RegionKind kind, Clearing clearing = Clearing::cleared);
    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);

    // -- vCPUs
    [[nodiscard]] usize vcpu_count() const { return vcpus_.size(); }
    [[nodiscard]] Vcpu &vcpu(VcpuId id) { return vcpus_[id.value()]; }
    [[nodiscard]] bool has_vcpu(VcpuId id) const { return id.value() < vcpus_.size(); }

    enum class PowerOn : u8 { done, already_on, on_pending, wrong_state };
    /// Resets a vCPU that is off and lets it run from `entry` (PSCI CPU_ON; the boot vCPU through start()).
    [[nodiscard]] PowerOn power_on(Vcpu &vcpu, u64 entry, u64 argument);
    /// The calling vCPU turns itself off; its handler then answers with what this returns.
    [[nodiscard]] Answer power_off(Vcpu &vcpu);

    // -- lifecycle
    /// Calls the hooks' prepare_boot and starts the boot vCPU.
    [[nodiscard]] Status<LifecycleError> start();
    [[nodiscard]] Status<LifecycleError> pause();
    [[nodiscard]] Status<LifecycleError> resume();
    /// Restarts from the hooks' first state; also from stopped.
    [[nodiscard]] Status<LifecycleError> reset();
    void stop(StopReason reason);
    [[nodiscard]] VmState state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] StopReason stop_reason() const { return stop_reason_; }
    /// A sentence about the stop for people, or empty.
    [[nodiscard]] std::string_view stop_detail() const { return stop_detail_.view(); }
    /// Ends the VM because of something the guest did, with a sentence that says what.
    void stop_because(StopReason reason, std::string_view detail);

    // -- running
    /// Answers one exit. Called by the executor.
    [[nodiscard]] Answer handle(Vcpu &vcpu, const Exit &exit);
    /// Performs a reset or completes a pause or stop once every vCPU is parked. The executor calls it after handle()
    /// when state() is not running.
    void settle();

private:
    friend class Executor;
    [[nodiscard]] Answer dispatch(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_memory(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_device(Vcpu &vcpu, const Exit &exit, AddressMap::Slot &slot);
    [[nodiscard]] Answer on_ram(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_system_register(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_hypercall(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_wait(Vcpu &vcpu, const WaitExit &wait);
    [[nodiscard]] Answer mistake(Vcpu &vcpu, Mistake what, const Exit &exit);
    [[nodiscard]] Answer after(Vcpu &vcpu, Answer answer);
    void request(VmState state);
    [[nodiscard]] bool all_parked() const;

    VmConfig config_;
    Log &log_;
    GuestMemory memory_;
    AddressMap map_;
    SystemRegisterTable system_registers_;
    HypercallTable hypercalls_;
    FaultPolicy policy_;
    IrqChip *irq_chip_ = nullptr;
    MistakeHandler *mistake_handler_ = nullptr;
    LifecycleHooks *hooks_ = nullptr;
    FixedVector<Vcpu, kMaxVcpus> vcpus_;
    Mutex lifecycle_lock_;
    std::atomic<VmState> state_{VmState::built};
    StopReason stop_reason_ = StopReason::none;
    Text<160> stop_detail_;
};

} // namespace sel4vm
