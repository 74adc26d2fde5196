// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/guest_cpu_port.hpp>

namespace sel4vm::fake {

namespace {

constexpr unsigned kTurn = 200;       // instructions
constexpr unsigned kMaxTurns = 5'000; // a guest that loops for ever must not hang a test
using State = GuestCpu::State;

} // namespace

void GuestCpuPort::remove(GuestCpu &cpu) {
    std::erase_if(cpus_, [&](const Known &known) { return known.cpu == &cpu; });
    if (exited_ == &cpu)
        exited_ = nullptr;
}

void GuestCpuPort::apply(Answer answer) {
    if (GuestCpu *cpu = std::exchange(exited_, nullptr))
        cpu->finish(answer);
}

void GuestCpuPort::deliver(const Known &known, const Exit &exit, Event &event) {
    event.kind = EventKind::exit;
    event.vm = known.vm;
    event.vcpu = known.id;
    event.exit = exit;
    exited_ = known.cpu;
}

bool GuestCpuPort::deliver_news(Event &event) {
    event.kind = EventKind::notification;
    event.message = 0;
    if (!host_.messages().empty()) {
        event.badge = host_.messages().front().first;
        event.message = host_.messages().front().second;
        host_.messages().pop_front();
        return true;
    }
    event.badge = host_.take_signals();
    return event.badge != 0;
}

bool GuestCpuPort::run_cpus(Event &event) {
    for (unsigned turn = 0; turn < kMaxTurns; ++turn) {
        bool any = false;
        for (usize i = 0; i < cpus_.size(); ++i) {
            const Known known = cpus_[(next_ + i) % cpus_.size()];
            if (known.cpu->take_turn()) {
                next_ = (next_ + i + 1) % cpus_.size();
                event.kind = EventKind::turn;
                event.vm = known.vm;
                event.vcpu = known.id;
                return true;
            }
            if (known.cpu->state() != State::runnable)
                continue;
            any = true;
            if (known.cpu->take_kick()) {
                deliver(known, Exit{ExitKind::kicked}, event);
                return true;
            }
            if (const auto exit = known.cpu->run(kTurn)) {
                next_ = (next_ + i + 1) % cpus_.size();
                deliver(known, *exit, event);
                return true;
            }
        }
        if (!any)
            return false;
        if (timeout_ && host_.clock.now_ticks() >= *timeout_) {
            timeout_.reset();
            event.kind = EventKind::timeout;
            return true;
        }
    }
    return false;
}

bool GuestCpuPort::let_time_pass(Event &event) {
    std::optional<u64> earliest = timeout_;
    GuestCpu *waiting = nullptr;
    for (const Known &known : cpus_) {
        const auto deadline = known.cpu->state() == State::blocked ? known.cpu->timer().deadline() : std::nullopt;
        if (deadline && (!earliest || *deadline < *earliest)) {
            earliest = deadline;
            waiting = known.cpu;
        }
    }
    if (!earliest)
        return false;
    if (host_.clock.now_ticks() < *earliest)
        host_.clock.set(*earliest);
    if (waiting != nullptr) {
        waiting->wake();
        return run_cpus(event);
    }
    timeout_.reset();
    event.kind = EventKind::timeout;
    return true;
}

void GuestCpuPort::resume_and_wait(Answer answer, Event &event) {
    apply(answer);
    // Neither starves the other.
    const bool cpus_first = std::exchange(news_last_, false);
    if (cpus_first && run_cpus(event))
        return;
    static_cast<void>(host_.announce_input(Process::Wait::no));
    news_last_ = deliver_news(event);
    if (news_last_ || run_cpus(event) || let_time_pass(event))
        return;
    if (host_.announce_input(Process::Wait::yes)) {
        news_last_ = deliver_news(event);
        return;
    }
    event.kind = EventKind::idle;
}

} // namespace sel4vm::fake
