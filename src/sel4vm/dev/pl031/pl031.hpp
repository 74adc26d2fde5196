// SPDX-License-Identifier: BSD-2-Clause
//
// PrimeCell real time clock PL031, Arm DDI 0224, revision r1p3: seconds since 1970 in 32 bits, with an alarm.
//
// The clock is set from the host's wall clock once, when the device is made (from kFixedEpochSeconds where the host
// knows no time of day), and then counts whole seconds of the monotonic clock, so that it never jumps and an alarm is exact.
// What a guest writes to LR stays in force over a reset, as in a battery-backed clock; everything else returns to its reset value.
// Deviation: RTCCR reads as started from the beginning, because there is no firmware that would start it; it cannot be stopped.
// That is also what a started PL031 does.
//
// Threads: its own lock. Accesses come on the executors of the VM's vCPUs, the timeout on the one that owns the queue.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/timeout.hpp>

namespace sel4vm::dev {

class Pl031 final : public MmioDevice, private TimeoutHandler {
public:
    static constexpr u64 kRangeBytes = 0x1000;
    /// The time at start where the host has no wall clock, in seconds since 1970: 2026-01-01 00:00:00 UTC.
    static constexpr u32 kFixedEpochSeconds = 1'767'225'600;

    /// Everything a guest can see. The counter is anchor_seconds plus the whole seconds since anchor_ticks.
    struct State {
        u64 anchor_ticks = 0;
        u32 anchor_seconds = 0;
        u32 match = 0;
        u32 load = 0;
        u32 mask = 0; ///< RTCIMSC bit 0
        u32 raw = 0;  ///< RTCRIS bit 0
        u32 reserved = 0;
        friend bool operator==(const State &, const State &) = default;
    };

    Pl031(IrqLine line, Clock &clock, TimeoutQueue &timeouts, LockMode locks = LockMode::none);
    Pl031(const Pl031 &) = delete;
    Pl031 &operator=(const Pl031 &) = delete;
    ~Pl031();

    [[nodiscard]] const char *name() const override { return "pl031"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    /// Both while no vCPU of the VM runs.
    [[nodiscard]] const State &state() const { return state_; }
    void restore(const State &state);

private:
    struct Registers;

    u32 read_dr() { return seconds_now(); }
    u32 read_mr() { return state_.match; }
    void write_mr(u32 value);
    u32 read_lr() { return state_.load; }
    void write_lr(u32 value);
    u32 read_imsc() { return state_.mask; }
    void write_imsc(u32 value);
    u32 read_ris() { return state_.raw; }
    u32 read_mis() { return state_.raw & state_.mask; }
    void write_icr(u32 value);

    void timeout() override;
    [[nodiscard]] u32 seconds_now();
    void set_alarm();
    void no_alarm();
    void match();
    void drive_line();

    IrqLine line_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Mutex lock_; // of all that follows
    Timeout alarm_;
    bool alarm_set_ = false;
    Level driven_ = Level::low;
    State state_;
};

} // namespace sel4vm::dev
