// SPDX-License-Identifier: BSD-2-Clause
//
// Fair queueing of one level: the VMs of a CPU, or the vCPUs of one VM. It approximates an ideal that divides the CPU at every
// moment into equal parts among the *active* members: those that can run, and those that sleep but have had more than the
// ideal would have given them until now. The ideal's virtual time is what an active member has had of it: the mean of their tags.
// A tag is what a member has really used, so virtual time less tag is how far it lags behind its fair share.
//
// - The runnable member with the least tag is next, for a slice (start-time fair queueing; Goyal, Guo, Vin 1996).
// - Who becomes runnable is put at the virtual time when its tag is behind: a sleeper keeps its debts and gets no credit. When
//   nobody can run, everybody has had what it wanted, and all debts are over.
// - One that wakes up without debts is taken for 1/n of a slice less than it is, n the active ones, until it has run. So it most often
//   runs at once, and still nobody's lag reaches a slice: tags differ by less than (1 + 1/n) slices, hence from their mean by
//   less than (1 + 1/n)(1 - 1/n) of one.
//
// Pure: no clock, nothing allocated. Not thread-safe.
#pragma once

#include <hosts/el2/portable/sched/min_heap.hpp>

namespace sel4vm::el2 {

/// What a member carries; a base class of it.
class FairMember : private HeapNode {
public:
    /// It runs, or waits to.
    [[nodiscard]] bool is_runnable() const { return runnable_; }
    /// The virtual time that it has used, in ticks.
    [[nodiscard]] u64 tag() const { return tag_; }

private:
    friend class FairQueue;
    u64 tag_ = 0;
    bool runnable_ = false;
    bool active_ = false; ///< it counts for the virtual time
    bool woken_ = false;  ///< it has not run since it became runnable
};

class FairQueue {
public:
    [[nodiscard]] FairMember *running() const { return running_; }
    /// Somebody could run instead.
    [[nodiscard]] bool anybody_waits() const { return !waiting_.empty(); }

    /// `member` can run from now on, and could not before. `slice` is always the same.
    void wake(FairMember &member, u64 slice);
    /// It cannot any more, whether it runs or waits.
    void remove(FairMember &member);
    /// It goes away for good.
    void forget(FairMember &member);
    /// It has used the CPU, or others have for it. It may be anybody, also one that cannot run.
    void charge(FairMember &member, u64 ticks);

    /// How much longer the running member may go on, which has run for `ran` ticks without a break; kNever while nobody waits.
    /// A woken one interrupts it as soon as it is next, another one not before the end of a slice.
    [[nodiscard]] u64 rest_of_turn(u64 ran, u64 slice) const;
    /// The running member lets the next one go first: it loses what it was behind.
    void yield();
    /// The running member waits again.
    void put_back();
    /// The next member to run, nullptr when none can. None runs now.
    [[nodiscard]] FairMember *take_next();
    /// Whether the next one is there because it woke up.
    [[nodiscard]] bool next_is_woken() const { return next().woken_; }

    /// What an active member has had of the ideal.
    [[nodiscard]] u64 virtual_time();

private:
    static FairMember &member_of(HeapNode *node) { return static_cast<FairMember &>(*node); }
    [[nodiscard]] FairMember &next() const { return member_of(waiting_.least()); }
    void activate(FairMember &member);
    void deactivate(FairMember &member);

    MinHeap waiting_; ///< those that can run and do not, by the time that decides
    MinHeap resting_; ///< those that sleep and are active, by their tags
    FairMember *running_ = nullptr;
    u32 active_ = 0;
    u64 origin_ = 0; ///< tags of active ones are summed up from here
    i64 sum_ = 0;
    u64 latest_ = 0; ///< the largest tag that anybody has had
};

} // namespace sel4vm::el2
