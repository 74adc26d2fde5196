// SPDX-License-Identifier: BSD-2-Clause
//
// Who runs next, and what wakes it: the run queue, requests from other CPUs and the EL2 timer.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/boot/panic.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/platform/machine_exit.hpp>
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::el2 {

// ---------------------------------------------------------------- From any CPU

// What was asked for is there already. Another CPU that finds attention called has nothing to do: this one will look, and see it.
void Processor::call_attention() {
    if (CpuLocal::current_at_el2()->gic == &gic_) [[likely]]
        attention_.store(1, std::memory_order_release);
    else if (attention_.exchange(1, std::memory_order_seq_cst) == 0)
        gic_.send_sgi(kCallSgi);
}

void Processor::queue_request(Vcpu &vcpu) {
    Vcpu *head = inbox_.load(std::memory_order_relaxed);
    do {
        vcpu.next_request_ = head;
    } while (!inbox_.compare_exchange_weak(head, &vcpu, std::memory_order_release, std::memory_order_relaxed));
    call_attention();
}

void Processor::signal(u64 badge) {
    badge_.fetch_or(badge, std::memory_order_release);
    call_attention();
}

void Processor::wake() {
    woken_.store(true, std::memory_order_release);
    call_attention();
}

void Processor::set_timeout(u64 at_ticks) {
    timeout_.store(at_ticks, std::memory_order_release);
    call_attention();
}

// ---------------------------------------------------------------- vCPUs

void Processor::detach(Vcpu &vcpu) {
    read_inbox(now_ticks());
    forget(vcpu);
    scheduler_.forget(vcpu);
    if (vcpu.wake_up_.is_queued())
        wake_ups_.remove(vcpu.wake_up_);
    if (answered_ == &vcpu)
        answered_ = nullptr;
    if (has_time_ == &vcpu)
        has_time_ = nullptr;
}

// It still pays for finding out who runs next.
[[gnu::noinline]] void Processor::leave_running(Vcpu &vcpu, AnswerKind how, Next next) {
    // A part of a compound access that waits for its answer comes again by itself: those before it must not.
    if (next == Next::stop && how == AnswerKind::retry && vcpu.pending_ == Vcpu::Pending::sequence) {
        vcpu.part_pending_ = Vcpu::Pending::sequence;
        vcpu.due_ |= Vcpu::kDuePart;
    }
    vcpu.pending_ = Vcpu::Pending::nothing;
    vcpu.state_ = next == Next::block ? Vcpu::State::blocked : Vcpu::State::stopped;
    // One that only waits keeps its place until somebody else wants it, since it may be the next to run, too.
    if (next == Next::stop) {
        scheduler_.remove(vcpu);
        put_away(vcpu); // whoever resets it may be on another CPU
        if (has_time_ == &vcpu)
            give_time(nullptr, now_ticks());
    }
    plan_wake_up(vcpu);
    attention_.store(1, std::memory_order_relaxed);
}

// Something happened for this vCPU: a blocked one goes on.
[[gnu::noinline]] void Processor::post(Vcpu &vcpu, u32 due) {
    vcpu.due_ |= due;
    attention_.store(1, std::memory_order_relaxed);
    if (vcpu.state_ != Vcpu::State::blocked)
        return;
    vcpu.state_ = Vcpu::State::ready;
    vcpu.wait_until_ = kNever;
    if (scheduler_.current() != &vcpu || vcpu.wake_up_.is_queued()) [[unlikely]]
        return wake_queued(vcpu);
    scheduler_.blame(vcpu);
    vcpu.account_.run_again(scheduler_.now());
}

[[gnu::noinline]] void Processor::wake_queued(Vcpu &vcpu) {
    if (vcpu.wake_up_.is_queued())
        wake_ups_.remove(vcpu.wake_up_);
    if (scheduler_.current() == &vcpu) {
        scheduler_.blame(vcpu);
        vcpu.account_.run_again(scheduler_.now());
        return;
    }
    vcpu.account_.become(TimeUse::stolen, scheduler_.now());
    scheduler_.wake(vcpu);
}

[[gnu::noinline]] void Processor::read_inbox(u64 now) {
    Vcpu *const first = inbox_.exchange(nullptr, std::memory_order_acquire);
    // What the executor did without a vCPU (timeouts, notifications) was for those that it woke.
    if (const u64 unpaid = scheduler_.unpaid(now); unpaid != 0) {
        u64 count = 0;
        for (const Vcpu *vcpu = first; vcpu != nullptr; vcpu = vcpu->next_request_)
            ++count;
        for (Vcpu *vcpu = first; vcpu != nullptr; vcpu = vcpu->next_request_)
            scheduler_.charge(*vcpu, unpaid / count);
    }
    scheduler_.advance(now);
    for (Vcpu *vcpu = first; vcpu != nullptr;) {
        Vcpu *next = vcpu->next_request_; // before it may be queued again
        serve_requests(*vcpu);
        vcpu = next;
    }
}

[[gnu::noinline]] void Processor::serve_requests(Vcpu &vcpu) {
    const u32 requests = vcpu.requests_.exchange(0, std::memory_order_acq_rel);
    scheduler_.blame(vcpu);
    if ((requests & Vcpu::kRequestResume) != 0) {
        if (vcpu.state_ == Vcpu::State::stopped)
            scheduler_.wake(vcpu);
        if (vcpu.state_ == Vcpu::State::stopped || vcpu.state_ == Vcpu::State::working) {
            vcpu.state_ = Vcpu::State::ready;
            if (has_time_ != &vcpu)
                vcpu.account_.become(TimeUse::stolen, scheduler_.now());
        }
    }
    if ((requests & Vcpu::kRequestTurn) != 0) {
        if (vcpu.state_ == Vcpu::State::stopped) {
            vcpu.state_ = Vcpu::State::working;
            scheduler_.wake(vcpu);
        }
        if (vcpu.state_ == Vcpu::State::working)
            vcpu.due_ |= Vcpu::kDueTurn;
    }
    if (requests >= Vcpu::kRequestKick) {
        vcpu.kicks_ += requests / Vcpu::kRequestKick;
        post(vcpu, Vcpu::kDueKick);
    }
}

// ---------------------------------------------------------------- Choosing

Vcpu *Processor::pick() {
    Vcpu *const current = scheduler_.current();
    if (current != nullptr && current->state_ == Vcpu::State::blocked) {
        if (!scheduler_.anybody_waits()) {
            scheduler_.nobody_runs();
            current->account_.become(TimeUse::waiting, scheduler_.now());
            return nullptr;
        }
        scheduler_.remove(*current);
    }
    return scheduler_.pick();
}

// The vCPU to enter, loaded; or nullptr with an event to deliver first.
Vcpu *Processor::choose(Event &event) {
    for (;;) {
        attention_.store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst); // whoever asks from now on is seen by the next look
        const u64 now = now_ticks();
        if (inbox_.load(std::memory_order_relaxed) != nullptr)
            read_inbox(now);
        scheduler_.advance(now);
        // Whoever signals without end must not keep a vCPU from being heard.
        const bool vcpus_first = std::exchange(notified_last_, false);
        if (!vcpus_first && deliver_notification(event))
            return nullptr;
        if (timeout_.load(std::memory_order_relaxed) <= now) {
            timeout_.store(
                kNever,
                std::memory_order_relaxed); // one set meanwhile is set again when the queue has been looked through
            event.kind = EventKind::timeout;
            scheduler_.nobody_pays(); // but those whose timeouts these are
            attention_.store(1, std::memory_order_relaxed);
            return nullptr;
        }
        wake_due(now);
        Vcpu *vcpu = pick();
        if (vcpu != has_time_ && vcpu != nullptr)
            give_time(vcpu, now);
        if (vcpus_first && (vcpu == nullptr || vcpu->due_ == 0) && deliver_notification(event))
            return nullptr;
        if (vcpu == nullptr) {
            if (has_time_ != nullptr && has_time_->state_ == Vcpu::State::ready) // its budget is used up
                give_time(nullptr, now);
            if (!anything_can_happen(now)) {
                event.kind = EventKind::idle;
                attention_.store(1, std::memory_order_relaxed);
                return nullptr;
            }
            program_timer();
            if (attention_.load(std::memory_order_relaxed) == 0) // else nobody would call
                wait_for_interrupt();
            continue;
        }
        if (vcpu->state_ == Vcpu::State::working) {
            if (deliver_turn(*vcpu, event))
                return nullptr;
            continue;
        }
        answered_ = vcpu;
        if (vcpu->due_ != 0) {
            if (scheduler_.switch_is_open())
                scheduler_.entered(now);
            deliver_due(*vcpu, event);
            attention_.store(1, std::memory_order_relaxed);
            return nullptr;
        }
        if (loaded_ != vcpu)
            load(*vcpu);
        running_ = vcpu;
        if (scheduler_.switch_is_open())
            scheduler_.entered(now_ticks());
        trap_wait_for_event(scheduler_.anybody_waits());
        program_timer();
        return vcpu;
    }
}

