// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/terminal.hpp>

#include <csignal>
#include <poll.h>
#include <termios.h>

namespace sel4vm::kvm {

namespace {

// A signal's handler must find it, and a process has one terminal.
termios terminal_before;

void restore() { tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before); }

void restore_and_end(int number) {
    restore();
    std::signal(number, SIG_DFL);
    std::raise(number);
}

bool make_raw() {
    if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &terminal_before) != 0)
        return false;
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
        std::signal(number, restore_and_end);
    termios raw = terminal_before;
    raw.c_lflag &= ~tcflag_t{ICANON | ECHO};
    raw.c_iflag &= ~tcflag_t{ICRNL | IXON};
    return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

} // namespace

Terminal::~Terminal() {
    if (is_raw_)
        restore();
}

void put_bytes(std::span<const u8> bytes) {
    while (!bytes.empty()) {
        const ssize_t done = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return; // nobody listens any more
        bytes = bytes.subspan(done > 0 ? static_cast<usize>(done) : 0);
    }
}

usize Terminal::read(std::span<u8> out) {
    usize count = 0;
    while (count < out.size() && !at_end_) {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        if (poll(&input, 1, 0) <= 0)
            break;
        const ssize_t got = ::read(STDIN_FILENO, out.data() + count, out.size() - count);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            break;
        at_end_ = got <= 0;
        count += got > 0 ? static_cast<usize>(got) : 0;
    }
    if (at_end_)
        events_.end_input();
    else if (count < out.size())
        events_.arm_input();
    return count;
}

void Terminal::listen(u64 badge) {
    is_raw_ = is_raw_ || make_raw();
    events_.set_input(STDIN_FILENO, badge);
}

} // namespace sel4vm::kvm
