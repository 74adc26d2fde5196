// SPDX-License-Identifier: BSD-2-Clause
//
// A virtual machine: memory, devices, tables, vCPUs, and the answer to each exit. It owns its parts and nothing
// global; any number of VMs live in one process. Architecture- and host-neutral.
//
// Threads: building (add, set_*) from one thread before start() or while paused. handle() on the executor of
// the vCPU. pause(), reset(), stop() and state() from anywhere; start(), resume(), release() and power_on() from anywhere but a device's handler. See
// docs/threading.md.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/object_vector.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/host/architecture.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/guest_space_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/address_map.hpp>
#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/fault_policy.hpp>
#include <sel4vm/vm/guest_memory.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/irq_delivery.hpp>
#include <sel4vm/vm/lifecycle.hpp>
#include <sel4vm/vm/serving_executors.hpp>
#include <sel4vm/vm/vcpu.hpp>

#include <atomic>
#include <optional>
#include <string_view>

namespace sel4vm {

/// Which vCPUs run from the start.
enum class StartedVcpus : u8 {
    boot, ///< the first; the others when power_on() is called for them
    all,  ///< every one: their host holds back those that the guest has not started, and tells nobody
};

struct VmConfig {
    std::string_view name; ///< for messages; must outlive the VM
    VmId id;
    LockMode locks = LockMode::none; ///< spin when several executors share the VM
    ResetPolicy on_reset = ResetPolicy::restart;
    StartedVcpus started = StartedVcpus::boot;
    const Architecture *architecture =
        nullptr; ///< for messages and refused calls; nullptr: numbers, and an instruction fault
};

enum class VcpuError : u8 { too_many, wrong_state, out_of_memory };

class VcpuWork;

class Vm {
public:
    static constexpr usize kMaxVcpus = 128;

    Vm(const VmConfig &config, GuestSpacePort &space, Allocator &allocator, Log &log);
    Vm(const Vm &) = delete;
    Vm &operator=(const Vm &) = delete;

    // -- identity
    [[nodiscard]] std::string_view name() const { return config_.name; }
    [[nodiscard]] VmId id() const { return config_.id; }
    [[nodiscard]] Log &log() const { return log_; }

    // -- building
    /// They are numbered in the order of these calls. wrong_state: the VM was started; too_many: more than kMaxVcpus.
    [[nodiscard]] Result<Vcpu *, VcpuError> add_vcpu(VcpuPort &port);
    [[nodiscard]] GuestMemory &memory() { return memory_; }
    [[nodiscard]] const AddressMap &map() const { return map_; }
    [[nodiscard]] SystemRegisterTable &system_registers() { return system_registers_; }
    [[nodiscard]] HypercallTable &hypercalls() { return hypercalls_; }
    [[nodiscard]] FaultPolicy &policy() { return policy_; }
    /// `delivery`: nullptr where the host delivers interrupts by itself. Both outlive the VM.
    void set_interrupts(IrqRouter &router, IrqDelivery *delivery) {
        irq_router_ = &router;
        irq_delivery_ = delivery;
    }
    [[nodiscard]] IrqRouter *irq_router() const { return irq_router_; }
    void set_mistake_handler(MistakeHandler *handler) { mistake_handler_ = handler; }
    void set_lifecycle_hooks(LifecycleHooks *hooks) { hooks_ = hooks; }
    /// Who does its devices' work at the end of exits; outlives the VM's last one.
    void set_device_work(VcpuWork *work) { work_ = work; }
    /// Other VMs may raise an interrupt of it: one that only waits for that is not given up while one of them is its client's to start or to resume.
    void set_rung_by_others() { rung_by_others_ = true; }
    [[nodiscard]] bool is_rung_by_others() const { return rung_by_others_; }

    /// RAM or ROM that overlaps neither other memory nor a device; start and size are multiples of 4 KiB. RAM is zero unless `clearing` says
    /// otherwise.
    [[nodiscard]] Status<RegionError> add_memory(GpaRange range, RegionKind kind,
                                                 Clearing clearing = Clearing::cleared);
    /// ROM that the guest reads without an exit, before a device: see RegionKind::rom_device. The device outlives the VM.
    [[nodiscard]] Status<RegionError> add_rom_device(GpaRange range, MmioDevice &device);
    /// A block of the caller's as RAM or ROM; see GuestMemory::adopt().
    [[nodiscard]] Status<RegionError> adopt_memory(GpaRange range, const RamBlock &block, RegionKind kind);