// False: the last turn was the end of the work.
bool Processor::deliver_turn(Vcpu &vcpu, Event &event) {
    attention_.store(1, std::memory_order_relaxed);
    if ((vcpu.due_ & Vcpu::kDueTurn) == 0) {
        vcpu.state_ = Vcpu::State::stopped;
        scheduler_.remove(vcpu);
        give_time(nullptr, now_ticks());
        return false;
    }
    vcpu.due_ &= ~u32{Vcpu::kDueTurn};
    if (scheduler_.switch_is_open())
        scheduler_.entered(now_ticks());
    static_cast<EventSource &>(event) = vcpu.exit_source_;
    event.kind = EventKind::turn;
    return true;
}

bool Processor::deliver_notification(Event &event) {
    const bool woken = woken_.load(std::memory_order_relaxed);
    if (woken)
        woken_.store(false, std::memory_order_seq_cst);        // before what it was for is looked at
    if (badge_.load(std::memory_order_relaxed) == 0 && !woken) // most often
        return false;
    const u64 badge = badge_.exchange(0, std::memory_order_acquire);
    event.kind = EventKind::notification;
    event.badge = badge;
    notified_last_ = true;
    scheduler_.nobody_pays();
    attention_.store(1, std::memory_order_relaxed);
    return true;
}

