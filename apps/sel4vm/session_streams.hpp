// SPDX-License-Identifier: BSD-2-Clause
//
// What a console session needs of the operating system: signals that can be waited for, and standard output without blocking.
#pragma once

#include <csignal>

namespace sel4vm::cli {

/// Blocks the signals that end or stop this process and makes them readable; undone at the end.
class SignalDescriptor {
public:
    SignalDescriptor();
    SignalDescriptor(const SignalDescriptor &) = delete;
    SignalDescriptor &operator=(const SignalDescriptor &) = delete;
    ~SignalDescriptor();
    [[nodiscard]] int fd() const { return fd_; }
    /// The next signal, 0 when none is left.
    [[nodiscard]] int next() const;

private:
    int fd_ = -1;
    sigset_t before_{};
};

/// Standard output as a description of its own, so that it can be non-blocking without changing it for other programs.
/// What cannot be reopened (files, sockets) stays as it is.
class StandardOutput {
public:
    StandardOutput();
    StandardOutput(const StandardOutput &) = delete;
    StandardOutput &operator=(const StandardOutput &) = delete;
    ~StandardOutput();
    [[nodiscard]] int fd() const;

private:
    int own_ = -1;
};

[[nodiscard]] bool same_file(int one, int other);

} // namespace sel4vm::cli
