// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/event_port.hpp>

#include <hosts/kvm/vcpu.hpp>

#include <sel4vm/base/assert.hpp>

#include <algorithm>
#include <array>
#include <poll.h>
#include <sys/eventfd.h>

namespace sel4vm::kvm {

namespace {
/// So many events after one another, and the input is looked at although there are more.
constexpr unsigned kEventsBetweenLooks = 64;
constexpr u64 kNanosecondsPerSecond = 1'000'000'000;
} // namespace

EventPort::EventPort(sel4vm::Clock &clock, Mailbox &mailbox)
    : clock_(clock), mailbox_(mailbox), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    SEL4VM_ASSERT(wake_);
    mailbox_.add(wake_.number());
}

void EventPort::post(Vcpu &vcpu) {
    const std::scoped_lock guard(lock_);
    posted_.push_back(&vcpu);
    eventfd_write(wake_.number(), 1);
}

void EventPort::forget(Vcpu &vcpu) {
    const std::scoped_lock guard(lock_);
    std::erase(posted_, &vcpu);
    if (last_ == &vcpu)
        last_ = nullptr;
}

void EventPort::set_input(int file, u64 badge) {
    input_ = file;
    input_badge_ = badge;
    input_armed_ = true;
}

void EventPort::apply(Answer answer) {
    if (last_ == nullptr) {
        SEL4VM_ASSERT(answer.kind() == AnswerKind::none);
        return;
    }
    SEL4VM_ASSERT(answer.kind() != AnswerKind::none);
    std::exchange(last_, nullptr)->answer(answer);
}

void EventPort::resume_and_wait(Answer answer, Event &event) {
    if (last_ != nullptr)
        apply(answer);
    event = Event{};
    for (;;) {
        if (++taken_ >= kEventsBetweenLooks && input_ >= 0 && input_armed_) {
            pollfd input{input_, POLLIN, 0};
            if (poll(&input, 1, 0) > 0)
                look_at_input(input.revents);
        }
        if (take_next(event))
            return;
        if (timeout_ && clock_.now_ticks() >= *timeout_) {
            timeout_.reset();
            event.kind = EventKind::timeout;
            return;
        }
        if (is_idle()) {
            event.kind = EventKind::idle;
            return;
        }
        wait();
    }
}

bool EventPort::take_next(Event &event) {
    // Timeouts do not wait until there is nothing else.
    if (timeout_ && clock_.now_ticks() >= *timeout_)
        return false;
    // A client that signals at each signal does not keep vCPUs waiting.
    if (!news_last_ && take_news(event))
        return true;
    news_last_ = false;
    for (;;) {
        Vcpu *vcpu = nullptr;
        {
            const std::scoped_lock guard(lock_);
            if (!posted_.empty()) {
                vcpu = posted_.front();
                posted_.pop_front();
            }
        }
        if (vcpu == nullptr)
            return take_news(event);
        event.vm = vcpu->vm();
        event.vcpu = vcpu->id();
        if (vcpu->has_exit()) {
            event.kind = EventKind::exit;
            event.exit = vcpu->exit();
            last_ = vcpu;
            return true;
        }
        if (vcpu->take_turn()) {
            event.kind = EventKind::turn;
            return true;
        }
        event = Event{}; // it was resumed in the meantime
    }
}

bool EventPort::take_news(Event &event) {
    const u64 badge = mailbox_.take();
    if (badge == 0)
        return false;
    event.kind = EventKind::notification;
    event.badge = badge;
    news_last_ = true;
    return true;
}

bool EventPort::is_idle() {
    const std::scoped_lock guard(lock_);
    return running_ == 0 && posted_.empty() && mailbox_.empty() && !timeout_ && input_ < 0;
}

/// Of a while at a time: a longer wait is one more round.
std::optional<u64> EventPort::nanoseconds_left() {
    constexpr u64 kLongestSeconds = 8;
    if (!timeout_)
        return std::nullopt;
    const u64 now = clock_.now_ticks();
    if (now >= *timeout_)
        return 0;
    const u64 frequency = clock_.ticks_per_second();
    const u64 ticks = std::min(*timeout_ - now, kLongestSeconds * frequency);
    return (ticks * kNanosecondsPerSecond + frequency - 1) / frequency;
}

void EventPort::look_at_input(short events) {
    taken_ = 0;
    if (events == 0)
        return;
    input_armed_ = false;
    signal(input_badge_);
}

void EventPort::wait() {
    std::array<pollfd, 2> files{pollfd{wake_.number(), POLLIN, 0}, pollfd{input_armed_ ? input_ : -1, POLLIN, 0}};
    timespec time{};
    const auto left = nanoseconds_left();
    if (left) {
        time.tv_sec = static_cast<time_t>(*left / kNanosecondsPerSecond);
        time.tv_nsec = static_cast<long>(*left % kNanosecondsPerSecond);
    }
    if (ppoll(files.data(), files.size(), left ? &time : nullptr, nullptr) <= 0)
        return; // the timeout, or a signal of the system
    if (files[0].revents != 0) {
        eventfd_t count = 0;
        eventfd_read(wake_.number(), &count);
    }
    look_at_input(files[1].revents);
}

} // namespace sel4vm::kvm
