// SPDX-License-Identifier: BSD-2-Clause
//
// Who runs next, and what wakes it: the run queue, requests from other CPUs, physical interrupts and the EL2 timer.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <utility>

namespace sel4vm::el2 {

// ---------------------------------------------------------------- From any CPU

void Processor::call_attention() {
    attention_.store(1, std::memory_order_release);
    if (wake_hook_ != nullptr)
        wake_hook_(*this);
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

// ---------------------------------------------------------------- vCPUs

void Processor::attach(Vcpu &vcpu) {
    vcpu.next_vcpu_ = vcpus_;
    vcpus_ = &vcpu;
}

void Processor::detach(Vcpu &vcpu) {
    read_inbox();
    forget(vcpu);
    scheduler_.remove(vcpu);
    if (answered_ == &vcpu)
        answered_ = nullptr;
    for (Vcpu **at = &vcpus_; *at != nullptr; at = &(*at)->next_vcpu_) {
        if (*at == &vcpu) {
            *at = vcpu.next_vcpu_;
            return;
        }
    }
}

void Processor::leave_running(Vcpu &vcpu, Next next) {
    vcpu.state_ = next == Next::block ? Vcpu::State::blocked : Vcpu::State::stopped;
    scheduler_.remove(vcpu);
    attention_.store(1, std::memory_order_relaxed);
}

// Something happened for this vCPU: a blocked one goes on.
void Processor::post(Vcpu &vcpu, u32 due) {
    vcpu.due_ |= due;
    attention_.store(1, std::memory_order_relaxed);
    if (vcpu.state_ != Vcpu::State::blocked)
        return;
    vcpu.state_ = Vcpu::State::ready;
    vcpu.wait_until_ = kNever;
    scheduler_.wake(vcpu, now_ticks());
}

void Processor::read_inbox() {
    Vcpu *vcpu = inbox_.exchange(nullptr, std::memory_order_acquire);
    while (vcpu != nullptr) {
        Vcpu *next = vcpu->next_request_; // before it may be queued again
        const u32 requests = vcpu->requests_.exchange(0, std::memory_order_acq_rel);
        if ((requests & Vcpu::kRequestResume) != 0 && vcpu->state_ == Vcpu::State::stopped) {
            vcpu->state_ = Vcpu::State::ready;
            scheduler_.add(*vcpu, now_ticks());
        }
        if ((requests & Vcpu::kRequestKick) != 0)
            post(*vcpu, Vcpu::kDueKick);
        vcpu = next;
    }
}

// ---------------------------------------------------------------- Choosing

// The vCPU to enter, loaded; or nullptr with an event to deliver first.
Vcpu *Processor::choose(Event &event) {
    for (;;) {
        attention_.store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst); // whoever asks from now on is seen by the next look
        read_inbox();
        // Whoever signals without end must not keep a vCPU from being heard.
        const bool vcpus_first = std::exchange(notified_last_, false);
        if (!vcpus_first && deliver_notification(event))
            return nullptr;
        const u64 now = now_ticks();
        if (timeout_ <= now) {
            timeout_ = kNever;
            event.kind = EventKind::timeout;
            attention_.store(1, std::memory_order_relaxed);
            return nullptr;
        }
        wake_due(now);
        Vcpu *vcpu = scheduler_.pick(now);
        if (vcpus_first && (vcpu == nullptr || vcpu->due_ == 0) && deliver_notification(event))
            return nullptr;
        if (vcpu == nullptr) {
            if (!anything_can_happen(now)) {
                event.kind = EventKind::idle;
                attention_.store(1, std::memory_order_relaxed);
                return nullptr;
            }
            program_timer(now);
            wait_for_interrupt();
            continue;
        }
        answered_ = vcpu;
        if (vcpu->due_ != 0) {
            deliver_due(*vcpu, event);
            attention_.store(1, std::memory_order_relaxed);
            return nullptr;
        }
        if (loaded_ != vcpu)
            load(*vcpu);
        running_ = vcpu;
        trap_wait_for_event(scheduler_.anybody_waits());
        program_timer(now);
        return vcpu;
    }
}

bool Processor::deliver_notification(Event &event) {
    const u64 badge = badge_.exchange(0, std::memory_order_acquire);
    if (badge == 0)
        return false;
    event.kind = EventKind::notification;
    event.badge = badge;
    notified_last_ = true;
    attention_.store(1, std::memory_order_relaxed);
    return true;
}

void Processor::deliver_due(Vcpu &vcpu, Event &event) {
    if ((vcpu.due_ & Vcpu::kDuePart) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDuePart};
        deliver(vcpu, vcpu.part_pending_, vcpu.sequence_.exit(), event);
    } else if ((vcpu.due_ & Vcpu::kDueTimer) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDueTimer};
        deliver(vcpu, Vcpu::Pending::nothing, TimerExit{aarch64::kTimerIntidVirtual}, event);
    } else if ((vcpu.due_ & Vcpu::kDueMaintenance) != 0) {
        vcpu.due_ &= ~u32{Vcpu::kDueMaintenance};
        deliver(vcpu, Vcpu::Pending::nothing, ExitKind::irq_maintenance, event);
    } else {
        vcpu.due_ = 0;
        deliver(vcpu, Vcpu::Pending::nothing, ExitKind::kicked, event);
    }
}

