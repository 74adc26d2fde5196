// SPDX-License-Identifier: BSD-2-Clause
//
// What there is to do before the executor waits: requests of other threads, kicks, parts of compound accesses, timeouts;
// and how a vCPU blocks and stops.
#include <hosts/sel4/endpoint_port.hpp>

#include <hosts/sel4/deliver.hpp>

#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::sel4 {

// ---------------------------------------------------------------- From any thread

void EndpointPort::call_attention() {
    attention_.store(1, std::memory_order_seq_cst);
    // An executor that waits is woken by a message. One that handles an exit looks for itself, and this may be it.
    if (waiting_.load(std::memory_order_seq_cst) != 0)
        seL4_Send(wake_cap_.cap(), seL4_MessageInfo_new(0, 0, 0, 0));
}

void EndpointPort::queue_request(Vcpu &vcpu) {
    Vcpu *head = inbox_.load(std::memory_order_relaxed);
    do {
        vcpu.next_request_ = head;
    } while (!inbox_.compare_exchange_weak(head, &vcpu, std::memory_order_release, std::memory_order_relaxed));
    call_attention();
}

void EndpointPort::signal(u64 badge) {
    signalled_.fetch_or(badge, std::memory_order_release);
    call_attention();
}

// ---------------------------------------------------------------- Stopping and going on

void EndpointPort::stop(Vcpu &vcpu, Answer answer) {
    // A part of a compound access that waits for its answer comes again by itself: those before it must not.
    if (answer.kind() == AnswerKind::retry && vcpu.pending_ == Vcpu::Pending::sequence) {
        vcpu.part_pending_ = Vcpu::Pending::sequence;
        vcpu.due_ |= Vcpu::kDuePart;
    }
    vcpu.registers_.flush();
    static_cast<void>(seL4_TCB_Suspend(vcpu.tcb_));
    vcpu.wake_ = Vcpu::Wake::resume;
    vcpu.state_ = Vcpu::State::stopped;
    vcpu.due_ &= Vcpu::kDuePart;
    if (reply_to_ == &vcpu)
        reply_to_ = nullptr;
}

void EndpointPort::block(Vcpu &vcpu) {
    if (vcpu.wake_ == Vcpu::Wake::none || !may_block(vcpu)) {
        vcpu.state_ = Vcpu::State::running;
        go_on(vcpu);
        return;
    }
    vcpu.registers_.flush();
    // Its fault stays without an answer, and loses its reply capability when the next message comes.
    vcpu.wake_ = Vcpu::Wake::resume;
    vcpu.state_ = Vcpu::State::blocked;
    if (reply_to_ == &vcpu)
        reply_to_ = nullptr;
    if (vcpu.wakes_at_ != kNever)
        attention_.store(1, std::memory_order_relaxed); // for the timeout
}

// A vCPU that is not entered has no timer: the kernel keeps the state of it and no interrupt. So it may only be blocked while its
// timer is off, or when somebody else watches the clock.
bool EndpointPort::may_block(Vcpu &vcpu) {
    vcpu.wakes_at_ = kNever;
    const aarch64::VirtualTimerState timer = vcpu.timer_port_.state();
    constexpr u64 kRelevant = aarch64::TimerControl::Enable::mask | aarch64::TimerControl::Imask::mask;
    if ((timer.control & kRelevant) != aarch64::TimerControl::Enable::mask || vcpu.timer_port_.masked())
        return true;
#ifdef CONFIG_VTIMER_UPDATE_VOFFSET
    // The guest's counter stands still while it does not run: waiting would bring its timer no nearer.
    constexpr bool kTimePasses = false;
#else
    constexpr bool kTimePasses = true;
#endif
    const u64 now = clock_.now_ticks();
    const u64 guest_now = now - vcpu.timer_port_.counter_offset();
    if (!kTimePasses || timeout_source_ == nullptr || clock_.ticks_per_second() == 0 ||
        timer.compare_value <= guest_now) {
        seL4_Yield();
        return false;
    }
    const u64 ahead = timer.compare_value - guest_now;
    vcpu.wakes_at_ = ahead < kNever - now ? now + ahead : kNever;
    return true;
}

void EndpointPort::resume_blocked(Vcpu &vcpu) {
    vcpu.wakes_at_ = kNever;
    vcpu.state_ = Vcpu::State::running;
    go_on(vcpu);
}

// ---------------------------------------------------------------- Looking around

