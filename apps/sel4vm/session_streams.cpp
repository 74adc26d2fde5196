// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/session_streams.hpp>

#include <fcntl.h>
#include <initializer_list>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sel4vm::cli {

SignalDescriptor::SignalDescriptor() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
        struct sigaction action {};
        ::sigaction(number, nullptr, &action);
        if (action.sa_handler != SIG_IGN) // nohup and background jobs of a script mean it
            sigaddset(&wanted, number);
    }
    ::sigprocmask(SIG_BLOCK, &wanted, &before_);
    fd_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

SignalDescriptor::~SignalDescriptor() {
    ::close(fd_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int SignalDescriptor::next() const {
    signalfd_siginfo info{};
    const ssize_t got = ::read(fd_, &info, sizeof info);
    return got == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

StandardOutput::StandardOutput() {
    struct stat status {};
    if (::fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || ::isatty(STDOUT_FILENO) == 1))
        own_ = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

StandardOutput::~StandardOutput() {
    if (own_ >= 0)
        ::close(own_);
}

int StandardOutput::fd() const { return own_ >= 0 ? own_ : STDOUT_FILENO; }

bool same_file(int one, int other) {
    struct stat a {};
    struct stat b {};
    return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

} // namespace sel4vm::cli