// A blocked vCPU's virtual timer is in the hardware only while that vCPU is loaded; for the others, and for waits that
// end by themselves, this is the timer.
void Processor::wake_due(u64 now) {
    for (Vcpu *vcpu = vcpus_; vcpu != nullptr; vcpu = vcpu->next_vcpu_) {
        if (vcpu->state_ == Vcpu::State::blocked && vcpu->wakes_at(now) <= now)
            post(*vcpu, 0); // its timer fires as soon as it is loaded
    }
}

bool Processor::anything_can_happen(u64 now) const {
    if (signal_sources_ != 0 || timeout_ != kNever)
        return true;
    for (const Vcpu *vcpu = vcpus_; vcpu != nullptr; vcpu = vcpu->next_vcpu_) {
        if (vcpu->state_ == Vcpu::State::blocked &&
            (vcpu->timer_fires_at(now) != kNever || vcpu->wait_until_ != kNever))
            return true;
    }
    return false;
}

// ---------------------------------------------------------------- Time

void Processor::set_timeout(u64 at_ticks) {
    timeout_ = at_ticks;
    attention_.store(1, std::memory_order_relaxed);
}

void Processor::program_timer(u64 now) {
    Earliest earliest;
    earliest.offer(scheduler_.turn_end()).offer(timeout_);
    for (const Vcpu *vcpu = vcpus_; vcpu != nullptr; vcpu = vcpu->next_vcpu_) {
        if (vcpu->state_ == Vcpu::State::blocked)
            earliest.offer(vcpu->wakes_at(now));
    }
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

// ---------------------------------------------------------------- Physical interrupts

// Sleeps until an interrupt is pending and handles it. Interrupts are masked in PSTATE, which WFI does not care about: one that
// came before the instruction ends it at once.
void Processor::wait_for_interrupt() {
    ++counters_.idle_waits;
    dsb_sy();
    asm volatile("wfi" ::: "memory");
    static_cast<void>(take_interrupt(nullptr));
}

// One interrupt. With an event, it may become the exit of the running vCPU at once.
Processor::Outcome Processor::take_interrupt(Event *event) {
    const IrqToken token = gic_.acknowledge();
    if (token.spurious())
        return Outcome::go_on;
    gic_.complete(token);
    const u32 intid = token.intid();
    if (intid == timer_.virt) {
        if (loaded_ == nullptr) { // left over from a vCPU that is gone
            SEL4VM_WRITE_SYSREG(cntv_ctl_el0, 0);
            isb();
            gic_.deactivate(token);
            return Outcome::go_on;
        }
        loaded_->timer_masked_ = true; // it stays active until VcpuTimer::unmask()
        // With an event we come from the guest, so the loaded vCPU is the one that runs.
        if (event != nullptr)
            return deliver(*loaded_, Vcpu::Pending::nothing, TimerExit{aarch64::kTimerIntidVirtual}, *event);
        post(*loaded_, Vcpu::kDueTimer);
        return Outcome::go_on;
    }
    if (intid == maintenance_intid_) {
        gic_.deactivate(token);
        if (loaded_ == nullptr)
            return Outcome::go_on;
        if (event != nullptr)
            return deliver(*loaded_, Vcpu::Pending::nothing, ExitKind::irq_maintenance, *event);
        post(*loaded_, Vcpu::kDueMaintenance);
        return Outcome::go_on;
    }
    ++counters_.interrupts;
    attention_.store(1, std::memory_order_relaxed);
    if (intid == timer_.hypervisor) {
        programmed_ = kNever;
        SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 0);
        isb();
        gic_.deactivate(token);
        return Outcome::go_on;
    }
    interrupts_.dispatch(token);
    return Outcome::go_on;
}

} // namespace sel4vm::el2
