// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/sched/fair_queue.hpp>

#include <algorithm>

namespace sel4vm::el2 {

void FairQueue::activate(FairMember &member) {
    member.active_ = true;
    ++active_;
    sum_ += static_cast<i64>(member.tag_ - origin_);
}

void FairQueue::deactivate(FairMember &member) {
    member.active_ = false;
    --active_;
    sum_ -= static_cast<i64>(member.tag_ - origin_);
}

u64 FairQueue::virtual_time() {
    for (;;) {
        if (active_ == 0)
            return latest_;
        const i64 mean = sum_ / static_cast<i64>(active_);
        origin_ += static_cast<u64>(mean);
        sum_ -= mean * static_cast<i64>(active_);
        // Whoever sleeps and has no more than its share is not active any longer, which brings the others' mean nearer to them.
        HeapNode *first = resting_.least();
        if (first == nullptr || is_before(origin_, first->key()))
            return origin_;
        resting_.remove(*first);
        deactivate(member_of(first));
    }
}

void FairQueue::wake(FairMember &member, u64 slice) {
    SEL4VM_ASSERT(!member.runnable_);
    if (running_ == nullptr && waiting_.empty()) {
        // The CPU was nobody's: the ideal has caught up with everybody.
        while (HeapNode *first = resting_.least()) {
            resting_.remove(*first);
            deactivate(member_of(first));
        }
    }
    const u64 now = virtual_time();
    bool owes = true;
    if (member.active_) {
        resting_.remove(member);
    } else {
        owes = is_before(now, member.tag_);
        if (!owes)
            member.tag_ = now;
        activate(member);
    }
    member.runnable_ = true;
    member.woken_ = true;
    waiting_.add(member, owes ? member.tag_ : now - slice / active_, MinHeap::Place::before_equals);
}

void FairQueue::remove(FairMember &member) {
    if (!member.runnable_)
        return;
    member.runnable_ = false;
    if (&member == running_)
        running_ = nullptr;
    else
        waiting_.remove(member);
    if (is_before(virtual_time(), member.tag_))
        resting_.add(member, member.tag_, MinHeap::Place::before_equals);
    else
        deactivate(member);
}

void FairQueue::forget(FairMember &member) {
    remove(member);
    if (!member.active_)
        return;
    resting_.remove(member);
    deactivate(member);
}

[[gnu::noinline]] void FairQueue::charge(FairMember &member, u64 ticks) {
    member.tag_ += ticks;
    if (is_before(latest_, member.tag_))
        latest_ = member.tag_;
    if (member.active_) {
        sum_ += static_cast<i64>(ticks);
        if (member.is_queued())
            (member.runnable_ ? waiting_ : resting_)
                .change(member, member.key() + ticks, MinHeap::Place::behind_the_first);
    } else if (is_before(virtual_time(), member.tag_)) {
        activate(member); // it sleeps, and now owes something
        resting_.add(member, member.tag_, MinHeap::Place::before_equals);
    }
}

u64 FairQueue::rest_of_turn(u64 ran, u64 slice) const {
    if (waiting_.empty())
        return kNever;
    const u64 meets = next().key();
    const u64 ahead = is_before(running_->tag_, meets) ? meets - running_->tag_ : 0;
    return next().woken_ ? ahead : std::max(ahead, slice - std::min(ran, slice));
}

void FairQueue::yield() {
    if (is_before(running_->tag_, next().tag_))
        charge(*running_, next().tag_ - running_->tag_);
}

void FairQueue::put_back() {
    FairMember &member = *running_;
    running_ = nullptr;
    waiting_.add(member, member.tag_, MinHeap::Place::behind_the_first);
}

FairMember *FairQueue::take_next() {
    SEL4VM_ASSERT(running_ == nullptr);
    if (waiting_.empty())
        return nullptr;
    FairMember &member = next();
    waiting_.remove(member);
    member.woken_ = false;
    running_ = &member;
    return running_;
}

} // namespace sel4vm::el2
