// SPDX-License-Identifier: BSD-2-Clause
//
// A run on the fake host as plain data, and the port that replays it: the same events to another machine, which must give
// the same answers. Recorded are the events, what the guest's first registers held, and the time.
#pragma once

#include <hosts/fake/services.hpp>
#include <hosts/fake/vcpu.hpp>
#include <sel4vm/vm/recording.hpp>

#include <array>
#include <deque>
#include <span>
#include <string>
#include <vector>

namespace sel4vm::test {

using Arguments = std::array<u64, 4>;

struct Recorded {
    EventRecord record;
    Arguments registers{}; ///< x0 to x3 when the event came
};

/// Keeps everything that a RecordingPort sees.
class Recording final : public EventSink {
public:
    explicit Recording(std::deque<fake::Vcpu> &vcpus) : vcpus_(vcpus) {}

    void record(const EventRecord &record) override { run.push_back({record, arriving_}); }
    /// The registers change while the event is handled, so they are kept before.
    void arrives(const Event &event) {
        arriving_ = {};
        if (event.kind != EventKind::exit)
            return;
        for (unsigned n = 0; n < arriving_.size(); ++n)
            arriving_[n] = vcpus_[event.vcpu.value()].general_register(n);
    }

    std::vector<Recorded> run;

private:
    std::deque<fake::Vcpu> &vcpus_;
    Arguments arriving_{};
};

/// Between a host's port and a RecordingPort.
class ArrivalPort final : public EventPort {
public:
    ArrivalPort(EventPort &port, Recording &recording) : port_(port), recording_(recording) {}
    void resume_and_wait(Answer answer, Event &event) override {
        port_.resume_and_wait(answer, event);
        recording_.arrives(event);
    }
    void apply(Answer answer) override { port_.apply(answer); }
    void set_timeout(u64 at_ticks) override { port_.set_timeout(at_ticks); }
    void cancel_timeout() override { port_.cancel_timeout(); }
    void signal(u64 badge) override { port_.signal(badge); }

private:
    EventPort &port_;
    Recording &recording_;
};

/// Delivers a recorded run, and compares each answer with the recorded one.
class ReplayPort final : public EventPort {
public:
    ReplayPort(std::deque<fake::Vcpu> &vcpus, fake::Clock &clock) : vcpus_(vcpus), clock_(clock) {}

    void load(std::span<const Recorded> run) { left_ = run; }
    void resume_and_wait(Answer answer, Event &event) override {
        if (open_)
            apply(answer);
        if (left_.empty()) {
            event = Event{}; // idle: the end of the recording
            return;
        }
        current_ = left_.front();
        left_ = left_.subspan(1);
        clock_.advance(current_.record.ticks - clock_.now_ticks());
        event = current_.record.event;
        open_ = true;
        if (event.kind != EventKind::exit)
            return;
        for (unsigned n = 0; n < current_.registers.size(); ++n)
            vcpus_[event.vcpu.value()].set_general_register(n, current_.registers[n]);
        fake::Vcpu &vcpu = vcpus_[event.vcpu.value()];
        static_cast<void>(vcpu.take_kick()); // what kicks led to was recorded as events
        if (vcpu.state() == fake::Vcpu::State::blocked)
            vcpu.set_state(fake::Vcpu::State::runnable);
    }
    void apply(Answer answer) override {
        open_ = false;
        ++compared_;
        if (answer != current_.record.answer && difference_.empty()) {
            const EventRecord now{current_.record.ticks, current_.record.event, answer};
            difference_ = std::string(describe(current_.record).view()) + "\nnow: " + std::string(describe(now).view());
        }
        if (current_.record.event.kind != EventKind::exit)
            return;
        fake::Vcpu &vcpu = vcpus_[current_.record.event.vcpu.value()];
        if (answer.kind() == AnswerKind::complete)
            vcpu.set_program_counter(vcpu.program_counter() + 4);
        if (answer.next() != Next::run)
            vcpu.set_state(answer.next() == Next::stop ? fake::Vcpu::State::stopped : fake::Vcpu::State::blocked);
    }
    void set_timeout(u64) override {}
    void cancel_timeout() override {}
    void signal(u64) override {}

    [[nodiscard]] usize compared() const { return compared_; }
    [[nodiscard]] bool at_end() const { return left_.empty() && !open_; }
    /// The first recorded line that was answered differently; empty when none was.
    [[nodiscard]] const std::string &difference() const { return difference_; }

private:
    std::deque<fake::Vcpu> &vcpus_;
    fake::Clock &clock_;
    std::span<const Recorded> left_;
    Recorded current_;
    std::string difference_;
    usize compared_ = 0;
    bool open_ = false;
};

} // namespace sel4vm::test
