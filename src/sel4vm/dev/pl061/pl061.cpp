// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pl061/pl061.hpp>

#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {

struct Pl061::Registers {
    using D = Pl061;
    // A PrimeCell has no byte strobes: a narrow store writes zeros beside, a narrow load takes its part of the register.
    static constexpr Widths kAny = kWidths124;
    static constexpr Narrow kNarrow = Narrow::zero_extend;
    static constexpr auto kBank = register_bank<D, Pl061::kRangeBytes, RowSearch::bisection>(std::array{
        family(reg<D, &D::read_data, &D::write_data>("GPIODATA", 0x000, kAny, kNarrow), 256),
        reg<D, &D::read_directions, &D::write_directions>("GPIODIR", 0x400, kAny, kNarrow),
        reg<D, &D::read_levels, &D::write_levels>("GPIOIS", 0x404, kAny, kNarrow),
        reg<D, &D::read_both_edges, &D::write_both_edges>("GPIOIBE", 0x408, kAny, kNarrow),
        reg<D, &D::read_event, &D::write_event>("GPIOIEV", 0x40c, kAny, kNarrow),
        reg<D, &D::read_mask, &D::write_mask>("GPIOIE", 0x410, kAny, kNarrow),
        reg<D, &D::read_raw, nullptr>("GPIORIS", 0x414, kAny, kNarrow),
        reg<D, &D::read_masked, nullptr>("GPIOMIS", 0x418, kAny, kNarrow),
        reg<D, nullptr, &D::write_clear>("GPIOIC", 0x41c, kAny, kNarrow),
        reg<D, &D::read_functions, &D::write_functions>("GPIOAFSEL", 0x420, kAny, kNarrow),
        constant<D>("GPIOPeriphID0", 0xfe0, 0x61),
        constant<D>("GPIOPeriphID1", 0xfe4, 0x10),
        constant<D>("GPIOPeriphID2", 0xfe8, 0x04),
        constant<D>("GPIOPeriphID3", 0xfec, 0x00),
        constant<D>("GPIOPCellID0", 0xff0, 0x0d),
        constant<D>("GPIOPCellID1", 0xff4, 0xf0),
        constant<D>("GPIOPCellID2", 0xff8, 0x05),
        constant<D>("GPIOPCellID3", 0xffc, 0xb1),
    });
};

Pl061::Pl061(IrqLine line, Clock &clock, TimeoutQueue &timeouts, LockMode locks)
    : line_(line), clock_(clock), timeouts_(timeouts), lock_(LockRank::device, locks), timer_(*this) {}

Pl061::~Pl061() { timeouts_.cancel(timer_); }

Result<u64, BusFault> Pl061::read(const Access &access) {
    LockGuard guard(lock_);
    return Registers::kBank.read(*this, access);
}

Status<BusFault> Pl061::write(const Access &access, u64 value) {
    LockGuard guard(lock_);
    return Registers::kBank.write(*this, access, value);
}

void Pl061::reset() {
    LockGuard guard(lock_);
    timeouts_.cancel(timer_);
    asked_.store(false, std::memory_order_relaxed);
    state_ = State{};
    drive_line();
}

void Pl061::restore(const State &state) {
    LockGuard guard(lock_);
    state_ = state;
    state_.inputs &= 1U << kButtonPin;
    if (state_.inputs != 0)
        hold();
    else
        timeouts_.cancel(timer_);
    drive_line();
}

// -- the button

// Who presses may be inside another device, with its lock.
void Pl061::press() {
    asked_.store(true, std::memory_order_relaxed);
    timeouts_.arm(timer_, clock_.now_ticks());
}

void Pl061::hold() {
    release_at_ticks_ = clock_.now_ticks() + clock_.ticks_per_second() / kPressesInASecond;
    timeouts_.arm(timer_, release_at_ticks_);
}

// What it was armed for may have been taken back by a reset while this was on its way.
void Pl061::timeout() {
    LockGuard guard(lock_);
    if (asked_.exchange(false, std::memory_order_relaxed)) {
        set_inputs(1U << kButtonPin);
        hold();
    } else if (clock_.now_ticks() >= release_at_ticks_) {
        set_inputs(0);
    }
}

void Pl061::set_inputs(u8 inputs) {
    const u8 changed = (state_.inputs ^ inputs) & static_cast<u8>(~state_.directions);
    const u8 rising = changed & inputs;
    const u8 falling = changed & static_cast<u8>(~inputs);
    const u8 one_edge = (rising & state_.event) | (falling & static_cast<u8>(~state_.event));
    const u8 seen = (changed & state_.both_edges) | (one_edge & static_cast<u8>(~state_.both_edges));
    state_.edges |= seen & static_cast<u8>(~state_.levels);
    state_.inputs = inputs;
    drive_line();
}

// -- registers

u8 Pl061::raw() const {
    const auto active = static_cast<u8>(~(state_.inputs ^ state_.event));
    const auto at_level = static_cast<u8>(active & state_.levels & ~state_.directions);
    return static_cast<u8>(at_level | (state_.edges & ~state_.levels));
}

void Pl061::set(u8 &what, u32 value) {
    what = static_cast<u8>(value);
    drive_line();
}

// Bits 9 to 2 of the address choose the pins that an access is about.
u32 Pl061::read_data(RegisterUse use) {
    const u32 pins = (state_.outputs & state_.directions) | (state_.inputs & ~u32{state_.directions});
    return pins & use.index();
}

void Pl061::write_data(RegisterUse use, u32 value) {
    const u32 chosen = use.index() & state_.directions;
    state_.outputs = static_cast<u8>((state_.outputs & ~chosen) | (value & chosen));
}

void Pl061::write_clear(u32 value) {
    state_.edges &= static_cast<u8>(~value);
    drive_line();
}

void Pl061::drive_line() {
    const Level level = level_of((raw() & state_.mask) != 0);
    if (level == driven_)
        return;
    driven_ = level;
    line_.set(level);
}

} // namespace sel4vm::dev
