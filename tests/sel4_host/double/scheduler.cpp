// SPDX-License-Identifier: BSD-2-Clause
//
// What happens while the caller waits: guests execute in turns, exits become faults, and time passes when all of them wait.
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/vcpu.hpp>

#include <hosts/sel4/counter.h>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

// What the seL4 host reads in the place of the CPU's registers.
uint64_t sel4vm_counter() { return sel4vm::sel4_double::Kernel::current().clock.now_ticks(); }
uint64_t sel4vm_counter_frequency() { return 62'500'000; }

namespace sel4vm::sel4_double {

namespace {

constexpr unsigned kTurn = 200;        // instructions
constexpr unsigned kMaxTurns = 20'000; // a guest that loops for ever must not hang a test

std::vector<u64> syscall_words(const Tcb &thread) {
    std::vector<u64> words;
    for (unsigned n = 0; n < 8; ++n)
        words.push_back(thread.registers[word_of_x(n)]);
    const u64 pc = thread.registers[Tcb::kPc];
    words.insert(words.end(), {pc, thread.registers[Tcb::kSp], pc + 4, thread.registers[Tcb::kPstate], words[7]});
    return words;
}

/// An exit of the guest as the kernel tells it.
void report(Tcb &thread, Vcpu &vcpu, const Exit &exit) {
    const u64 pc = thread.registers[Tcb::kPc];
    const u64 trap = vcpu.cpu.trap();
    switch (exit.kind) {
    case ExitKind::memory:
        return raise_fault(thread, seL4_Fault_VMFault,
                           {pc, exit.memory.gpa.value(), exit.memory.access == MemoryAccess::fetch ? u64{1} : 0, trap});
    case ExitKind::hypercall:
        if (aarch64::conduit_of(exit.hypercall) == aarch64::Conduit::hvc && make_guests_call(thread))
            return;
        if (aarch64::conduit_of(exit.hypercall) == aarch64::Conduit::hvc)
            return raise_fault(thread, seL4_Fault_UnknownSyscall, syscall_words(thread));
        break;
    case ExitKind::irq_service: {
        if (exit.irq_service.source == aarch64::irq_service(aarch64::IrqService::virtual_timer).source)
            return raise_fault(thread, seL4_Fault_VPPIEvent, {aarch64::kTimerIntidVirtual});
        const auto index = vcpu.take_ended();
        return raise_fault(thread, seL4_Fault_VGICMaintenance, {index.value_or(~0U)});
    }
    default: break;
    }
    raise_fault(thread, seL4_Fault_VCPUFault, {trap});
}

} // namespace

void Kernel::give_up(const char *why) {
    std::fprintf(stderr, "the double of seL4: %s\n", why);
    std::abort();
}

bool Kernel::run_timers() {
    bool any = false;
    while (!timers.empty() && timers.begin()->first <= clock.now_ticks()) {
        const auto call = timers.begin()->second;
        timers.erase(timers.begin());
        call();
        any = true;
    }
    return any;
}

void Kernel::let_time_pass() {
    std::optional<u64> earliest;
    if (!timers.empty())
        earliest = timers.begin()->first;
    for (const Tcb *thread : threads) {
        if (thread->waits_for_budget() && (!earliest || thread->context->next_refill() < *earliest))
            earliest = thread->context->next_refill();
        if (!thread->runs() || thread->vcpu == nullptr || !thread->vcpu->waits)
            continue;
        const auto deadline = thread->vcpu->cpu.timer().deadline();
        if (deadline && (!earliest || *deadline < *earliest))
            earliest = deadline;
    }
    if (!earliest)
        give_up("the caller waits for ever");
    clock.set(std::max(clock.now_ticks(), *earliest));
}

// Returns when the caller may have something to hear.
void Kernel::run_guests(Endpoint &endpoint) {
    if (!options.executes)
        give_up("the caller waits for ever");
    for (unsigned turn = 0; turn < kMaxTurns; ++turn) {
        bool any = false;
        for (usize i = 0; i < threads.size(); ++i) {
            Tcb &thread = *threads[(next_thread_ + i) % threads.size()];
            if (!thread.runs() || &thread == self)
                continue;
            Vcpu *const vcpu = thread.vcpu;
            if (vcpu == nullptr) {
                violate("a thread without a VCPU runs");
                thread.state = Tcb::State::inactive;
                continue;
            }
            const u64 from = clock.now_ticks();
            const u64 length = thread.context == nullptr ? kTurn : std::min<u64>(kTurn, thread.context->left(from));
            const auto exit = vcpu->run(static_cast<unsigned>(length));
            if (thread.context != nullptr)
                thread.context->charge(from, clock.now_ticks() - from);
            vcpu->waits = exit && exit->kind == ExitKind::wait && !options.traps_wfi;
            if (vcpu->waits)
                continue;
            any = true;
            if (!exit)
                continue;
            report(thread, *vcpu, *exit);
            next_thread_ = (next_thread_ + i + 1) % threads.size();
            if (!endpoint.queue.empty())
                return;
        }
        if (!any)
            let_time_pass();
        if (run_timers())
            return;
    }
    give_up("a guest loops for ever");
}

} // namespace sel4vm::sel4_double
