// SPDX-License-Identifier: BSD-2-Clause
//
// State changes of a VM. A request only moves the state word and kicks the vCPUs, so it may come from a device handler
// that holds its lock; settle() does the work on an executor, outside all locks but the lifecycle's.
#include <sel4vm/vm/lifecycle.hpp>

#include <sel4vm/vm/vcpu_work.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm {

const char *to_string(StopReason reason) {
    switch (reason) {
    case StopReason::none: return "none";
    case StopReason::powered_off: return "powered off";
    case StopReason::reset: return "reset";
    case StopReason::client: return "stopped by the client";
    case StopReason::guest_error: return "guest error";
    case StopReason::guest_crash: return "guest crash";
    case StopReason::host_error: return "host error";
    }
    return "?";
}

const char *to_string(VmState state) {
    switch (state) {
    case VmState::built: return "built";
    case VmState::starting: return "starting";
    case VmState::running: return "running";
    case VmState::pausing: return "pausing";
    case VmState::paused: return "paused";
    case VmState::resetting: return "resetting";
    case VmState::stopping: return "stopping";
    case VmState::stopped: return "stopped";
    }
    return "?";
}

bool Vm::request(VmState from, VmState to) {
    if (!state_.compare_exchange_strong(from, to, std::memory_order_seq_cst))
        return false;
    kick_all();
    return true;
}

void Vm::kick_all() {
    for (Vcpu &vcpu : vcpus_) {
        static_cast<void>(vcpu.request_sync());
        if (!vcpu.is_parked())
            vcpu.port().kick();
    }
    // Nobody who parks will settle it. One that is parking now, and is not seen here, sees the request.
    if (!vcpus_.empty() && all_parked())
        vcpus_[0].port().request_turn();
    // An executor may have no vCPU to be kicked, and yet be the one that settles it.
    executors_.wake_all();
}

bool Vm::all_parked() const {
    for (const Vcpu &vcpu : vcpus_) {
        if (!vcpu.is_parked())
            return false;
    }
    return true;
}

void Vm::parked(Vcpu &vcpu) {
    if (vcpu.is_asleep() && wake_up(vcpu))
        return;
    // All of it before anybody can see that it is off, and start it again.
    if (vcpu.power_state() == PowerState::off_pending) {
        if (irq_delivery_ != nullptr)
            irq_delivery_->turned_off(vcpu);
        if (hooks_ != nullptr)
            hooks_->turned_off(vcpu);
        if (work_ != nullptr)
            work_->leaving(vcpu);
    }
    vcpu.parked_.store(true, std::memory_order_seq_cst);
    PowerState leaving = PowerState::off_pending; // not when the VM has been reset since
    static_cast<void>(vcpu.power_.compare_exchange_strong(leaving, PowerState::off, std::memory_order_acq_rel));
}

void Vm::prepare_boot(BootCall call) {
    boot_ = hooks_ != nullptr ? hooks_->prepare_boot(*this, call) : BootStep::failed();
    if (boot_->kind() == BootStep::Kind::more)
        vcpus_[0].port().request_turn();
}

void Vm::turn() {
    LockGuard guard(lifecycle_lock_);
    const VmState now = state();
    // Otherwise a stop was asked for in the meantime.
    if ((now == VmState::starting || now == VmState::resetting) && boot_ && boot_->kind() == BootStep::Kind::more)
        prepare_boot(BootCall::next);
}

void Vm::boot(VmState from) {
    const VcpuStart start = boot_->start();
    boot_.reset();
    const usize started = config_.started == StartedVcpus::all ? vcpus_.size() : 1;
    for (usize n = 0; n < started; ++n)
        vcpus_[n].port().reset(start);
    // Fails when somebody asked for a stop in the meantime: then nothing starts, and settle() stops.
    if (!state_.compare_exchange_strong(from, VmState::running, std::memory_order_acq_rel))
        return;
    for (usize n = 0; n < started; ++n)
        run_from_reset(vcpus_[n]);
}

