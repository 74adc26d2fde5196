// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/child_process.hpp>
#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/text.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace sel4vm::cli {
namespace {

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw Failure(ExitStatus::emulator_failed, fmt::format("no pipe: {}", error_text(errno)));
    return {ends[0], ends[1]};
}

void close_once(int &fd) {
    if (fd >= 0)
        ::close(std::exchange(fd, -1));
}

void make_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

/// In the child, between fork and exec.
[[noreturn]] void become(char *const *argv, pid_t parent, const std::array<int, 3> &streams, int report) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    // The pipes' descriptors are above 2 (main() opens 0 to 2), so none is overwritten before it is used.
    for (int i = 0; i < 3; ++i)
        ::dup2(streams[static_cast<unsigned>(i)], i);
    if (::getppid() == parent)
        ::execvp(argv[0], argv);
    const int reason = errno;
    static_cast<void>(::write(report, &reason, sizeof reason));
    ::_exit(127);
}

} // namespace

ChildProcess::ChildProcess(const std::vector<std::string> &argv) {
    std::vector<char *> pointers;
    for (const std::string &argument : argv)
        pointers.push_back(const_cast<char *>(argument.c_str())); // SAFETY: exec only reads them
    pointers.push_back(nullptr);

    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    Pipe report = make_pipe(); // closed by a successful exec, else carries errno
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0)
        become(pointers.data(), parent, {in.read_end, out.write_end, err.write_end}, report.write_end);
    const int fork_error = errno;
    for (int *fd : {&in.read_end, &out.write_end, &err.write_end, &report.write_end})
        close_once(*fd);
    input_ = in.write_end;
    output_ = out.read_end;
    errors_ = err.read_end;

    int reason = pid_ < 0 ? fork_error : 0;
    if (pid_ > 0)
        while (::read(report.read_end, &reason, sizeof reason) < 0 && errno == EINTR) {
        }
    close_once(report.read_end);
    if (reason != 0) {
        if (pid_ > 0)
            ::waitpid(pid_, nullptr, 0);
        close_input();
        close_output();
        close_errors();
        const char *own = std::getenv("SEL4VM_QEMU"); // whose name is not what Debian's package is called
        const bool named = own != nullptr && argv.front() == own;
        if (reason == ENOENT && !named)
            throw Failure(
                ExitStatus::emulator_failed,
                fmt::format("{} was not found; install the Debian package qemu-system-arm", shown_path(argv.front())));
        throw Failure(ExitStatus::emulator_failed,
                      fmt::format("{}{} cannot be started: {}", named ? "SEL4VM_QEMU: " : "", shown_path(argv.front()),
                                  error_text(reason)));
    }
    for (const int fd : {input_, output_, errors_})
        make_nonblocking(fd);
}

ChildProcess::~ChildProcess() {
    close_input();
    close_output();
    close_errors();
    if (!poll_status()) {
        signal(SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void ChildProcess::close_input() { close_once(input_); }
void ChildProcess::close_output() { close_once(output_); }
void ChildProcess::close_errors() { close_once(errors_); }

void ChildProcess::signal(int number) const {
    if (!status_)
        ::kill(pid_, number);
}

std::optional<int> ChildProcess::poll_status() {
    int status = 0;
    if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = status;
    return status_;
}

} // namespace sel4vm::cli
