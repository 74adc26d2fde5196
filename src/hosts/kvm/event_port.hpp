// SPDX-License-Identifier: BSD-2-Clause
//
// What the executor of a process waits for: exits of its vCPUs' threads in the order in which they came, signals, a timeout, and bytes that
// arrived at the console. A pipe of the kernel's (eventfd) wakes it.
//
// Threads: resume_and_wait(), apply() and timeouts on the executor; the rest from any.
#pragma once

#include <hosts/kvm/file.hpp>
#include <hosts/kvm/mailbox.hpp>

#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

namespace sel4vm::kvm {

class Vcpu;

class EventPort final : public sel4vm::EventPort {
public:
    /// Signals are the mailbox's, which several ports may share. Both outlive this.
    EventPort(sel4vm::Clock &clock, Mailbox &mailbox);
    EventPort(const EventPort &) = delete;
    EventPort &operator=(const EventPort &) = delete;
    ~EventPort() { mailbox_.remove(wake_.number()); }

    // -- sel4vm::EventPort
    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override { timeout_ = at_ticks; }
    void cancel_timeout() override { timeout_.reset(); }
    void signal(u64 badge) override { mailbox_.signal(badge); }

    // -- for vCPUs
    /// It has an exit, or, stopped, wants a turn.
    void post(Vcpu &vcpu);
    /// It runs from now on, or does not: when none does, nothing can happen.
    void goes_on() { ++running_; }
    void pauses() { --running_; }
    /// It goes away.
    void forget(Vcpu &vcpu);

    // -- for the console, on the executor
    /// A notification with `badge` says once that `file` can be read; arm_input() makes the next one possible.
    void set_input(int file, u64 badge);
    void arm_input() { input_armed_ = true; }
    /// Nothing more will come.
    void end_input() { input_ = -1; }

private:
    [[nodiscard]] bool take_next(Event &event);
    [[nodiscard]] bool take_news(Event &event);
    [[nodiscard]] bool is_idle();
    void wait();
    void look_at_input(short events);
    [[nodiscard]] std::optional<u64> nanoseconds_left();

    sel4vm::Clock &clock_;
    Mailbox &mailbox_;
    File wake_;
    std::mutex lock_;
    std::deque<Vcpu *> posted_;
    std::atomic<int> running_{0};

    Vcpu *last_ = nullptr; ///< whose exit has no answer yet
    std::optional<u64> timeout_;
    int input_ = -1;
    u64 input_badge_ = 0;
    bool input_armed_ = false;
    bool news_last_ = false; ///< the last event was a signal
    unsigned taken_ = 0;     ///< events since the input was looked at
};

} // namespace sel4vm::kvm