    // -- what is on the buses: from any thread, also while vCPUs run and from inside a device's handler; with LockMode::none from the executor, or
    // from whoever has paused the VM
    /// Puts a device, or a callback, at a range of any alignment that overlaps nothing. It outlives the VM, or see detach(). One device may
    /// have several ranges; its lock is one.
    [[nodiscard]] Status<AttachError> attach(GpaRange range, MmioDevice &device);
    [[nodiscard]] Status<AttachError> reserve(GpaRange range, ReservationHandler &handler);
    /// What starts at `base` answers at `to` from now on. As with detach(), a vCPU on another executor may reach it at the old place once more.
    [[nodiscard]] Status<AttachError> move(Gpa base, GpaRange to);
    /// Takes away what starts at `base`; false: nothing does. A vCPU on another executor may be inside, or enter once more at its next exit: whoever
    /// destroys the device, or gives its callback up, waits until detached_are_unused().
    [[nodiscard]] bool detach(Gpa base);
    /// Whether nobody can be inside anything that was detached or moved before this call: no vCPU, and no reset of the devices. At once where one
    /// executor asks outside of both; otherwise within two exits of each vCPU that runs, one of which detach() has asked for.
    [[nodiscard]] bool detached_are_unused();
    /// I/O ports [first, first + count), on architectures that have some: another space of addresses. wrong_state: the VM was started; overlap: also
    /// behind the last of the 65,536 ports, or none.
    [[nodiscard]] Status<AttachError> attach_ports(u16 first, u32 count, MmioDevice &device);

    // -- vCPUs
    [[nodiscard]] usize vcpu_count() const { return vcpus_.size(); }
    [[nodiscard]] Vcpu &vcpu(VcpuId id) { return vcpus_[id.value()]; }

    enum class PowerOn : u8 { done, already_on, on_pending, wrong_state };
    /// Bits of a system register that a started vCPU has from the one that starts it, which is inside an exit, and not from its reset.
    struct Inherited {
        Vcpu &from;
        u32 system_register;
        u64 mask;
    };
    /// Resets a vCPU that is off and lets it run from `start` (PSCI CPU_ON; the boot vCPU through Vm::start()). wrong_state: the VM does not run.
    [[nodiscard]] PowerOn power_on(Vcpu &vcpu, const VcpuStart &start, const std::optional<Inherited> &inherited = {});
    /// The calling vCPU sleeps without power until an interrupt waits for it, whatever its CPU interface lets through, and then goes on from
    /// `start` as if it had been started, but with its timers as they are (PSCI CPU_SUSPEND and SYSTEM_SUSPEND); its handler answers with what this
    /// returns. Of `system_register` the bits of `mask` stay.
    [[nodiscard]] Answer power_down(Vcpu &vcpu, const VcpuStart &start, u32 system_register, u64 mask);
    /// The calling vCPU turns itself off; its handler then answers with what this returns. When it was the last one, the
    /// VM stops: nobody could ever start one again.
    [[nodiscard]] Answer power_off(Vcpu &vcpu);

    /// A handler may hold its vCPU by an answer with Next::stop: it waits for release(), at the same instruction when the
    /// answer is retry. Pausing and stopping the VM go on meanwhile; resuming it releases the vCPU, too.
    [[nodiscard]] bool is_held(const Vcpu &vcpu) const;
    [[nodiscard]] bool any_held() const;
    /// False when it is not held.
    [[nodiscard]] bool release(Vcpu &vcpu);

    // -- lifecycle: requests, from any thread; settle() carries them out
    /// Calls the hooks' prepare_boot and starts the boot vCPU. When that takes more than one step, the VM is `starting` on return,
    /// and its executor does the rest.
    [[nodiscard]] Status<LifecycleError> start();
    [[nodiscard]] Status<LifecycleError> pause();
    /// Also takes back a pause that was asked for and is not carried out yet; the VM passes through paused all the same.
    [[nodiscard]] Status<LifecycleError> resume();
    /// Restarts from the hooks' first state; also from paused and stopped. An executor of the VM that runs carries it out, or runs next.
    [[nodiscard]] Status<LifecycleError> reset();
    void stop(StopReason reason) { stop_because(reason, {}); }
    /// As stop(), with a sentence for people that says why.
    void stop_because(StopReason reason, std::string_view detail);
    /// The guest asked for a reset: restarts or stops, as VmConfig::on_reset says.
    void guest_requested_reset();

    [[nodiscard]] VmState state() const { return state_.load(std::memory_order_acquire); }
    /// Why it stopped; meaningful in VmState::stopping and stopped.
    [[nodiscard]] StopReason stop_reason() const { return stop_reason_; }
    [[nodiscard]] std::string_view stop_detail() const { return stop_detail_.view(); }

