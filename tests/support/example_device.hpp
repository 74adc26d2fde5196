// SPDX-License-Identifier: BSD-2-Clause
//
// A dice: the example of docs/adding-a-device.md, a whole device in one page. ROLL starts a roll, which takes a second; then FACE
// holds 1 to 6 and the interrupt is pending until STATUS is cleared. It deliberately does not model loaded dice.
#pragma once

#include <sel4vm/dev/register_bank.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/timeout.hpp>

namespace sel4vm::example {

class Dice final : public MmioDevice, private TimeoutHandler {
public:
    static constexpr u64 kRangeBytes = 0x1000;

    /// Everything a guest can see, and nothing else: this is what a snapshot would hold.
    struct State {
        u32 face = 0;
        u32 status = 0; ///< bit 0: a roll has ended
        friend bool operator==(const State &, const State &) = default;
    };

    Dice(IrqLine line, Clock &clock, TimeoutQueue &timeouts, Entropy &entropy)
        : line_(line), clock_(clock), timeouts_(timeouts), entropy_(entropy), roll_(*this) {}
    Dice(const Dice &) = delete;
    Dice &operator=(const Dice &) = delete;
    ~Dice() { timeouts_.cancel(roll_); }

    const char *name() const override { return "dice"; }
    Result<u64, BusFault> read(const Access &access) override;
    Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override {
        timeouts_.cancel(roll_);
        state_ = State{};
        drive_line();
    }
    const State &state() const { return state_; }

private:
    struct Registers;

    void write_roll(u32) { timeouts_.arm(roll_, clock_.now_ticks() + clock_.ticks_per_second()); }
    u32 read_face() { return state_.face; }
    u32 read_status() { return state_.status; }
    void write_status(u32 clear) {
        state_.status &= ~(clear & 1);
        drive_line();
    }

    void timeout() override {
        u8 byte = 0;
        if (!entropy_.fill({&byte, 1}))
            byte = 3; // a host without entropy: a fair choice, made once
        state_.face = byte % 6U + 1;
        state_.status = 1;
        drive_line();
    }
    void drive_line() { line_.set(level_of(state_.status != 0)); }

    IrqLine line_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Entropy &entropy_;
    Timeout roll_;
    State state_;
};

struct Dice::Registers {
    static constexpr auto kBank = dev::register_bank<Dice, Dice::kRangeBytes>(std::array{
        dev::constant<Dice>("ID", 0x00, 0x6469'6365),
        dev::reg<Dice, nullptr, &Dice::write_roll>("ROLL", 0x04),
        dev::reg<Dice, &Dice::read_face, nullptr>("FACE", 0x08),
        dev::reg<Dice, &Dice::read_status, &Dice::write_status>("STATUS", 0x0c, dev::kWidths14,
                                                                dev::Narrow::zero_extend),
    });
};

inline Result<u64, BusFault> Dice::read(const Access &access) { return Registers::kBank.read(*this, access); }
inline Status<BusFault> Dice::write(const Access &access, u64 value) {
    return Registers::kBank.write(*this, access, value);
}

} // namespace sel4vm::example