void Vm::run_from_reset(Vcpu &vcpu) {
    if (irq_delivery_ != nullptr)
        irq_delivery_->turned_on(vcpu);
    if (hooks_ != nullptr)
        hooks_->entering(vcpu);
    enter_from_reset(vcpu);
}

void Vm::enter_from_reset(Vcpu &vcpu) {
    static_cast<void>(vcpu.request_sync()); // it has something to do, whichever executor has it
    enter_map(vcpu);
    vcpu.power_.store(PowerState::on, std::memory_order_release);
    vcpu.port().resume();
    // A request that kicked the others just before this one ran must reach it, too.
    if (state() != VmState::running) {
        static_cast<void>(vcpu.request_sync());
        vcpu.port().kick();
    }
}

void Vm::reset_system_registers(Vcpu &vcpu) {
    system_registers_.for_each([&](SystemRegisterHandler &handler) { handler.reset_vcpu(vcpu); });
}

Status<LifecycleError> Vm::start() {
    if (state() != VmState::built)
        return Err{LifecycleError::wrong_state}; // as resume()
    LockGuard guard(lifecycle_lock_);
    if (state() != VmState::built)
        return Err{LifecycleError::wrong_state};
    if (vcpus_.empty())
        return Err{LifecycleError::no_vcpu};
    prepare_boot(BootCall::first);
    VmState expected = VmState::built;
    switch (boot_->kind()) {
    case BootStep::Kind::ready: boot(VmState::built); break;
    case BootStep::Kind::more:
        // Fails when somebody asked for a stop in the meantime.
        static_cast<void>(state_.compare_exchange_strong(expected, VmState::starting, std::memory_order_acq_rel));
        break;
    case BootStep::Kind::failed: boot_.reset(); return Err{LifecycleError::failed};
    }
    return Ok{};
}

Status<LifecycleError> Vm::pause() {
    if (state() == VmState::running)
        resume_wanted_.store(false, std::memory_order_seq_cst); // of a pause that a stop or a reset has overtaken
    else if ((state() == VmState::pausing || state() == VmState::paused) && resume_wanted_.exchange(false))
        return Ok{}; // the pause that is under way, or has just been carried out, holds after all
    if (!request(VmState::running, VmState::pausing))
        return Err{LifecycleError::wrong_state};
    return Ok{};
}

Status<LifecycleError> Vm::resume() {
    if (state() == VmState::pausing) {
        if (resume_wanted_.exchange(true))
            return Err{LifecycleError::wrong_state}; // it is taken back already
        // Either settle() sees this, or it has been there already.
        if (state() == VmState::pausing || !resume_wanted_.exchange(false))
            return Ok{};
    }
    // A handler of the VM's own devices holds their lock, which comes after this one's; but then the VM is not paused.
    if (state() != VmState::paused)
        return Err{LifecycleError::wrong_state};
    LockGuard guard(lifecycle_lock_);
    if (state() != VmState::paused)
        return Err{LifecycleError::wrong_state};
    // Nothing runs yet, so the hooks may still change what the vCPUs will see.
    if (hooks_ != nullptr)
        hooks_->resuming(*this);
    VmState expected = VmState::paused;
    if (!state_.compare_exchange_strong(expected, VmState::running, std::memory_order_acq_rel))
        return Err{LifecycleError::wrong_state};
    for (Vcpu &vcpu : vcpus_) {
        if (vcpu.power_state() == PowerState::on)
            run_again(vcpu);
    }
    return Ok{};
}

void Vm::run_again(Vcpu &vcpu) {
    // Interrupts may have arrived while it was held.
    static_cast<void>(vcpu.request_sync());
    enter_map(vcpu);
    vcpu.port().resume();
    vcpu.port().kick();
}

bool Vm::is_held(const Vcpu &vcpu) const {
    return state() == VmState::running && vcpu.is_parked() && vcpu.power_state() == PowerState::on;
}

bool Vm::any_woken() const {
    for (const Vcpu &vcpu : vcpus_) {
        if (!vcpu.is_parked() && vcpu.sync_requested())
            return true;
    }
    return false;
}

