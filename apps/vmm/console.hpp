// SPDX-License-Identifier: BSD-2-Clause
//
// The host's serial line as the VMM uses it: several guests take turns on it through a ConsoleSwitch (docs/console.md).
#pragma once

#include <hosts/el2/platform/line.hpp>
#include <sel4vm/machine/console_switch.hpp>

namespace sel4vm::vmm {

/// Output of guests and input for them.
class GuestLine final : public ByteSink, public ByteSource {
public:
    GuestLine(el2::Console &console, el2::LineMode mode) : console_(console), output_(console, mode) {}
    void put(std::span<const u8> bytes) override { output_.put(bytes); }
    [[nodiscard]] usize read(std::span<u8> out) override { return console_.read(out); }

private:
    el2::Console &console_;
    el2::LineOutput output_;
};

/// The guests' unfinished line, once there is a switch.
class GuestsLine final : public el2::UnfinishedLine {
public:
    void set_switch(machine::ConsoleSwitch *consoles) { consoles_ = consoles; }
    void end_line() override {
        if (consoles_ != nullptr)
            consoles_->interrupt_line();
    }

private:
    machine::ConsoleSwitch *consoles_ = nullptr;
};

} // namespace sel4vm::vmm
