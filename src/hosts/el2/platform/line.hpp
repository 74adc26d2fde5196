// SPDX-License-Identifier: BSD-2-Clause
//
// The host's serial line as the programs on it share it: lines of the host, and bytes of guests or of a C program, plain or
// marked so that a tool can tell them apart (docs/console.md). Deliberately no input and no policy about who may speak.
#pragma once

#include <hosts/el2/platform/console.hpp>

#include <sel4vm/host/services.hpp>

#include <initializer_list>
#include <string_view>

namespace sel4vm::el2 {

/// Starts each line of the host on a marked line, and is doubled in everything else.
inline constexpr u8 kLineMark = 0x1e;

enum class LineMode : u8 { plain, marked };

/// "sel4vm: PART: PART: ..." as one whole line, whatever is in the parts: control characters are shown as \xNN.
void print_message(Console &console, std::initializer_list<std::string_view> parts);

/// Everything that is not a line of the host.
class LineOutput final : public ByteSink {
public:
    LineOutput(Console &console, LineMode mode) : console_(console), mode_(mode) {}
    void put(std::span<const u8> bytes) override;

private:
    Console &console_;
    LineMode mode_;
};

/// Whoever may have a line unfinished when a line of the host comes in between.
class UnfinishedLine {
public:
    virtual void end_line() = 0;

protected:
    ~UnfinishedLine() = default;
};

/// Lines of the host: `sel4vm: LEVEL: SOURCE: text`.
class LineLog final : public Log {
public:
    LineLog(Console &console, LineMode mode) : console_(console), mode_(mode) {}
    void line(LogLevel level, std::string_view source, std::string_view text) override;
    void set_level(LogLevel least) { least_ = least; }
    /// The last line of a run, for whoever takes the marks away; nothing on a plain line.
    void exit_status(u8 status);
    /// On a plain line, `other` ends its line first.
    void set_other(UnfinishedLine *other) { other_ = other; }

private:
    Console &console_;
    UnfinishedLine *other_ = nullptr;
    LineMode mode_;
    LogLevel least_ = LogLevel::info;
};

} // namespace sel4vm::el2
