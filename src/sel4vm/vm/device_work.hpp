// SPDX-License-Identifier: BSD-2-Clause
//
// Work of a device for its VM that is more than an access may take: what a queue of requests holds, bytes of a disk. A device asks for a turn, and
// has it without any lock held, for so many bytes. Whose time that takes is the business of who gives the turns (vm/vcpu_work.hpp).
//
// Threads: add() while no vCPU runs; the others from any thread, with locks of a rank up to LockRank::network.
#pragma once

#include <sel4vm/base/types.hpp>

#include <atomic>

namespace sel4vm {

/// Whether there is some: of who gives the turns.
class WorkWanted {
public:
    void want() { wanted_.store(true, std::memory_order_seq_cst); }
    void forget() { wanted_.store(false, std::memory_order_relaxed); }
    [[nodiscard]] bool is_wanted() const { return wanted_.load(std::memory_order_relaxed); }
    /// Whether it was, and is not any more.
    [[nodiscard]] bool take() { return is_wanted() && wanted_.exchange(false, std::memory_order_acquire); }

private:
    std::atomic<bool> wanted_{false};
};

class DeviceWork : public WorkWanted {
public:
    /// Does some of it: takes what it moves or looks through from `left_bytes`, and stops when that is 0. True: there is more.
    [[nodiscard]] virtual bool work(u64 &left_bytes) = 0;

protected:
    ~DeviceWork() = default;
};

/// Of one VM.
class WorkTurns {
public:
    /// Before its first turn. False: there are too many works.
    [[nodiscard]] virtual bool add(DeviceWork &work) = 0;
    /// There is something to do since an access of this vCPU.
    virtual void ask(DeviceWork &work, VcpuId by) = 0;
    /// The same, and no access began it.
    virtual void ask(DeviceWork &work) = 0;
    /// There is nothing to do any more. A turn that has begun on another executor goes on: work() looks under its own lock whether there is anything.
    virtual void withdraw(DeviceWork &work) = 0;

protected:
    ~WorkTurns() = default;
};

} // namespace sel4vm