void Processor::deliver_due(Vcpu &vcpu, Event &event) {
    if ((vcpu.due_ & Vcpu::kDuePart) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDuePart};
        deliver(vcpu, vcpu.part_pending_, vcpu.sequence_.exit(), event);
    } else if ((vcpu.due_ & Vcpu::kDueTimer) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDueTimer};
        deliver(vcpu, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::virtual_timer), event);
    } else if ((vcpu.due_ & Vcpu::kDueMaintenance) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDueMaintenance};
        deliver(vcpu, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::maintenance), event);
    } else {
        vcpu.due_ = 0;
        deliver(vcpu, Vcpu::Pending::nothing, ExitKind::kicked, event);
    }
}

// A blocked vCPU's virtual timer is in the hardware only while that vCPU is loaded; for the others, and for waits that
// end by themselves, the EL2 timer is.
void Processor::plan_wake_up(Vcpu &vcpu) {
    if (vcpu.wake_up_.is_queued())
        wake_ups_.remove(vcpu.wake_up_);
    if (vcpu.state_ == Vcpu::State::blocked && (!vcpu.loaded() || vcpu.wait_until_ != kNever))
        queue_wake_up(vcpu);
}

[[gnu::noinline]] void Processor::queue_wake_up(Vcpu &vcpu) {
    constexpr u64 kFarthest = u64{1} << 62; // what the queue can compare
    const u64 now = now_ticks();
    if (const u64 at = vcpu.wakes_at(now); at != kNever)
        wake_ups_.add(vcpu.wake_up_, std::min(at, now + kFarthest), MinHeap::Place::before_equals);
}

void Processor::wake_due(u64 now) {
    while (HeapNode *first = wake_ups_.least()) {
        if (is_before(now, first->key()))
            return;
        post(static_cast<Vcpu::WakeUp *>(first)->vcpu, 0); // its timer fires as soon as it is loaded
    }
}

bool Processor::anything_can_happen(u64 now) const {
    if (signal_sources_ != 0 || timeout_.load(std::memory_order_relaxed) != kNever || !wake_ups_.empty() ||
        scheduler_.waits_for_budget())
        return true;
    return loaded_ != nullptr && loaded_->state_ == Vcpu::State::blocked && loaded_->timer_fires_at(now) != kNever;
}

// ---------------------------------------------------------------- Time

void Processor::program_timer() {
    Earliest earliest;
    planned_timeout_ = timeout_.load(std::memory_order_relaxed);
    earliest.offer(scheduler_.next_look()).offer(planned_timeout_);
    if (const HeapNode *first = wake_ups_.least())
        earliest.offer(first->key());
    if (earliest.ticks() == programmed_)
        return;
    programmed_ = earliest.ticks();
    if (programmed_ == kNever) {
        SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 0);
    } else {
        SEL4VM_WRITE_SYSREG(cnthp_cval_el2, programmed_);
        SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, aarch64::TimerControl::Enable::mask);
    }
}

} // namespace sel4vm::el2
