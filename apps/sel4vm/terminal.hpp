// SPDX-License-Identifier: BSD-2-Clause
//
// The person's terminal in raw mode while a guest uses it, and back as it was whatever happens: normal end, exception,
// signal, and even SIGKILL of the tool, for which a small process stands by that does nothing but wait for that.
#pragma once

#include <sys/types.h>
#include <termios.h>

namespace sel4vm::cli {

class RawTerminal {
public:
    /// `fd` must be a terminal. Remembers its modes and starts the stand-by process; changes nothing yet.
    explicit RawTerminal(int fd);
    RawTerminal(const RawTerminal &) = delete;
    RawTerminal &operator=(const RawTerminal &) = delete;
    ~RawTerminal();

    void enter();
    void leave();

private:
    void start_guardian();
    int fd_;
    termios before_{};
    bool raw_ = false;
    pid_t guardian_ = -1;
    int guardian_pipe_ = -1;
};

} // namespace sel4vm::cli
