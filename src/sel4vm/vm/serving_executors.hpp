// SPDX-License-Identifier: BSD-2-Clause
//
// The executors that serve the vCPUs of one VM, and which of them have nothing to do: a VM whose vCPUs all wait is dead only when
// that is true of every one of them.
//
// Threads: any.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/event_port.hpp>

namespace sel4vm {

class ServingExecutors {
public:
    static constexpr usize kMax = 32; ///< as many as a VM has vCPUs

    explicit ServingExecutors(LockMode mode) : lock_(LockRank::serving, mode) {}

    /// False when there are kMax already. `port`: of the executor; in no set twice.
    [[nodiscard]] bool add(EventPort &port);
    void remove(EventPort &port);
    /// One executor has something to do again, or nothing. The result: none of them has anything.
    [[nodiscard]] bool set_idle(const EventPort &port, bool idle);
    [[nodiscard]] bool are_several();
    /// Those that wait for others look at the VM's state.
    void wake_all();

private:
    struct Member {
        Member(EventPort *its_port, bool is_idle) : port(its_port), idle(is_idle) {}
        EventPort *port;
        bool idle;
    };
    Mutex lock_;
    FixedVector<Member, kMax> members_ SEL4VM_GUARDED_BY(lock_);
};

} // namespace sel4vm
