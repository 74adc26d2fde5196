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

    /// While one exists, a callback runs that may come outside of vm_run(), too: a page provider's, say.
    class Callback {
    public:
        explicit Callback(VmGroup &group) : group_(group) { ++group_.callbacks_; }
        ~Callback() { --group_.callbacks_; }
        Callback(const Callback &) = delete;
        Callback &operator=(const Callback &) = delete;

    private:
        VmGroup &group_;
    };
    /// Whether the client calls from inside one of its callbacks.
    [[nodiscard]] bool is_in_callback() const { return runner_ != nullptr || callbacks_ != 0; }
    /// nullptr, or why the library is not done with this VM.
    [[nodiscard]] const char *why_needed(const Machine &machine) const;

private:
    void notification(u64 badge, u64 message) override;
    void vm_stopped(Vm &) override {} // each VM's own hooks hear it

    Executor executor_;
    Machine *runner_ = nullptr;
    u32 members_ = 0;
    u32 callbacks_ = 0;
};

} // namespace sel4vm::capi