bool Vm::any_held() const {
    for (const Vcpu &vcpu : vcpus_) {
        if (is_held(vcpu))
            return true;
    }
    return false;
}

bool Vm::release(Vcpu &vcpu) {
    if (!is_held(vcpu))
        return false; // as resume()
    LockGuard guard(lifecycle_lock_);
    if (!is_held(vcpu))
        return false;
    run_again(vcpu);
    // As in run_from_reset().
    if (state() != VmState::running)
        vcpu.port().kick();
    return true;
}

Status<LifecycleError> Vm::reset() {
    if (vcpus_.empty())
        return Err{LifecycleError::no_vcpu};
    if (request(VmState::running, VmState::resetting) || request(VmState::paused, VmState::resetting) ||
        request(VmState::stopped, VmState::resetting))
        return Ok{};
    return Err{LifecycleError::wrong_state};
}

void Vm::guest_requested_reset() {
    if (config_.on_reset == ResetPolicy::restart && hooks_ != nullptr) {
        // Refused when a stop, pause or other reset is on its way already; that one wins.
        static_cast<void>(reset());
        return;
    }
    stop(StopReason::reset);
}

void Vm::stop_because(StopReason reason, std::string_view detail) {
    {
        LockGuard guard(stop_lock_);
        VmState now = state();
        if (now == VmState::stopping || now == VmState::stopped)
            return;
        // Before anybody can see that it stops, and ask why.
        stop_reason_ = reason;
        stop_detail_.clear();
        stop_detail_ << detail;
        while (!state_.compare_exchange_weak(now, VmState::stopping, std::memory_order_seq_cst)) {
        }
    }
    kick_all();
}

Vm::Settled Vm::settle() {
    if (state_.load(std::memory_order_seq_cst) == VmState::running || !all_parked())
        return Settled::nothing;
    lifecycle_lock_.lock();
    // Again, with the lock that keeps vCPUs from being started: meanwhile it may have run and have been asked for another change.
    const Settled settled = all_parked() ? settle_locked() : Settled::nothing;
    lifecycle_lock_.unlock();
    if (state() == VmState::paused && resume_wanted_.exchange(false))
        static_cast<void>(resume()); // refused when somebody stopped or reset it in between
    if (settled == Settled::restarted && hooks_ != nullptr)
        hooks_->restarted(*this);
    return settled;
}

/// All but memory.
void Vm::reset_machine() {
    for (Vcpu &vcpu : vcpus_) {
        vcpu.power_.store(PowerState::off, std::memory_order_release);
        static_cast<void>(vcpu.take_sync_request());
        static_cast<void>(vcpu.errands_.fetch_and(u8{0xff} ^ Vcpu::kAsleep, std::memory_order_relaxed));
        reset_system_registers(vcpu);
    }
    map_.reset_devices();
    if (ports_)
        ports_->reset_devices();
    if (irq_router_ != nullptr)
        irq_router_->reset();
    LockGuard guard(stop_lock_);
    if (state() != VmState::stopping) // otherwise it was stopped meanwhile, for a reason
        stop_reason_ = StopReason::none;
}

Vm::Settled Vm::settle_locked() {
    VmState expected = VmState::pausing;
    if (state_.compare_exchange_strong(expected, VmState::paused, std::memory_order_acq_rel)) {
        if (hooks_ != nullptr)
            hooks_->paused(*this);
        return Settled::nothing;
    }
    if (expected == VmState::starting || expected == VmState::resetting) {
        if (!boot_) {
            reset_machine();
            prepare_boot(BootCall::first);
        }
        if (boot_->kind() == BootStep::Kind::more)
            return Settled::nothing;
        if (boot_->kind() == BootStep::Kind::ready) {
            boot(expected);
            if (state() == VmState::running)
                return expected == VmState::resetting ? Settled::restarted : Settled::nothing;
        }
        stop_because(StopReason::host_error, "the guest's images could not be loaded");
        expected = VmState::stopping;
    }
    if (expected != VmState::stopping)
        return Settled::nothing;
    boot_.reset();
    const StopReason reason = stop_reason_; // from now on it may be reset, and stopped for another
    state_.store(VmState::stopped, std::memory_order_release);
    executors_.wake_all();
    if (hooks_ != nullptr)
        hooks_->stopped(*this, reason);
    return Settled::stopped;
}

