// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/child_process.hpp>
#include <apps/sel4vm/console_session.hpp>
#include <apps/sel4vm/console_streams.hpp>
#include <apps/sel4vm/host_symbols.hpp>
#include <apps/sel4vm/session_streams.hpp>
#include <apps/sel4vm/terminal.hpp>
#include <apps/sel4vm/text.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sel4vm/machine/panic_line.hpp>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace sel4vm::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr usize kBufferBytes = usize{64} * 1024; // beyond it, the faster side waits
constexpr auto kPanicGrace = 2s;                 // a kernel may reboot or switch off by itself
constexpr auto kKillGrace = 2s;
constexpr auto kQuiet = 700ms;

class Session {
public:
    explicit Session(const ConsoleSetup &setup)
        : setup_(setup), input_is_terminal_(::isatty(STDIN_FILENO) == 1), child_(setup.command) {
        if (input_is_terminal_)
            terminal_.emplace(STDIN_FILENO);
    }

    ConsoleEnd run() {
        started_ = Clock::now();
        if (terminal_)
            terminal_->enter();
        while (!finished())
            step();
        if (terminal_)
            terminal_->leave();
        if (const auto line = demux_.finish())
            show_host_line(*line);
        while (child_.errors() >= 0 && read_errors()) {
        }
        return judge();
    }

private:
    // ------------------------------------------------------------ the loop
    [[nodiscard]] bool finished() {
        if (!child_.poll_status() || child_.output() >= 0)
            return false;
        // Whoever reads our output may be slow (a pager); a person who ends the run does not wait for it.
        return to_stdout_.empty() || ending_ != Ending::none;
    }

    void step() {
        enum : usize { signals, keyboard, machine_in, machine_out, machine_errors, screen, count };
        std::array<pollfd, count> fds{};
        for (pollfd &entry : fds)
            entry.fd = -1;
        fds[signals] = {signals_.fd(), POLLIN, 0};
        if (!input_ended_ && to_machine_.size() < kBufferBytes)
            fds[keyboard] = {STDIN_FILENO, POLLIN, 0};
        if (!to_machine_.empty() && input_may_flow())
            fds[machine_in] = {child_.input(), POLLOUT, 0};
        if (to_stdout_.size() < kBufferBytes)
            fds[machine_out] = {child_.output(), POLLIN, 0};
        fds[machine_errors] = {child_.errors(), POLLIN, 0};
        if (!to_stdout_.empty())
            fds[screen] = {screen_.fd(), POLLOUT, 0};

        if (::poll(fds.data(), fds.size(), poll_timeout()) < 0 && errno != EINTR)
            throw Failure(ExitStatus::emulator_failed, fmt::format("poll: {}", std::strerror(errno)));
        if (fds[signals].revents != 0)
            handle_signals();
        if (fds[machine_errors].revents != 0)
            read_errors();
        if (fds[machine_out].revents != 0)
            read_machine();
        if (fds[screen].revents != 0)
            write_screen();
        if (fds[keyboard].revents != 0)
            read_input();
        if (fds[machine_in].revents != 0)
            write_machine();
        check_deadlines();
    }

    [[nodiscard]] int poll_timeout() const {
        std::optional<Clock::time_point> next;
        const auto consider = [&next](std::optional<Clock::time_point> at) {
            if (at && (!next || *at < *next))
                next = at;
        };
        if (setup_.time_limit && ending_ == Ending::none)
            consider(started_ + *setup_.time_limit);
        if (panic_ && ending_ == Ending::none)
            consider(panic_at_ + kPanicGrace);
        if (ending_ != Ending::none)
            consider(ending_at_ + kKillGrace);
        if (setup_.progress == Progress::shown && !heard_ && !progress_shown_)
            consider(started_ + 1s);
        if (!to_machine_.empty() && !input_may_flow() && heard_)
            consider(last_heard_ + kQuiet);
        consider(end_due());
        if (!next)
            return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
        return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
    }

    void check_deadlines() {
        const auto now = Clock::now();
        if (ending_ == Ending::none) {
            if (panic_ && now >= panic_at_ + kPanicGrace)
                end(Ending::panic);
            else if (setup_.time_limit && now >= started_ + *setup_.time_limit)
                end(Ending::timeout);
        } else if (now >= ending_at_ + kKillGrace && !child_.poll_status()) {
            child_.signal(SIGKILL);
            child_.close_output();
        }
        if (const auto due = end_due(); due && now >= *due)
            to_machine_ += input_end_.send();
        if (setup_.progress == Progress::shown && !heard_ && !progress_shown_ && now >= started_ + 1s) {
            progress_shown_ = true;
            say("waiting for the guest's first output");
        }
    }

    // ------------------------------------------------------------ streams
    [[nodiscard]] bool input_may_flow() const {
        return input_is_terminal_ || setup_.input_start == InputStart::at_once || input_flows_ ||
               (heard_ && Clock::now() >= last_heard_ + kQuiet);
    }

