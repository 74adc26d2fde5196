// SPDX-License-Identifier: BSD-2-Clause
//
// The host's serial line as the VMM uses it: several guests take turns on it through a ConsoleSwitch (docs/console.md), and the host between them.
#pragma once

#include <hosts/el2/platform/line.hpp>
#include <sel4vm/machine/console_switch.hpp>

namespace sel4vm::vmm {

/// Output of guests and input for them.
class GuestLine final : public ByteSink, public ByteSource {
public:
    GuestLine(el2::Console &console, el2::LineMode mode, InputFlow flow)
        : console_(console), output_(console, mode), flow_(flow) {}
    void put(std::span<const u8> bytes) override { output_.put(bytes); }
    [[nodiscard]] usize read(std::span<u8> out) override { return console_.read(out); }
    [[nodiscard]] InputFlow flow() const override { return flow_; }

private:
    el2::Console &console_;
    el2::LineOutput output_;
    InputFlow flow_;
};

/// The host's lines among those of guests, on any CPU, once there is a switch.
class SharedLog final : public Log, private el2::UnfinishedLine {
public:
    SharedLog(el2::Console &console, el2::LineMode mode) : log_(console, mode) { log_.set_other(this); }
    void set_switch(machine::ConsoleSwitch *consoles) { consoles_ = consoles; }
    void set_level(LogLevel least) { log_.set_level(least); }
    void exit_status(u8 status) { log_.exit_status(status); }
    void line(LogLevel level, std::string_view source, std::string_view text) override {
        if (consoles_ == nullptr)
            log_.line(level, source, text);
        else
            consoles_->exclusively([&] { log_.line(level, source, text); });
    }

private:
    void end_line() override {
        if (consoles_ != nullptr)
            consoles_->interrupt_line();
    }
    el2::LineLog log_;
    machine::ConsoleSwitch *consoles_ = nullptr;
};

} // namespace sel4vm::vmm