/// A register that the host cannot reach stays as it is.
void Vm::inherit(Vcpu &vcpu, u32 system_register, u64 mask, const Result<u64, HostError> &value) {
    const auto own = vcpu.port().system_register(system_register);
    if (value && own)
        static_cast<void>(vcpu.port().set_system_register(system_register, (*own & ~mask) | (*value & mask)));
}

Vm::PowerOn Vm::power_on(Vcpu &vcpu, const VcpuStart &start, const std::optional<Inherited> &inherited) {
    LockGuard guard(lifecycle_lock_);
    if (state() != VmState::running)
        return PowerOn::wrong_state;
    PowerState expected = PowerState::off;
    if (!vcpu.power_.compare_exchange_strong(expected, PowerState::on_pending, std::memory_order_acq_rel))
        return expected == PowerState::on_pending ? PowerOn::on_pending : PowerOn::already_on;
    vcpu.port().reset(start);
    reset_system_registers(vcpu);
    if (inherited)
        inherit(vcpu, inherited->system_register, inherited->mask,
                inherited->from.port().system_register(inherited->system_register));
    run_from_reset(vcpu);
    return PowerOn::done;
}

Answer Vm::power_down(Vcpu &vcpu, const VcpuStart &start, u32 system_register, u64 mask) {
    vcpu.wake_up_ = {start, system_register, mask};
    static_cast<void>(vcpu.errands_.fetch_or(Vcpu::kAsleep, std::memory_order_relaxed));
    static_cast<void>(vcpu.request_sync()); // the end of this exit looks whether it wakes up at once
    return Answer::complete().then(Next::block);
}

/// The end of an exit of a vCPU that is asleep: of the call, or because of something that could wake it.
[[gnu::noinline, gnu::cold]] Answer Vm::sleep_on(Vcpu &vcpu, Answer answer) {
    const bool runs = state() == VmState::running;
    if (!runs)
        static_cast<void>(vcpu.request_sync());
    if (!runs || (irq_delivery_ != nullptr && irq_delivery_->has_wake_up(vcpu)))
        return answer.then(Next::stop); // parked() goes on
    // An interrupt that came since then has asked, and kicks it.
    static_cast<void>(vcpu.needs_sync_.fetch_or(Vcpu::kEveryExit, std::memory_order_seq_cst));
    return answer.then(Next::block);
}

/// It is stopped at its port. False: the VM is about to pause, reset or stop, and it looks again if it runs afterwards.
[[gnu::noinline, gnu::cold]] bool Vm::wake_up(Vcpu &vcpu) {
    LockGuard guard(lifecycle_lock_);
    if (state() != VmState::running)
        return false;
    const Vcpu::WakeUp &how = vcpu.wake_up_;
    const auto before = vcpu.port().system_register(how.system_register);
    if (irq_delivery_ != nullptr)
        irq_delivery_->lost_power(vcpu);
    vcpu.port().reset(how.start);
    inherit(vcpu, how.system_register, how.mask, before);
    static_cast<void>(vcpu.errands_.fetch_and(u8{0xff} ^ Vcpu::kAsleep, std::memory_order_relaxed));
    if (irq_delivery_ != nullptr)
        irq_delivery_->turned_on(vcpu);
    enter_from_reset(vcpu);
    return true;
}

Answer Vm::power_off(Vcpu &vcpu) {
    vcpu.power_.store(PowerState::off_pending, std::memory_order_release);
    bool any_on = false;
    for (const Vcpu &other : vcpus_)
        any_on = any_on || other.power_state() == PowerState::on || other.power_state() == PowerState::on_pending;
    if (!any_on)
        stop_because(StopReason::guest_crash, "every vCPU turned itself off");
    return Answer::retry().then(Next::stop);
}

} // namespace sel4vm
