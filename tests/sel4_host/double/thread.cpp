// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/thread.hpp>

#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/vcpu.hpp>

#include <algorithm>

namespace sel4vm::sel4_double {

namespace {
constexpr u64 kUserMode = 0x140; // EL0, as this kernel enters threads
}

unsigned word_of_x(unsigned n) {
    // PC, SP and PSTATE come first, then what a system call may change, then the rest.
    if (n <= 8)
        return Tcb::kX0 + n;
    if (n >= 16 && n <= 18)
        return 12 + n - 16;
    if (n >= 29)
        return 15 + n - 29;
    return n <= 15 ? 17 + n - 9 : 24 + n - 19;
}

void Tcb::cancel_ipc() {
    Kernel &kernel = Kernel::current();
    if (sends_to != nullptr)
        std::erase_if(sends_to->queue, [&](const Message &message) { return message.sender == this; });
    sends_to = nullptr;
    if (kernel.last_fault == this)
        kernel.last_fault = nullptr;
    if (reply != nullptr)
        reply->thread = nullptr;
    reply = nullptr;
    fault = 0;
}

// A thread without a VCPU cannot run at EL1.
void Tcb::set_pstate(u64 value) {
    const u64 mode = value & 0x1f;
    const bool guest = vcpu != nullptr && (mode == 0 || mode == 4 || mode == 5);
    registers[kPstate] = guest ? value : (value & 0xf000'0000) | kUserMode;
}

bool Tcb::runs() const {
#ifdef CONFIG_KERNEL_MCS
    return state == State::running && !waits_for_budget() && context != nullptr && !context->refills.empty();
#else
    return state == State::running;
#endif
}

bool Tcb::waits_for_budget() const {
    return state == State::running && context != nullptr && !context->refills.empty() &&
           context->left(Kernel::current().clock.now_ticks()) == 0;
}

void SchedContext::finalise() {
    if (thread != nullptr)
        thread->context = nullptr;
}

void SchedContext::configure(u64 budget_ticks, u64 period_ticks, u64 now) {
    budget = budget_ticks;
    period = period_ticks;
    refills.assign(1, {now, budget_ticks});
}

// With a budget as long as its period a thread takes turns with others and is never stopped.
u64 SchedContext::left(u64 now) const {
    if (budget == period)
        return budget;
    return refills.front().at <= now ? refills.front().amount : 0;
}

void SchedContext::charge(u64 from, u64 used) {
    if (budget == period || used == 0)
        return;
    Refill &front = refills.front();
    used = std::min(used, front.amount);
    front.amount -= used;
    const Refill back{from + period, used};
    if (refills.size() > 1 && refills.back().at == back.at)
        refills.back().amount += used;
    else
        refills.push_back(back);
    if (refills.front().amount == 0)
        refills.pop_front();
}

void Tcb::finalise() {
    Kernel &kernel = Kernel::current();
    cancel_ipc();
    state = State::inactive;
    if (vcpu != nullptr)
        vcpu->dissociate();
    if (notification != nullptr)
        notification->bound = nullptr;
    if (context != nullptr)
        context->thread = nullptr;
    cspace.clear();
    vspace.clear();
    fault_endpoint.clear();
    std::erase(kernel.threads, this);
}

} // namespace sel4vm::sel4_double
