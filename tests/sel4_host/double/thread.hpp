// SPDX-License-Identifier: BSD-2-Clause
//
// A thread: its registers in the kernel's order, its state, and what it holds.
#pragma once

#include <sel4_host/double/object.hpp>

#include <array>
#include <deque>

namespace sel4vm::sel4_double {

class Endpoint;
class Notification;
class Reply;
class Vcpu;

/// A sporadic server: what was used of the budget comes back one period after it began to be used.
class SchedContext final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::sched_context;
    explicit SchedContext(unsigned bits) : Object(kKind, bits) {}
    void finalise() override;

    void configure(u64 budget_ticks, u64 period_ticks, u64 now);
    /// Ticks that its thread may run for now: 0 when there is nothing left.
    [[nodiscard]] u64 left(u64 now) const;
    void charge(u64 from, u64 used);
    /// When there is something left again.
    [[nodiscard]] u64 next_refill() const { return refills.front().at; }

    struct Refill {
        u64 at;
        u64 amount;
    };
    std::deque<Refill> refills; ///< empty: it was not configured
    u64 budget = 0;
    u64 period = 0;
    unsigned cpu = 0;
    class Tcb *thread = nullptr;
};

class SchedControl final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::sched_control;
    explicit SchedControl(unsigned of) : Object(kKind, 0), cpu(of) {}
    const unsigned cpu;
};

class Tcb final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::tcb;
    static constexpr unsigned kRegisters = 36;
    enum class State : u8 { inactive, running, blocked_on_send, blocked_on_reply };
    /// Places in `registers`.
    enum Word : u8 { kPc, kSp, kPstate, kX0, kTpidr = 34, kTpidrro = 35 };

    Tcb() : Object(kKind, seL4_TCBBits) {}
    void finalise() override;

    /// Nothing else waits for it, nor it for anything.
    void cancel_ipc();
    void set_pstate(u64 value);
    [[nodiscard]] bool runs() const;
    /// MCS: it would run, but has used up what its scheduling context has.
    [[nodiscard]] bool waits_for_budget() const;

    State state = State::inactive;
    std::array<u64, kRegisters> registers{};
    Capability cspace;
    Capability vspace;
    u64 fault_handler = 0;     ///< not MCS: its number in `cspace`
    Capability fault_endpoint; ///< MCS
    u64 priority = 0;
    u64 max_priority = 0;
    u64 affinity = 0;
    SchedContext *context = nullptr;
    Vcpu *vcpu = nullptr;
    Notification *notification = nullptr; ///< bound
    Endpoint *sends_to = nullptr;
    Reply *reply = nullptr; ///< MCS: what answers it
    bool forges = false;    ///< it has sent a message of its own
    u64 fault = 0;          ///< label of the fault that waits for its answer
};

/// Where the kernel has x0 to x30 among the registers.
[[nodiscard]] unsigned word_of_x(unsigned n);

} // namespace sel4vm::sel4_double
