// SPDX-License-Identifier: BSD-2-Clause
//
// What passes between the person's terminal and the emulated machine's serial line, as pure state machines: bytes in,
// bytes and events out. The protocol on the line is described in docs/console.md. Deliberately no file descriptors here.
#pragma once

#include <sel4vm/base/types.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sel4vm::cli {

/// Separates the host's own lines from the guests' output. The host starts each of its lines with kMark and ends it with a
/// newline, and doubles a kMark that a guest prints, so a guest can neither lose a byte nor speak as the host.
class LineDemux {
public:
    static constexpr char kMark = '\x1e';

    struct Output {
        std::string guest;
        std::vector<std::string> host_lines; // without mark, line end and the prefix "sel4vm: "
    };
    [[nodiscard]] Output feed(std::string_view bytes);
    /// What was cut off in the middle: an unfinished host line, when the machine died in it.
    [[nodiscard]] std::optional<std::string> finish();

private:
    enum class State : u8 { guest, marked, host };
    std::string take_line();
    State state_ = State::guest;
    std::string line_;
};

/// What the keyboard asks of the tool itself: Ctrl-A, then one key.
class EscapeKeys {
public:
    enum class Action : u8 { quit, help, suspend };
    struct Input {
        std::string bytes;            // for the guest
        std::optional<Action> action; // what follows it is dropped
    };
    [[nodiscard]] Input feed(std::string_view bytes);
    static constexpr std::string_view kHelp = "Ctrl-A x  end the emulated machine\n"
                                              "Ctrl-A z  stop here and go back to the shell (fg goes on)\n"
                                              "Ctrl-A a  send Ctrl-A to the guest\n"
                                              "Ctrl-A h  this help\n";

private:
    bool escaped_ = false;
};

/// The end of input that is not a terminal, as Ctrl-D. A file stays at its end, but what a terminal's reader finds it finds once, and a
/// guest that is starting or busy may not find it at all. So it is sent again each time that the guest has said something and is quiet. A
/// terminal's reader also waits for the end of the last line, where the input had none: a newline goes before the second.
class InputEnd {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kQuiet{2};
    /// For a guest that starts a new shell for each one.
    static constexpr unsigned kMost = 100;

    /// What the input holds, before its end.
    void fed(std::string_view bytes);
    /// The input has ended, or due() has come: what to send.
    [[nodiscard]] std::string_view send();
    /// The guest has said something.
    void heard(Clock::time_point when);
    /// When to send the next one, if nothing is heard until then.
    [[nodiscard]] std::optional<Clock::time_point> due() const;

private:
    bool line_open_ = false;
    unsigned sent_ = 0;
    std::optional<Clock::time_point> heard_; // since the last one
};

/// QEMU's last line on standard error, without its name.
[[nodiscard]] std::string last_complaint(std::string_view errors);

} // namespace sel4vm::cli
