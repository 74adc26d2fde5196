// SPDX-License-Identifier: BSD-2-Clause
//
// The run loop: answer the last event and wait for the next. One executor per host thread or CPU; it serves up to
// kMaxVms VMs, and the vCPUs of one VM may be served by several (LockMode::spin for the VM and for all of them). vm_run() of the C interface
// is inside the one of the VM's endpoint.
#pragma once

#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/timeout.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>
#include <atomic>
#include <optional>
#include <span>

namespace sel4vm {

/// What the program around the executor hears.
class ExecutorListener {
public:
    /// Something outside signalled (console input, a client's own badge). `message`: see Event.
    virtual void notification(u64 badge, u64 message) = 0;
    /// `vm` reached VmState::stopped.
    virtual void vm_stopped(Vm &vm) = 0;
    /// `vm` was reset, perhaps after it had stopped, and runs again.
    virtual void vm_restarted(Vm &vm) { static_cast<void>(vm); }

protected:
    ~ExecutorListener() = default;
};

class Executor final : private TimeoutScheduler {
public:
    static constexpr usize kMaxVms = 16;

    Executor(EventPort &port, Clock &clock, ExecutorListener &listener, LockMode locks = LockMode::none);

    /// The lowest identifier that no VM of this executor has; no value when it is full.
    [[nodiscard]] std::optional<VmId> free_id() const;
    /// False when another VM has its identifier, the identifier is not below kMaxVms, or ServingExecutors::kMax serve it already. From the executor's
    /// own thread, as remove(), and also from inside run(): of its listener, or of an exit.
    [[nodiscard]] bool add(Vm &vm);
    /// Forgets a VM of whose vCPUs none of this executor runs any more. From inside an exit of another VM, not of one of its own; before it is destroyed,
    /// each executor that serves it forgets it.
    void remove(Vm &vm);
    /// Inside of run(): whether an exit of this VM is being answered.
    [[nodiscard]] bool is_serving(const Vm &vm) const {
        return event_.kind == EventKind::exit && vms_[event_.vm.value()] == &vm;
    }
    [[nodiscard]] TimeoutQueue &timeouts() { return timeouts_; }

    /// Returns when every VM has stopped, or the rest is paused and nothing can come from outside. A paused VM that another executor serves,
    /// too, is waited for.
    void run();
    /// run() of the executor of `port`, for a caller that knows its type. One that has a resume_here(), which is resume_and_wait() inline, becomes a part of the
    /// loop, and nothing is kept for a call's sake at each exit (vm/executor_loop.hpp).
    template <class Port>
    void run_on(Port &port);
    /// As run(), but returns when `leave` has become true, too: true then, false where run() would return.
    [[nodiscard]] bool run_until(const bool &leave);
    /// One event; false when run() should return.
    [[nodiscard]] bool step();
    /// Applies the answer to the last event, which otherwise waits for the next step().
    void flush();

private:
    void earliest_changed(u64 deadline_ticks) override;
    void none_left() override;
    /// Gives the last answer, and puts the next one in its place.
    template <class Port>
    [[nodiscard]] bool serve_one(Port &port, Answer &answer);
    [[nodiscard]] bool on_stop(Answer answer);
    [[nodiscard]] bool on_other_event();
    [[nodiscard]] bool settle_all();
    [[nodiscard]] bool on_idle();
    [[nodiscard]] bool waits_for_ever(Vm &vm);
    void say(ServingExecutors::Activity activity);
    void leave_idle();
    [[nodiscard]] bool anything_left() const;
    /// Its VMs, and places without one among them.
    [[nodiscard]] std::span<Vm *const> known() const { return std::span(vms_).first(places_); }

    EventPort &port_;
    Clock &clock_;
    ExecutorListener &listener_;
    TimeoutQueue timeouts_;
    std::array<Vm *, kMaxVms> vms_{}; // by identifier
    usize places_ = 0;                ///< no VM is at this place of vms_ or after it
    Answer answer_ = Answer::none();  ///< while nobody runs us
    Event event_;
    std::atomic<bool> idle_ = false; ///< said so to its VMs
    // Whose exit was served last: most often the next one is of the same vCPU.
    static constexpr u64 kNoSource = ~u64{0}; ///< of no event
    u64 served_source_ = kNoSource;
    Vm *served_vm_ = nullptr;
    Vcpu *served_vcpu_ = nullptr;
};

} // namespace sel4vm