    void read_input() {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (got <= 0) {
            input_ended_ = true;
            if (!input_is_terminal_)
                to_machine_ += input_end_.send();
            return;
        }
        const std::string_view bytes(buffer.data(), static_cast<usize>(got));
        if (!input_is_terminal_) {
            input_end_.fed(bytes);
            to_machine_ += bytes;
            return;
        }
        const EscapeKeys::Input input = keys_.feed(bytes);
        to_machine_ += input.bytes;
        if (input.action)
            act(*input.action);
    }

    /// When the end of the input is to be sent again.
    [[nodiscard]] std::optional<Clock::time_point> end_due() const {
        if (!to_machine_.empty() || child_.input() < 0 || ending_ != Ending::none ||
            setup_.input_end == InputEndPolicy::once)
            return std::nullopt;
        return input_end_.due();
    }

    void act(EscapeKeys::Action action) {
        switch (action) {
        case EscapeKeys::Action::quit: end(Ending::quit); break;
        case EscapeKeys::Action::suspend: suspend(0); break;
        case EscapeKeys::Action::help:
            fresh_line();
            print(EscapeKeys::kHelp);
            break;
        }
    }

    void write_machine() {
        input_flows_ = true;
        const ssize_t written = ::write(child_.input(), to_machine_.data(), to_machine_.size());
        if (written > 0)
            to_machine_.erase(0, static_cast<usize>(written));
        else if (written < 0 && errno != EINTR && errno != EAGAIN) {
            child_.close_input(); // it is about to end
            to_machine_.clear();
            input_ended_ = true;
        }
    }

