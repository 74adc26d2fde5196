// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/executor.hpp>

#include <sel4vm/vm/executor_loop.hpp>

namespace sel4vm {

Executor::Executor(EventPort &port, Clock &clock, ExecutorListener &listener, LockMode locks)
    : port_(port), clock_(clock), listener_(listener), timeouts_(*this, locks) {}

std::optional<VmId> Executor::free_id() const {
    for (u16 i = 0; i < kMaxVms; ++i) {
        if (vms_[i] == nullptr)
            return VmId{i};
    }
    return std::nullopt;
}

bool Executor::add(Vm &vm) {
    const usize place = vm.id().value();
    if (place >= kMaxVms || vms_[place] != nullptr || !vm.executors().add(port_))
        return false;
    vms_[place] = &vm;
    if (place >= places_)
        places_ = place + 1;
    return true;
}

void Executor::remove(Vm &vm) {
    const usize place = vm.id().value();
    SEL4VM_ASSERT(place < kMaxVms && vms_[place] == &vm);
    // Its vCPU is gone, and so is the one that the answer was for.
    if (event_.kind == EventKind::exit && event_.vm == vm.id())
        answer_ = Answer::none();
    if (served_vm_ == &vm)
        served_source_ = kNoSource;
    vm.executors().remove(port_);
    vms_[place] = nullptr;
}

void Executor::flush() {
    if (answer_.kind() == AnswerKind::none)
        return;
    port_.apply(answer_);
    answer_ = Answer::none();
}

// From the thread of whoever armed it, with the queue's lock held.
void Executor::earliest_changed(u64 deadline_ticks) {
    leave_idle();
    port_.set_timeout(deadline_ticks);
}

void Executor::none_left() { port_.cancel_timeout(); }

bool Executor::anything_left() const {
    for (const Vm *vm : known()) {
        if (vm != nullptr && vm->state() != VmState::stopped)
            return true;
    }
    return false;
}

[[gnu::noinline, gnu::cold]] void Executor::say(ServingExecutors::Activity activity) {
    for (Vm *vm : known()) {
        if (vm != nullptr)
            vm->executors().set(port_, activity);
    }
}

// Two threads may be here at once: the executor, and one that arms a timeout with the queue locked. Whoever finds that it is not idle relies on
// the VMs having been told.
void Executor::leave_idle() {
    if (!idle_.load())
        return;
    say(ServingExecutors::Activity::busy);
    idle_.store(false);
}

// Nobody has anything to do, and what one gave to another before it said so would show, unless that one has begun with it meanwhile.
bool Executor::waits_for_ever(Vm &vm) {
    const auto since = vm.executors().idle_since();
    return since && !vm.any_woken() && vm.executors().idle_since() == since;
}

namespace {
// A paused VM, and one with a vCPU that is held, waits for its client, not for us.
bool waits_for_client(Vm &vm) { return vm.any_held() || vm.state() == VmState::paused || vm.state() == VmState::built; }
} // namespace

// Nothing is left to do here. A VM of which that is true everywhere waits for ever.
[[gnu::noinline, gnu::cold]] bool Executor::on_idle() {
    served_source_ = kNoSource; // so that whatever comes next is seen to end this
    const auto say_so = [this] {
        idle_.store(true);
        say(ServingExecutors::Activity::idle);
    };
    if (!timeouts_.when_empty(say_so))
        return true; // another executor's vCPU has armed one meanwhile
    bool any_stopped = false;
    bool others_may_act = false;
    bool clients_may_act = false;
    for (Vm *vm : known())
        clients_may_act = clients_may_act || (vm != nullptr && waits_for_client(*vm));
    for (Vm *vm : known()) {
        if (vm == nullptr || vm->state() == VmState::stopped)
            continue;
        const bool client_may_act = waits_for_client(*vm) || (vm->is_rung_by_others() && clients_may_act);
        if (!client_may_act && waits_for_ever(*vm)) {
            any_stopped = true;
            vm->stop_because(StopReason::guest_crash, "every vCPU waits and nothing is left that could wake one");
        } else {
            others_may_act = others_may_act || vm->executors().are_several();
        }
    }
    if (!any_stopped && others_may_act)
        port_.wait_for_others();
    return any_stopped || others_may_act;
}

void Executor::run() { run_on(port_); }

bool Executor::run_until(const bool &leave) {
    Answer answer = answer_;
    bool going = true;
    while (!leave && going)
        going = serve_one(port_, answer);
    answer_ = answer;
    return going;
}

bool Executor::step() { return serve_one(port_, answer_); }

bool Executor::on_stop(Answer answer) {
    // Before anybody resets or inspects the vCPU, its instruction is finished and its port stopped.
    port_.apply(answer);
    event_.kind = EventKind::idle; // the exit is over: whoever hears of what follows may destroy the VM
    served_vm_->parked(*served_vcpu_);
    return settle_all();
}

bool Executor::on_other_event() {
    // The one that a guest waits for: interrupts of passed-through devices come this way.
    if (event_.kind == EventKind::notification) [[likely]] {
        listener_.notification(event_.badge, event_.message);
        return settle_all();
    }
    switch (event_.kind) {
    case EventKind::exit:
    case EventKind::notification: break;
    case EventKind::turn:
        if (Vm *vm = vms_[event_.vm.value()])
            vm->turn();
        break;
    case EventKind::timeout: timeouts_.run_due(clock_.now_ticks()); break;
    case EventKind::idle:
        if (!on_idle())
            return false;
        break;
    }
    return settle_all();
}

bool Executor::settle_all() {
    bool any_runs = false;
    for (Vm *const vm : known()) {
        if (vm == nullptr)
            continue;
        if (vm->state() == VmState::running) [[likely]] { // nothing to settle
            any_runs = true;
            continue;
        }
        switch (vm->settle()) {
        case Vm::Settled::nothing: continue;
        case Vm::Settled::restarted: listener_.vm_restarted(*vm); break;
        case Vm::Settled::stopped: listener_.vm_stopped(*vm); break;
        }
        any_runs = false; // whatever the listener did
    }
    return any_runs || anything_left();
}

} // namespace sel4vm
