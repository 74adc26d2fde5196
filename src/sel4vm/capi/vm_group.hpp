// SPDX-License-Identifier: BSD-2-Clause
//
// What VMs on one endpoint share: the executor that vm_run() of any of them drives.
#pragma once

#include <sel4vm/vm/executor.hpp>

namespace sel4vm::capi {

class Machine;

class VmGroup final : private ExecutorListener {
public:
    VmGroup(EventPort &events, Clock &clock) : executor_(events, clock, *this) {}

    [[nodiscard]] Executor &executor() { return executor_; }

    void join() { ++members_; }
    /// True for the last one.
    [[nodiscard]] bool leave() { return --members_ == 0; }

    /// Whose vm_run() is active: it hears events that belong to no VM. nullptr: none is.
    void set_runner(Machine *runner) { runner_ = runner; }
    [[nodiscard]] Machine *runner() const { return runner_; }

private:
    void notification(u64 badge, u64 message) override;
    void vm_stopped(Vm &) override {} // each VM's own hooks hear it

    Executor executor_;
    Machine *runner_ = nullptr;
    u32 members_ = 0;
};

} // namespace sel4vm::capi
