// SPDX-License-Identifier: BSD-2-Clause
//
// The host's serial line as the VMM uses it: log lines and guests' output on one line, plain or marked (docs/console.md).
#pragma once

#include <hosts/el2/platform/console.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/machine/console_switch.hpp>

namespace sel4vm::vmm {

/// Starts each line of the host, and is doubled in guests' output.
inline constexpr u8 kMark = 0x1e;

enum class LineMode : u8 { plain, marked };

/// Output of guests and input for them.
class GuestLine final : public ByteSink, public machine::ByteSource {
public:
    GuestLine(el2::Console &console, LineMode mode) : console_(console), mode_(mode) {}
    void put(std::span<const u8> bytes) override;
    [[nodiscard]] usize read(std::span<u8> out) override { return console_.read(out); }

private:
    el2::Console &console_;
    LineMode mode_;
};

/// Lines of the host and the library: `sel4vm: LEVEL: SOURCE: text`.
class LineLog final : public Log {
public:
    LineLog(el2::Console &console, LineMode mode) : console_(console), mode_(mode) {}
    void line(LogLevel level, std::string_view source, std::string_view text) override;
    void set_level(LogLevel least) { least_ = least; }
    /// The last line of a run, for whoever takes the marks away; nothing on a plain line.
    void exit_status(u8 status);
    /// On a plain line, an unfinished line of a guest is ended first.
    void set_switch(machine::ConsoleSwitch *consoles) { consoles_ = consoles; }

private:
    el2::Console &console_;
    machine::ConsoleSwitch *consoles_ = nullptr;
    LineMode mode_;
    LogLevel least_ = LogLevel::info;
};

} // namespace sel4vm::vmm