void EndpointPort::read_inbox() {
    Vcpu *vcpu = inbox_.exchange(nullptr, std::memory_order_acquire);
    while (vcpu != nullptr) {
        Vcpu *const next = vcpu->next_request_; // before it may be queued again
        const u32 requests = vcpu->requests_.exchange(0, std::memory_order_acq_rel);
        if ((requests & Vcpu::kRequestTurn) != 0 && vcpu->state_ == Vcpu::State::stopped)
            vcpu->due_ |= Vcpu::kDueTurn;
        if ((requests & Vcpu::kRequestResume) != 0 && vcpu->state_ == Vcpu::State::stopped) {
            vcpu->state_ = Vcpu::State::running;
            vcpu->due_ &= ~u32{Vcpu::kDueTurn};
            // A kick that came with it is delivered first.
            if ((requests & Vcpu::kRequestKick) == 0)
                go_on(*vcpu);
        }
        if ((requests & Vcpu::kRequestKick) != 0)
            vcpu->due_ |= Vcpu::kDueKick;
        vcpu = next;
    }
}

// True: the event is to be delivered instead of waiting.
bool EndpointPort::look_around(Event &event) {
    attention_.store(0, std::memory_order_seq_cst);
    read_inbox();
    bool found = true;
    if (const u64 badge = signalled_.exchange(0, std::memory_order_acquire); badge != 0) {
        event.kind = EventKind::notification;
        event.badge = badge;
        event.message = 0;
    } else if (timeout_source_ != nullptr && timeout_ <= clock_.now_ticks()) {
        timeout_ = kNever;
        event.kind = EventKind::timeout;
    } else {
        if (timeout_source_ != nullptr)
            wake_due(clock_.now_ticks());
        const auto due = std::find_if(vcpus_.begin(), vcpus_.end(), [](const Vcpu *vcpu) {
            return vcpu != nullptr && vcpu->due_ != 0 && vcpu->state_ != Vcpu::State::stopped;
        });
        found = due != vcpus_.end();
        if (found) {
            deliver_due(**due, event);
        } else {
            program_timeout();
            found = give_turn(event);
        }
    }
    if (found)
        attention_.store(1, std::memory_order_relaxed); // there may be more
    return found;
}

void EndpointPort::deliver_due(Vcpu &vcpu, Event &event) {
    vcpu.state_ = Vcpu::State::running;
    vcpu.wakes_at_ = kNever;
    if ((vcpu.due_ & Vcpu::kDuePart) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDuePart};
        static_cast<void>(deliver(vcpu, vcpu.part_pending_, vcpu.sequence_.exit(), event));
        return;
    }
    vcpu.due_ = 0;
    // It may be executing its guest all the while: its thread is stopped only if somebody looks at its registers.
    static_cast<void>(deliver(vcpu, Vcpu::Pending::nothing, ExitKind::kicked, event));
}

// The kernel schedules guests; what this thread does for a VM goes in turns with the messages of others.
bool EndpointPort::give_turn(Event &event) {
    const auto working = std::find_if(vcpus_.begin(), vcpus_.end(), [](const Vcpu *vcpu) {
        return vcpu != nullptr && (vcpu->due_ & Vcpu::kDueTurn) != 0;
    });
    if (working == vcpus_.end())
        return false;
    if (!std::exchange(turn_is_next_, true)) {
        // Its fault loses the reply capability when a message comes.
        if (Vcpu *const answered = std::exchange(reply_to_, nullptr)) {
            answered->wake_ = Vcpu::Wake::resume;
            resume_thread(*answered);
        }
        Message message;
        if (poll(endpoint_, reply_, message) && on_polled(message, event) == Outcome::deliver)
            return true;
    }
    turn_is_next_ = false;
    (*working)->due_ &= ~u32{Vcpu::kDueTurn};
    static_cast<EventSource &>(event) = (*working)->exit_source_;
    event.kind = EventKind::turn;
    return true;
}

// ---------------------------------------------------------------- Time

void EndpointPort::set_timeout(u64 at_ticks) {
    timeout_ = at_ticks;
    attention_.store(1, std::memory_order_relaxed);
}

void EndpointPort::cancel_timeout() { set_timeout(kNever); }

void EndpointPort::wake_due(u64 now) {
    for (Vcpu *vcpu : vcpus_) {
        if (vcpu != nullptr && vcpu->state_ == Vcpu::State::blocked && vcpu->wakes_at_ <= now)
            resume_blocked(*vcpu); // the kernel delivers its timer's interrupt as soon as it runs
    }
}

void EndpointPort::program_timeout() {
    if (timeout_source_ == nullptr)
        return;
    u64 earliest = timeout_;
    for (const Vcpu *vcpu : vcpus_) {
        if (vcpu != nullptr && vcpu->state_ == Vcpu::State::blocked)
            earliest = std::min(earliest, vcpu->wakes_at_);
    }
    if (earliest == programmed_)
        return;
    programmed_ = earliest;
    if (earliest == kNever)
        timeout_source_->cancel();
    else
        timeout_source_->set(earliest);
}

} // namespace sel4vm::sel4
