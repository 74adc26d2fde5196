// SPDX-License-Identifier: BSD-2-Clause
//
// PrimeCell general purpose input/output PL061, Arm DDI 0190 revision B, with a power button at pin 3, where QEMU's `virt` board has it.
//
// Modelled: every register of section 3.2 but the integration test ones, edge and level interrupts of input pins, masked data accesses.
// Simplified on purpose:
// - Nothing but the button is at the pins: the others read as low when they are inputs, and outputs go nowhere but into their own read-back.
// - Mode control (GPIOAFSEL) is stored and has no effect: there is no hardware that would take a pin over.
// - A pin that is an output raises no interrupt.
// A press holds pin 3 high for 100 ms of the host's clock, which is longer than drivers take a button to bounce; another press meanwhile holds
// it for 100 ms from then on. A reset lets it go.
//
// Threads: its own lock. Accesses come on the executors of the VM's vCPUs, the timeout on the one that owns the queue; press() takes no
// lock, and leaves the rest to the timeout.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/device.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/power_button.hpp>
#include <sel4vm/vm/timeout.hpp>

#include <atomic>

namespace sel4vm::dev {

class RegisterUse;

class Pl061 final : public MmioDevice, public PowerButton, private TimeoutHandler {
public:
    static constexpr u64 kRangeBytes = 0x1000;
    static constexpr u32 kButtonPin = 3;
    static constexpr u64 kPressesInASecond = 10; ///< how long one lasts

    /// Everything a guest can see; bit N is pin N.
    struct State {
        u8 inputs = 0;     ///< what is at the pins from outside
        u8 outputs = 0;    ///< what the guest wrote to pins that were outputs then
        u8 directions = 0; ///< GPIODIR: 1 is an output
        u8 levels = 0;     ///< GPIOIS: 1 is level-sensitive
        u8 both_edges = 0; ///< GPIOIBE
        u8 event = 0;      ///< GPIOIEV: 1 is a rising edge, or a high level
        u8 mask = 0;       ///< GPIOIE
        u8 edges = 0;      ///< edges that were seen and not cleared
        u8 functions = 0;  ///< GPIOAFSEL
        friend bool operator==(const State &, const State &) = default;
    };

    Pl061(IrqLine line, Clock &clock, TimeoutQueue &timeouts, LockMode locks = LockMode::none);
    Pl061(const Pl061 &) = delete;
    Pl061 &operator=(const Pl061 &) = delete;
    ~Pl061();

    // PowerButton
    void press() override;

    [[nodiscard]] const char *name() const override { return "pl061"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
    void reset() override;
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    /// Both while no vCPU of the VM runs.
    [[nodiscard]] const State &state() const { return state_; }
    /// A button that was pressed is let go 100 ms from now.
    void restore(const State &state);

private:
    struct Registers;

    u32 read_data(RegisterUse use);
    void write_data(RegisterUse use, u32 value);
    u32 read_directions() { return state_.directions; }
    void write_directions(u32 value) { set(state_.directions, value); }
    u32 read_levels() { return state_.levels; }
    void write_levels(u32 value) { set(state_.levels, value); }
    u32 read_both_edges() { return state_.both_edges; }
    void write_both_edges(u32 value) { set(state_.both_edges, value); }
    u32 read_event() { return state_.event; }
    void write_event(u32 value) { set(state_.event, value); }
    u32 read_mask() { return state_.mask; }
    void write_mask(u32 value) { set(state_.mask, value); }
    u32 read_raw() { return raw(); }
    u32 read_masked() { return raw() & state_.mask; }
    void write_clear(u32 value);
    u32 read_functions() { return state_.functions; }
    void write_functions(u32 value) { set(state_.functions, value); }

    [[nodiscard, gnu::noinline]] u8 raw() const;
    [[gnu::noinline]] void set(u8 &what, u32 value);
    [[gnu::noinline]] void set_inputs(u8 inputs);
    void hold();
    void timeout() override;
    [[gnu::noinline]] void drive_line();

    IrqLine line_;
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Mutex lock_;    // of all that follows
    Timeout timer_; ///< of a press, to begin at once, or to end
    u64 release_at_ticks_ = 0;
    Level driven_ = Level::low;
    State state_;
    std::atomic<bool> asked_{false}; ///< for a press
};

} // namespace sel4vm::dev
