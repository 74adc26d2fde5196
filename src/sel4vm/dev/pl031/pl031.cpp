// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pl031/pl031.hpp>

#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {

struct Pl031::Registers {
    using D = Pl031;
    // A PrimeCell has no byte strobes: a narrow store writes zeros beside, a narrow load takes its part of the register.
    static constexpr Widths kAny = kWidths124;
    static constexpr Narrow kNarrow = Narrow::zero_extend;
    static constexpr auto kBank = register_bank<D, Pl031::kRangeBytes, RowSearch::bisection>(std::array{
        reg<D, &D::read_dr, nullptr>("RTCDR", 0x000, kAny, kNarrow),
        reg<D, &D::read_mr, &D::write_mr>("RTCMR", 0x004, kAny, kNarrow),
        reg<D, &D::read_lr, &D::write_lr>("RTCLR", 0x008, kAny, kNarrow),
        constant<D>("RTCCR", 0x00c, 1),
        reg<D, &D::read_imsc, &D::write_imsc>("RTCIMSC", 0x010, kAny, kNarrow),
        reg<D, &D::read_ris, nullptr>("RTCRIS", 0x014, kAny, kNarrow),
        reg<D, &D::read_mis, nullptr>("RTCMIS", 0x018, kAny, kNarrow),
        reg<D, nullptr, &D::write_icr>("RTCICR", 0x01c, kAny, kNarrow),
        constant<D>("RTCPeriphID0", 0xfe0, 0x31),
        constant<D>("RTCPeriphID1", 0xfe4, 0x10),
        constant<D>("RTCPeriphID2", 0xfe8, 0x14),
        constant<D>("RTCPeriphID3", 0xfec, 0x00),
        constant<D>("RTCPCellID0", 0xff0, 0x0d),
        constant<D>("RTCPCellID1", 0xff4, 0xf0),
        constant<D>("RTCPCellID2", 0xff8, 0x05),
        constant<D>("RTCPCellID3", 0xffc, 0xb1),
    });
};

Pl031::Pl031(IrqLine line, Clock &clock, TimeoutQueue &timeouts, LockMode locks)
    : line_(line), clock_(clock), timeouts_(timeouts), lock_(LockRank::device, locks), alarm_(*this) {
    const auto wall = clock.wall_clock_seconds();
    // The counter has 32 bits; a host's later time wraps as the hardware's would.
    state_.anchor_seconds = wall ? static_cast<u32>(*wall) : kFixedEpochSeconds;
    state_.anchor_ticks = clock.now_ticks();
}

Pl031::~Pl031() { timeouts_.cancel(alarm_); }

Result<u64, BusFault> Pl031::read(const Access &access) {
    LockGuard guard(lock_);
    return Registers::kBank.read(*this, access);
}

Status<BusFault> Pl031::write(const Access &access, u64 value) {
    LockGuard guard(lock_);
    return Registers::kBank.write(*this, access, value);
}

void Pl031::reset() {
    LockGuard guard(lock_);
    no_alarm();
    state_ = State{.anchor_ticks = state_.anchor_ticks, .anchor_seconds = state_.anchor_seconds};
    drive_line();
}

void Pl031::restore(const State &state) {
    LockGuard guard(lock_);
    state_ = state;
    state_.raw &= 1;
    state_.mask &= 1;
    set_alarm();
    drive_line();
}

u32 Pl031::seconds_now() {
    const u64 elapsed = clock_.now_ticks() - state_.anchor_ticks;
    return state_.anchor_seconds + static_cast<u32>(elapsed / clock_.ticks_per_second());
}

/// The match is an equality, so a time in the past comes after the counter has wrapped: nearly 136 years.
void Pl031::set_alarm() {
    const u32 seconds_left = state_.match - seconds_now();
    if (seconds_left == 0) {
        no_alarm();
        match();
        return;
    }
    const u64 rate = clock_.ticks_per_second();
    const u64 whole = (clock_.now_ticks() - state_.anchor_ticks) / rate;
    // An alarm beyond what 64 bits of ticks hold never comes.
    u64 ticks = 0;
    if (__builtin_mul_overflow(whole + seconds_left, rate, &ticks) ||
        __builtin_add_overflow(ticks, state_.anchor_ticks, &ticks)) {
        no_alarm();
        return;
    }
    alarm_set_ = true;
    timeouts_.arm(alarm_, ticks);
}

void Pl031::no_alarm() {
    alarm_set_ = false;
    timeouts_.cancel(alarm_);
}

void Pl031::match() {
    state_.raw = 1;
    drive_line();
}

// It was taken back or moved while this was on its way: then it is not its time.
void Pl031::timeout() {
    LockGuard guard(lock_);
    if (!alarm_set_ || clock_.now_ticks() < alarm_.deadline_ticks())
        return;
    alarm_set_ = false;
    match();
}

void Pl031::drive_line() {
    const Level level = level_of((state_.raw & state_.mask) != 0);
    if (level == driven_)
        return;
    driven_ = level;
    line_.set(level);
}

void Pl031::write_mr(u32 value) {
    state_.match = value;
    set_alarm();
}

void Pl031::write_lr(u32 value) {
    state_.load = value;
    state_.anchor_seconds = value;
    state_.anchor_ticks = clock_.now_ticks();
    set_alarm();
}

void Pl031::write_imsc(u32 value) {
    state_.mask = value & 1;
    drive_line();
}

void Pl031::write_icr(u32 value) {
    state_.raw &= ~(value & 1);
    drive_line();
}

} // namespace sel4vm::dev
