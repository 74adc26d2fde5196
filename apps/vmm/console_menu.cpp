// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/console_menu.hpp>

#include <sel4vm/vm/statistics.hpp>

namespace sel4vm::vmm {

using machine::ConsoleCommand;

void ConsoleMenu::open(machine::ConsoleSwitch &consoles, EventPort &events, u64 badge, Clock &clock) {
    consoles_ = &consoles;
    events_ = &events;
    badge_ = badge;
    clock_ = &clock;
    consoles.set_commands(this);
}

void ConsoleMenu::asked(ConsoleCommand command, usize vm) {
    if (asked_.emplace_back(Asked{command, vm}) != nullptr)
        events_->signal(badge_);
}

void ConsoleMenu::carry_out() {
    while (!asked_.empty()) {
        const Asked next = asked_[0];
        asked_.erase(0);
        if (next.vm < vms_.size())
            carry_out(next);
    }
}

void ConsoleMenu::carry_out(const Asked &what) {
    Vm &vm = *vms_[what.vm];
    switch (what.command) {
    case ConsoleCommand::list: return list();
    case ConsoleCommand::statistics: return show_statistics(vm);
    case ConsoleCommand::quit: return quit();
    case ConsoleCommand::pause: return answer("pausing", vm, vm.pause());
    case ConsoleCommand::resume: return answer("resuming", vm, vm.resume());
    case ConsoleCommand::reset: return answer("resetting", vm, vm.reset());
    case ConsoleCommand::stop: break;
    }
    if (vm.state() == VmState::stopped || vm.state() == VmState::stopping)
        return answer("", vm, Err{LifecycleError::wrong_state});
    vm.stop(StopReason::client);
    answer("stopping", vm, Ok{});
}

void ConsoleMenu::answer(std::string_view doing, Vm &vm, const Status<LifecycleError> &done) {
    Text<80> text;
    if (done)
        text << doing << " VM " << vm.name();
    else
        text << "VM " << vm.name() << " is " << to_string(vm.state());
    consoles_->tell(text.view());
}

void ConsoleMenu::list() {
    for (usize i = 0; i < vms_.size(); ++i) {
        Vm &vm = *vms_[i];
        Text<300> text;
        text << u64{i + 1} << ' ' << vm.name() << ": " << to_string(vm.state());
        if (vm.state() == VmState::stopped)
            text << ": " << to_string(vm.stop_reason());
        if (consoles_->has_input(i))
            text << " (has the input)";
        consoles_->tell(text.view());
    }
}

void ConsoleMenu::show_statistics(Vm &vm) {
    for (u16 i = 0; i < vm.vcpu_count(); ++i) {
        const VcpuStatistics all = statistics_of(vm.vcpu(VcpuId{i}), *clock_);
        Text<300> text;
        text << "VM " << vm.name() << ", vCPU " << u64{i} << ": exits";
        for (usize kind = 0; kind < kExitKinds; ++kind) {
            if (all.exits[kind] != 0)
                text << ' ' << to_string(static_cast<ExitKind>(kind)) << '=' << all.exits[kind];
        }
        text << "; interrupts " << all.interrupts.value_or(0) << ", kicks " << all.kicks;
        constexpr u64 kPerMillisecond = 1'000'000;
        if (all.times)
            text << "; running " << all.times->running / kPerMillisecond << " ms, waiting "
                 << all.times->waiting / kPerMillisecond << " ms, stolen " << all.times->stolen / kPerMillisecond
                 << " ms";
        consoles_->tell(text.view());
    }
}

void ConsoleMenu::quit() {
    for (Vm *vm : vms_)
        vm->stop(StopReason::client);
}

} // namespace sel4vm::vmm
