// SPDX-License-Identifier: BSD-2-Clause
//
// What somebody at the console wants of the VMs, by the escape byte and a key (docs/console.md): carried out, and answered in lines of the console.
// Requests to a VM are requests: it may be a moment until the VM, whose vCPUs may be on other CPUs, is what was asked for.
//
// Threads: the boot CPU.
#pragma once

#include <sel4vm/machine/console_switch.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::vmm {

class ConsoleMenu final : private machine::ConsoleCommands {
public:
    /// All of it outlives this; once. `events` hears `badge` when carry_out() is to be called.
    void open(machine::ConsoleSwitch &consoles, EventPort &events, u64 badge, Clock &clock);
    /// In the order of their numbers at the console.
    void add(Vm &vm) { (void)vms_.emplace_back(&vm); } // as many as a description can hold

    /// Does what was asked for since the last call. Outside of every guest's access.
    void carry_out();

private:
    struct Asked {
        machine::ConsoleCommand command;
        usize vm;
    };
    void asked(machine::ConsoleCommand command, usize vm) override;
    void carry_out(const Asked &what);
    void list();
    void show_statistics(Vm &vm);
    void answer(std::string_view doing, Vm &vm, const Status<LifecycleError> &done);
    void quit();

    machine::ConsoleSwitch *consoles_ = nullptr;
    EventPort *events_ = nullptr;
    Clock *clock_ = nullptr;
    u64 badge_ = 0;
    FixedVector<Vm *, machine::kMaxVms> vms_;
    FixedVector<Asked, 16> asked_; ///< faster keys than that are not heard
};

} // namespace sel4vm::vmm
