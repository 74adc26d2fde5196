// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/terminal.hpp>
#include <apps/sel4vm/text.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

void set_modes(int fd, const termios &modes) {
    while (::tcsetattr(fd, TCSADRAIN, &modes) != 0 && errno == EINTR) {
    }
}

/// Waits until the tool writes a byte (all is well) or dies (put the modes back). Only async-signal-safe calls.
[[noreturn]] void guard(int fd, const termios &modes, int pipe_end) {
    for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTOU, SIGHUP})
        std::signal(number, SIG_IGN);
    ::setpgid(0, 0); // a signal to the tool's group is not meant for this process
    char byte = 0;
    ssize_t got = 0;
    do {
        got = ::read(pipe_end, &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        ::tcsetattr(fd, TCSANOW, &modes);
    ::_exit(0);
}

} // namespace

RawTerminal::RawTerminal(int fd) : fd_(fd) {
    if (::tcgetattr(fd_, &before_) != 0)
        throw Failure(ExitStatus::emulator_failed,
                      fmt::format("the terminal's modes cannot be read: {}", error_text(errno)));
    start_guardian();
}

RawTerminal::~RawTerminal() {
    leave();
    if (guardian_pipe_ >= 0) {
        const char byte = 0;
        static_cast<void>(::write(guardian_pipe_, &byte, 1));
        ::close(guardian_pipe_);
    }
    if (guardian_ > 0)
        ::waitpid(guardian_, nullptr, 0);
}

void RawTerminal::start_guardian() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return; // it is a second line of defence: without it only SIGKILL leaves the terminal raw
    guardian_ = ::fork();
    if (guardian_ == 0) {
        const int terminal = ::fcntl(fd_, F_DUPFD, 10);
        const int pipe_end = ::fcntl(ends[0], F_DUPFD, 11);
        // Everything else is closed: a reader of the tool's output must see its end when the tool ends.
        for (int fd = 0; fd < 1024; ++fd) {
            if (fd != terminal && fd != pipe_end)
                ::close(fd);
        }
        guard(terminal, before_, pipe_end);
    }
    ::close(ends[0]);
    if (guardian_ < 0)
        ::close(ends[1]);
    else
        guardian_pipe_ = ends[1];
}

void RawTerminal::enter() {
    if (raw_)
        return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    raw_ = true;
    set_modes(fd_, raw);
}

void RawTerminal::leave() {
    if (!raw_)
        return;
    raw_ = false;
    set_modes(fd_, before_);
}

} // namespace sel4vm::cli
