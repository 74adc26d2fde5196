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

#include <optional>

namespace sel4vm {

class ServingExecutors {
public:
    static constexpr usize kMax = 32; ///< an executor has a CPU of its own

    explicit ServingExecutors(LockMode mode) : lock_(LockRank::serving, mode) {}

    /// False when there are kMax already. `port`: of the executor; in no set twice.
    [[nodiscard]] bool add(EventPort &port);
    void remove(EventPort &port);
    /// One executor has nothing to do, or something again.
    enum class Activity : u8 { idle, busy };
    void set(const EventPort &port, Activity activity);
    /// No value: one of them is busy. The same number twice: none was in between.
    [[nodiscard]] std::optional<u64> idle_since();
    [[nodiscard]] bool are_several();
    /// Those that wait for others look at the VM's state.
    void wake_all();

private:
    struct Member {
        explicit Member(EventPort &its_port) : port(&its_port) {}
        EventPort *port;
        Activity activity = Activity::busy;
    };
    Mutex lock_;
    FixedVector<Member, kMax> members_ SEL4VM_GUARDED_BY(lock_);
    u64 changes_ SEL4VM_GUARDED_BY(lock_) = 0;
};

} // namespace sel4vm