    void read_machine() {
        std::array<char, 16384> buffer{};
        const ssize_t got = ::read(child_.output(), buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (got <= 0) {
            child_.close_output();
            return;
        }
        std::string_view guest(buffer.data(), static_cast<usize>(got));
        LineDemux::Output parts;
        if (setup_.protocol == LineProtocol::marked) {
            parts = demux_.feed(guest);
            guest = parts.guest;
        }
        if (!guest.empty()) {
            heard_ = true;
            last_heard_ = Clock::now();
            input_end_.heard(last_heard_);
            to_stdout_ += guest;
            write_screen();
            watch_for_panic(guest);
        }
        for (const std::string &line : parts.host_lines)
            show_host_line(line);
    }

    void watch_for_panic(std::string_view bytes) {
        if (setup_.kernel_panic == KernelPanic::ignored || panic_)
            return;
        // SAFETY: characters may be read as bytes.
        const auto reason = panic_line_.feed({reinterpret_cast<const u8 *>(bytes.data()), bytes.size()});
        if (!reason)
            return;
        panic_ = reason->empty() ? "no reason given" : shortened(*reason);
        panic_at_ = Clock::now();
    }

    void write_screen() {
        while (!to_stdout_.empty()) {
            const ssize_t written = ::write(screen_.fd(), to_stdout_.data(), to_stdout_.size());
            if (written < 0) {
                if (errno == EINTR)
                    continue;
                if (errno != EAGAIN)
                    lose_output();
                return;
            }
            column_zero_ = to_stdout_[static_cast<usize>(written) - 1] == '\n';
            to_stdout_.erase(0, static_cast<usize>(written));
        }
    }

    void lose_output() {
        to_stdout_.clear();
        if (ending_ == Ending::none) {
            signal_ = errno == EPIPE ? SIGPIPE : 0;
            end(Ending::output_lost);
        }
    }

    /// False when there is nothing more to read now.
    bool read_errors() {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::read(child_.errors(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            return true;
        if (got < 0 && errno == EAGAIN)
            return false;
        if (got <= 0) {
            child_.close_errors();
            return false;
        }
        errors_.append(buffer.data(), static_cast<usize>(got));
        if (errors_.size() > kBufferBytes)
            errors_.erase(0, errors_.size() - kBufferBytes);
        return true;
    }

    // ------------------------------------------------------------ signals and endings
    enum class Ending { none, quit, panic, timeout, signal, output_lost };

    void end(Ending why) {
        if (ending_ != Ending::none)
            return;
        ending_ = why;
        ending_at_ = Clock::now();
        input_ended_ = true;
        to_machine_.clear();
        child_.signal(SIGTERM);
        child_.signal(SIGCONT);
    }

    void handle_signals() {
        while (const int number = signals_.next()) {
            if (number == SIGCHLD)
                continue; // finished() looks
            if (number == SIGTSTP) {
                suspend(::getpid());
            } else {
                signal_ = number;
                end(Ending::signal);
            }
        }
    }

    /// Stops this process (or with 0 its whole group, as Ctrl-Z does) until someone continues it.
    void suspend(pid_t whom) {
        if (::getpgrp() == ::getsid(0)) {
            say("there is no shell with job control to go back to");
            return;
        }
        if (terminal_)
            terminal_->leave();
        child_.signal(SIGSTOP);
        ::kill(whom, SIGSTOP);
        child_.signal(SIGCONT);
        if (terminal_)
            terminal_->enter();
    }

    [[nodiscard]] ConsoleEnd judge() {
        const int status = child_.poll_status().value_or(0);
        switch (ending_) {
        case Ending::quit: say("ended by Ctrl-A x"); return {};
        case Ending::signal: return {ExitStatus::emulator_failed, "", signal_};
        case Ending::output_lost:
            return {ExitStatus::emulator_failed, signal_ != 0 ? "" : "standard output cannot be written", signal_};
        case Ending::timeout:
            return {ExitStatus::timeout, fmt::format("{} did not end within {} s", label(),
                                                     std::chrono::duration<double>(*setup_.time_limit).count())};
        case Ending::panic:
        case Ending::none: break;
        }
        if (panic_)
            return {ExitStatus::guest_failed, fmt::format("vm '{}': kernel panic: {}", setup_.vms.front(), *panic_)};
        return judge_machine(status);
    }

    [[nodiscard]] ConsoleEnd judge_machine(int status) {
        const std::string complaint = last_complaint(errors_);
        if (WIFSIGNALED(status))
            return {ExitStatus::emulator_failed,
                    fmt::format("QEMU died of signal {} ({}){}{}", WTERMSIG(status), strsignal(WTERMSIG(status)),
                                complaint.empty() ? "" : ": ", complaint)};
        const u64 code = exit_status_.value_or(static_cast<u64>(WEXITSTATUS(status)));
        if (code == 0 && !exit_status_ && setup_.protocol == LineProtocol::marked && !heard_ && !host_spoke_)
            return {ExitStatus::emulator_failed, complaint.empty()
                                                     ? "QEMU ended before anything was heard of the host program"
                                                     : fmt::format("QEMU: {}", complaint)};
        if (code == 0 && !exit_status_ && setup_.protocol == LineProtocol::marked)
            return {ExitStatus::guest_failed, "the host program ended without a status; its last words are above"};
        if (code == 0)
            return {};
        const ExitStatus kind =
            code == static_cast<u64>(ExitStatus::bad_input) ? ExitStatus::bad_input : ExitStatus::guest_failed;
        if (host_said_why_)
            return {kind, ""};
        if (exit_status_ || (complaint.empty() && heard_))
            return {kind, fmt::format("{} ended with status {}", label(), code)};
        if (complaint.find("unable to find CPU model") != std::string::npos)
            return {ExitStatus::bad_input, fmt::format("QEMU: {}", complaint)};
        return {ExitStatus::emulator_failed,
                fmt::format("QEMU: {}", complaint.empty() ? fmt::format("ended with status {}", code) : complaint)};
    }

    // ------------------------------------------------------------ words for the person
    /// Who the run is about.
    [[nodiscard]] std::string label() const {
        if (!setup_.program.empty())
            return fmt::format("the program '{}'", one_line(setup_.program));
        return setup_.vms.size() == 1 ? fmt::format("vm '{}'", setup_.vms.front())
                                      : fmt::format("the system of {} VMs", setup_.vms.size());
    }
    void show_host_line(const std::string &line) {
        // Not for the person: how the host says with which status it ends, docs/console.md.
        constexpr std::string_view kExit = "exit ";
        if (line.starts_with(kExit)) {
            exit_status_ = parse_number(std::string_view(line).substr(kExit.size()));
            return;
        }
        host_spoke_ = true;
        host_said_why_ = host_said_why_ || line.starts_with("error: ") || line.starts_with("panic: ");
        say(symbols_.explained(line));
    }
    void say(std::string_view text) {
        fresh_line();
        print("sel4vm: " + one_line(text) + "\n"); // what a guest or QEMU said may be part of it
    }
    /// Where guests' output goes to the same terminal, file or pipe, it may stand in the middle of a line.
    void fresh_line() {
        if (one_place_ && !column_zero_)
            print("\n");
        column_zero_ = true;
    }
    void print(std::string_view text) const {
        std::string out;
        for (const char c : text) {
            if (c == '\n' && terminal_)
                out += '\r';
            out += c;
        }
        std::fwrite(out.data(), 1, out.size(), stderr);
        std::fflush(stderr);
    }

    const ConsoleSetup &setup_;
    SignalDescriptor signals_; // first: the other members must not be torn down by a signal
    const bool input_is_terminal_;
    StandardOutput screen_;
    const bool one_place_ = same_file(STDOUT_FILENO, STDERR_FILENO);
    ChildProcess child_;
    std::optional<RawTerminal> terminal_;
    LineDemux demux_;
    HostSymbols symbols_{setup_.image, setup_.host_elf};
    machine::PanicLine panic_line_;
    EscapeKeys keys_;
    InputEnd input_end_;

    std::string to_machine_;
    std::string to_stdout_;
    std::string errors_;
    bool input_ended_ = false;
    bool input_flows_ = false;
    bool column_zero_ = true;
    bool heard_ = false;
    bool progress_shown_ = false;
    bool host_said_why_ = false;
    bool host_spoke_ = false;
    std::optional<std::string> panic_; // the kernel's reason
    std::optional<u64> exit_status_;
    int signal_ = 0;
    Ending ending_ = Ending::none;
    Clock::time_point started_;
    Clock::time_point last_heard_;
    Clock::time_point panic_at_;
    Clock::time_point ending_at_;
};

} // namespace

ConsoleEnd run_console(const ConsoleSetup &setup) { return Session(setup).run(); }

} // namespace sel4vm::cli