    // -- running: what an executor calls
    /// Answers one exit.
    [[nodiscard]] Answer handle(Vcpu &vcpu, const Exit &exit);
    /// The same as a part of its caller (vm/dispatch.hpp).
    [[nodiscard]] Answer handle_here(Vcpu &vcpu, const Exit &exit);
    /// The port has applied an answer with Next::stop.
    void parked(Vcpu &vcpu);
    /// The boot vCPU has the turn that it asked for: a step of the boot that is under way.
    void turn();
    enum class Settled : u8 {
        nothing,   ///< that the program around the VM would hear of
        restarted, ///< a reset is done, and it runs
        stopped,   ///< it has reached VmState::stopped
    };
    /// Completes a requested pause, reset or stop, or a boot, once every vCPU is parked and what it takes is done; otherwise
    /// does nothing. An executor calls it after a vCPU was parked, and after each event that is no exit.
    [[nodiscard]] Settled settle();
    [[nodiscard]] ServingExecutors &executors() { return executors_; }
    /// Whether a vCPU that runs was woken and has not been served since; false while no executor does anything means that it waits for ever.
    [[nodiscard]] bool any_woken() const;

private:
    [[nodiscard]] Answer dispatch(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_other(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer settle_answer(Vcpu &vcpu, Answer answer);
    [[nodiscard]] bool run_errands(Vcpu &vcpu, u8 errands, Answer answer);
    [[nodiscard]] Answer sleep_on(Vcpu &vcpu, Answer answer);
    [[nodiscard]] bool wake_up(Vcpu &vcpu);
    [[nodiscard]] Answer on_memory(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_device(Vcpu &vcpu, const Exit &exit, const MapSlot &slot, u64 offset);
    [[nodiscard]] Answer on_port(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_ram(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_system_register(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_hypercall(Vcpu &vcpu, const Exit &exit);
    [[nodiscard]] Answer on_wait(Vcpu &vcpu, const WaitExit &wait);
    [[nodiscard]] Answer on_irq_service(Vcpu &vcpu, const IrqServiceExit &service);
    [[nodiscard, gnu::noinline, gnu::cold]] Answer mistake(Vcpu &vcpu, Mistake what, const Exit &exit);
    [[nodiscard]] Answer respond(Vcpu &vcpu, Mistake what, const Exit &exit);
    [[nodiscard, gnu::noinline, gnu::cold]] Answer cannot_map(const Vcpu &vcpu, const MemoryExit &memory);
    [[nodiscard]] Text<240> describe_mistake(const Vcpu &vcpu, Mistake what, const Exit &exit);
    [[nodiscard]] bool is_stuck(const Vcpu &vcpu, Mistake what, const Exit &exit) const;
    void report(Vcpu &vcpu, Mistake what, const Exit &exit);
    [[nodiscard]] bool request(VmState from, VmState to);
    [[nodiscard]] bool all_parked() const;
    void kick_all();
    [[nodiscard]] Settled settle_locked() SEL4VM_REQUIRES(lifecycle_lock_);
    void make_vcpus_leave();
    [[nodiscard]] bool leave_at_once(Vcpu &vcpu);
    void leave_map(Vcpu &vcpu);
    void enter_map(Vcpu &vcpu);
    void reset_machine();
    void prepare_boot(BootCall call) SEL4VM_REQUIRES(lifecycle_lock_);
    void boot(VmState from) SEL4VM_REQUIRES(lifecycle_lock_);
    void run_from_reset(Vcpu &vcpu);
    void enter_from_reset(Vcpu &vcpu);
    static void inherit(Vcpu &vcpu, u32 system_register, u64 mask, const Result<u64, HostError> &value);
    void run_again(Vcpu &vcpu);
    void reset_system_registers(Vcpu &vcpu);

    // What every exit needs first: offsets that one instruction reaches.
    std::atomic<VmState> state_{VmState::built};
    IrqDelivery *irq_delivery_ = nullptr;
    HypercallTable hypercalls_;
    SystemRegisterTable system_registers_;
    AddressMap map_;
    Owned<AddressMap> ports_; ///< made with the first of them
    Allocator &allocator_;
    VmConfig config_;
    Log &log_;
    GuestMemory memory_;
    FaultPolicy policy_;
    MistakeHandler *mistake_handler_ = nullptr;
    LifecycleHooks *hooks_ = nullptr;
    IrqRouter *irq_router_ = nullptr;
    ObjectVector<Vcpu, kMaxVcpus> vcpus_;
    Mutex lifecycle_lock_;
    std::atomic<u32> reports_left_ = 16;      // a guest must not be able to flood the log
    std::atomic<bool> resume_wanted_ = false; ///< as soon as the pause that is under way is there
    bool rung_by_others_ = false;
    VcpuWork *work_ = nullptr;
    std::optional<BootStep> boot_; ///< the last step of the boot that is under way
    ServingExecutors executors_;
    Mutex stop_lock_; ///< held by whoever moves the state to stopping, and of what says why
    StopReason stop_reason_ = StopReason::none;
    Text<240> stop_detail_;
};

} // namespace sel4vm
