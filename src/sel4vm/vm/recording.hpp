// SPDX-License-Identifier: BSD-2-Clause
//
// What an executor was told and what the core answered, as plain data: to look at after a failure (EventTrace keeps the
// last of them), and to replay against another Vm in a test. RecordingPort stands between an executor and its port, so a
// run that nobody records pays nothing. Deliberately not here: what the core reads through other ports while it answers
// (registers, time); who wants to replay a run records those at their ports.
//
// Threads: those of the port that is recorded. An EventTrace may be read from anywhere.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/base/trace_ring.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>

#include <optional>

namespace sel4vm {

class BusNames;

struct EventRecord {
    u64 ticks = 0; ///< Clock::now_ticks() when the event came
    Event event;
    Answer answer;
};
/// One line without its end, such as "1234: 0.1 memory write 0x9000018 b4 0x41 -> complete". With names there is "(pl011+0x18)" after an
/// address at which there is something.
[[nodiscard]] Text<160> describe(const EventRecord &record, const BusNames *names = nullptr);
/// The part before the arrow.
[[nodiscard]] Text<160> describe(u64 ticks, const Event &event, const BusNames *names = nullptr);

class EventSink {
public:
    virtual void record(const EventRecord &record) = 0;

protected:
    ~EventSink() = default;
};

/// The last events of an executor.
class EventTrace final : public EventSink {
public:
    static constexpr usize kCapacity = 64;
    void record(const EventRecord &record) override { ring_.add(record); }
    [[nodiscard]] const TraceRing<EventRecord, kCapacity> &ring() const { return ring_; }

private:
    TraceRing<EventRecord, kCapacity> ring_;
};

class RecordingPort final : public EventPort {
public:
    RecordingPort(EventPort &port, Clock &clock, EventSink &sink) : port_(port), clock_(clock), sink_(sink) {}
    RecordingPort(const RecordingPort &) = delete;
    RecordingPort &operator=(const RecordingPort &) = delete;

    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override { port_.set_timeout(at_ticks); }
    void cancel_timeout() override { port_.cancel_timeout(); }
    void signal(u64 badge) override { port_.signal(badge); }
    void wait_for_others() override { port_.wait_for_others(); }
    void wake() override { port_.wake(); }

    /// The event that has no answer yet, for a report of a failure while it was handled.
    [[nodiscard]] const std::optional<EventRecord> &open() const { return open_; }

private:
    void close(Answer answer);

    EventPort &port_;
    Clock &clock_;
    EventSink &sink_;
    std::optional<EventRecord> open_;
};

} // namespace sel4vm
