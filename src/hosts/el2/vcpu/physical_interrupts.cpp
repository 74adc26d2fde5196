// SPDX-License-Identifier: BSD-2-Clause
//
// Physical interrupts: how the CPU waits for them, and what each means.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/boot/panic.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/platform/machine_exit.hpp>
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/irq_service.hpp>

#include <utility>

namespace sel4vm::el2 {

// Sleeps until an interrupt is pending and handles it. Interrupts are masked in PSTATE, which WFI does not care about: one that
// came before the instruction ends it at once.
void Processor::wait_for_interrupt() {
    ++counters_.idle_waits;
    dsb_sy();
    asm volatile("wfi" ::: "memory");
    scheduler_.advance(now_ticks());
    static_cast<void>(take_interrupt(nullptr));
}

void Processor::wait_for_others() {
    for (;;) {
        attention_.store(0, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (woken_.load(std::memory_order_relaxed) || badge_.load(std::memory_order_relaxed) != 0 ||
            inbox_.load(std::memory_order_relaxed) != nullptr || timeout_.load(std::memory_order_relaxed) != kNever)
            break;
        if (attention_.load(std::memory_order_relaxed) == 0)
            wait_for_interrupt();
    }
    attention_.store(1, std::memory_order_relaxed);
}

// One interrupt. With an event, it may become the exit of the running vCPU at once.
Processor::Outcome Processor::take_interrupt(Event *event) {
    const IrqToken token = gic_.take();
    if (token.spurious())
        return Outcome::go_on;
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
            return deliver(*loaded_, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::virtual_timer),
                           *event);
        post(*loaded_, Vcpu::kDueTimer);
        return Outcome::go_on;
    }
    if (intid == maintenance_intid_) {
        gic_.deactivate(token);
        if (loaded_ == nullptr)
            return Outcome::go_on;
        if (event != nullptr)
            return deliver(*loaded_, Vcpu::Pending::nothing, aarch64::irq_service(aarch64::IrqService::maintenance),
                           *event);
        post(*loaded_, Vcpu::kDueMaintenance);
        return Outcome::go_on;
    }
    if (intid == kCallSgi) {
        gic_.deactivate(token);
        if (event != nullptr && take_own_kick())
            return deliver(*loaded_, Vcpu::Pending::nothing, ExitKind::kicked, *event);
    } else if (const PassedIrqTable::Owner *owner = interrupts_.owner_of(intid)) [[unlikely]] {
        return take_passed(*owner, intid, event);
    } else if (lends_pmu() && intid == pmu_intid_) {
        take_pmu_interrupt(token); // the loaded vCPU's own doing
        return Outcome::go_on;
    }
    take_host_interrupt(token, event != nullptr ? Taken::from_a_guest : Taken::from_the_host);
    return Outcome::go_on;
}

// A VM's. It stays active, so that it cannot come again, until the guest's interrupt ends.
[[gnu::noinline]] Processor::Outcome Processor::take_passed(const PassedIrqTable::Owner &owner, u32 intid,
                                                            Event *event) {
    if (event != nullptr && owner.vcpu.load(std::memory_order_relaxed) == loaded_)
        return deliver(*loaded_, Vcpu::Pending::nothing, aarch64::physical_irq_service(intid), *event);
    ++counters_.interrupts;
    if (event != nullptr) { // not the interrupted vCPU's doing
        scheduler_.advance(now_ticks());
        scheduler_.nobody_pays();
    }
    attention_.store(1, std::memory_order_relaxed);
    owner.sink->physical_irq(intid);
    return Outcome::go_on;
}

// Another CPU called out of the guest. When all it wanted was to kick the vCPU that runs, as for each interrupt between two of a VM,
// nothing has to be chosen anew.
bool Processor::take_own_kick() {
    // Only others can have called since the guest was entered.
    attention_.store(0, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    Vcpu *first = inbox_.load(std::memory_order_acquire);
    constexpr u32 kMore = Vcpu::kRequestResume | Vcpu::kRequestTurn;
    const bool just_kicked = first == running_ && first->next_request_ == nullptr &&
                             (first->requests_.load(std::memory_order_relaxed) & kMore) == 0 &&
                             badge_.load(std::memory_order_relaxed) == 0 && !woken_.load(std::memory_order_relaxed) &&
                             timeout_.load(std::memory_order_relaxed) == planned_timeout_;
    if (!just_kicked || !inbox_.compare_exchange_strong(first, nullptr, std::memory_order_acquire)) {
        attention_.store(1, std::memory_order_relaxed);
        return false;
    }
    // What was asked for meanwhile besides means nothing to one that runs.
    first->kicks_ += first->requests_.exchange(0, std::memory_order_acq_rel) / Vcpu::kRequestKick;
    return true;
}

// One that is no guest's business.
[[gnu::noinline]] void Processor::take_host_interrupt(IrqToken token, Taken taken) {
    ++counters_.interrupts;
    // Not the interrupted vCPU's doing.
    if (taken == Taken::from_a_guest) {
        scheduler_.advance(now_ticks());
        scheduler_.nobody_pays();
    }
    attention_.store(1, std::memory_order_relaxed);
    if (token.intid() == kCallSgi) {
        if (CpuLocal::current_at_el2()->printer->is_taken())
            halt(); // by another CPU's panic
        return;
    }
    if (token.intid() == timer_.hypervisor) {
        programmed_ = kNever;
        SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 0);
        isb();
        gic_.deactivate(token);
        return;
    }
    interrupts_.dispatch(token);
}

} // namespace sel4vm::el2
