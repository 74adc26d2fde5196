// SPDX-License-Identifier: BSD-2-Clause
//
// A host with several executors, each a thread with an event port and vCPUs of its own. A guest is a C++ object per vCPU that says which exit
// comes next, and takes interrupts from the list registers between two of them as a CPU would. Time passes when somebody looks
// at it, and jumps when an executor has nothing else to wait for, so that no test waits for a clock.
#pragma once

#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace sel4vm::test {

class SharedClock final : public Clock {
public:
    [[nodiscard]] u64 now_ticks() override { return now_.fetch_add(1) + 1; }
    [[nodiscard]] u64 ticks_per_second() override { return 1'000'000; }
    [[nodiscard]] Result<u64, HostError> wall_clock_seconds() override {
        return Err{HostError{HostErrorKind::not_available}};
    }
    void jump_to(u64 ticks) {
        u64 now = now_.load();
        while (now < ticks && !now_.compare_exchange_weak(now, ticks)) {
        }
    }

private:
    std::atomic<u64> now_{0};
};

class ThreadedVcpu;
class ThreadedPort;

/// What one vCPU executes. Called by its executor alone, or while it is stopped.
class GuestThread {
public:
    virtual ~GuestThread() = default;
    /// It was reset and is about to run.
    virtual void boot(ThreadedVcpu &cpu) = 0;
    /// An interrupt was acknowledged. It is ended when what this queues (ThreadedVcpu::then) has been executed.
    virtual void interrupt(ThreadedVcpu &cpu, u32 intid) = 0;
    /// Nothing is queued: what comes next.
    virtual Exit step(ThreadedVcpu &cpu) = 0;
    /// A load is complete.
    virtual void loaded(ThreadedVcpu &, u64) {}
};

class ThreadedVcpu final : public VcpuPort {
public:
    enum class State : u8 { stopped, runnable, blocked };

    ThreadedVcpu(ThreadedPort &its_port, GuestThread &its_guest) : guest(its_guest), port_(its_port) {}

    // -- VcpuPort
    [[nodiscard]] u64 general_register(unsigned n) override { return n == 31 ? 0 : x[n]; }
    void set_general_register(unsigned n, u64 value) override {
        if (n < 31)
            x[n] = value;
    }
    [[nodiscard]] u64 program_counter() override { return pc_; }
    void set_program_counter(u64 value) override { pc_ = value; }
    [[nodiscard]] Result<u64, HostError> system_register(u32) override {
        return Err{HostError{HostErrorKind::not_available}};
    }
    [[nodiscard]] Status<HostError> set_system_register(u32, u64) override {
        return Err{HostError{HostErrorKind::not_available}};
    }
    void reset(const VcpuStart &start) override {
        x = {};
        x[0] = start.argument;
        pc_ = start.entry;
        queue_.clear();
        active_.reset();
        lists.restart();
        lists.set_control(fake::ListRegisters::kOpen);
        guest.boot(*this);
    }
    void resume() override;
    void kick() override;
    void request_turn() override;

    // -- the guest's side
    void then(const Exit &exit) { queue_.push_back(exit); }
    std::array<u64, 31> x{};
    fake::ListRegisters lists{fake::ListRegisters::full()};
    fake::VirtualTimer timer;
    GuestThread &guest;

private:
    friend class ThreadedPort;
    [[nodiscard]] Exit run() {
        if (active_ && queue_.empty()) {
            lists.end(active_->intid, active_->source);
            active_.reset();
        }
        if (!active_ && queue_.empty()) {
            if (const auto taken = lists.acknowledge()) {
                active_ = taken;
                guest.interrupt(*this, taken->intid);
            }
        }
        if (lists.maintenance_asserted())
            return Exit{aarch64::irq_service(aarch64::IrqService::maintenance)};
        if (queue_.empty())
            return active_ ? Exit{ExitKind::kicked} : guest.step(*this);
        const Exit next = queue_.front();
        queue_.pop_front();
        return next;
    }

    ThreadedPort &port_;
    u64 pc_ = 0;
    std::deque<Exit> queue_;
    std::optional<fake::ListRegisters::Acknowledged> active_;
    // Of the port's lock:
    State state_ = State::stopped;
    bool kicked_ = false;
    bool turn_wanted_ = false;
};

class ThreadedPort final : public EventPort {
public:
    explicit ThreadedPort(SharedClock &clock) : clock_(clock) {}

    /// As remove(), before the port is used, or between two events.
    void add(VmId vm, VcpuId id, ThreadedVcpu &vcpu) {
        const std::lock_guard guard(lock_);
        vcpus_.push_back({vm, id, &vcpu});
    }
    void remove(ThreadedVcpu &vcpu) {
        const std::lock_guard guard(lock_);
        std::erase_if(vcpus_, [&](const Known &known) { return known.vcpu == &vcpu; });
        if (open_ == &vcpu)
            open_ = nullptr;
    }
    /// While on, something outside may happen at any time, so that it is never idle.
    void set_outside(bool on) {
        const std::lock_guard guard(lock_);
        outside_ = on;
        woken_ = true;
        changed_.notify_all();
    }

    void resume_and_wait(Answer answer, Event &event) override {
        std::unique_lock guard(lock_);
        apply_locked(answer);
        for (;;) {
            event = Event{};
            if (signalled_ != 0 || (outside_ && woken_)) {
                event.kind = EventKind::notification;
                event.badge = std::exchange(signalled_, 0);
                woken_ = false;
                return;
            }
            if (timeout_ && clock_.now_ticks() >= *timeout_) {
                timeout_.reset();
                event.kind = EventKind::timeout;
                return;
            }
            if (kicked_or_turn(event))
                return;
            if (Known *next = next_runnable()) {
                // The guest runs without the lock, so that others can kick it.
                guard.unlock();
                const Exit exit = next->vcpu->run();
                guard.lock();
                deliver(*next, exit, event);
                return;
            }
            if (timeout_) {
                clock_.jump_to(*timeout_);
            } else if (!outside_) {
                event.kind = EventKind::idle;
                return;
            } else {
                changed_.wait(guard);
            }
        }
    }
    void apply(Answer answer) override {
        const std::lock_guard guard(lock_);
        apply_locked(answer);
    }
    void set_timeout(u64 at_ticks) override {
        const std::lock_guard guard(lock_);
        timeout_ = at_ticks;
        changed_.notify_all();
    }
    void cancel_timeout() override {
        const std::lock_guard guard(lock_);
        timeout_.reset();
    }
    void signal(u64 badge) override {
        const std::lock_guard guard(lock_);
        signalled_ |= badge;
        changed_.notify_all();
    }
    void wait_for_others() override {
        std::unique_lock guard(lock_);
        changed_.wait(guard, [this] { return woken_ || signalled_ != 0 || timeout_ || anything_to_do(); });
        woken_ = false;
    }
    void wake() override {
        const std::lock_guard guard(lock_);
        woken_ = true;
        changed_.notify_all();
    }

private:
    friend class ThreadedVcpu;
    struct Known {
        VmId vm;
        VcpuId id;
        ThreadedVcpu *vcpu;
    };
    using State = ThreadedVcpu::State;

    void apply_locked(Answer answer) {
        if (open_ == nullptr)
            return;
        ThreadedVcpu &vcpu = *std::exchange(open_, nullptr);
        if (answer.kind() == AnswerKind::complete && is_load_)
            vcpu.guest.loaded(vcpu, answer.data());
        if (answer.next() == Next::stop)
            vcpu.state_ = State::stopped;
        else if (answer.next() == Next::block && !vcpu.kicked_ && !vcpu.lists.signalled())
            vcpu.state_ = State::blocked;
    }
    [[nodiscard]] bool anything_to_do() const {
        for (const Known &known : vcpus_) {
            if (known.vcpu->state_ == State::runnable ||
                (known.vcpu->turn_wanted_ && known.vcpu->state_ == State::stopped))
                return true;
        }
        return false;
    }
    [[nodiscard]] bool kicked_or_turn(Event &event) {
        for (Known &known : vcpus_) {
            ThreadedVcpu &vcpu = *known.vcpu;
            if (vcpu.state_ == State::runnable && std::exchange(vcpu.kicked_, false)) {
                deliver(known, Exit{ExitKind::kicked}, event);
                return true;
            }
            if (vcpu.state_ == State::stopped && std::exchange(vcpu.turn_wanted_, false)) {
                event.kind = EventKind::turn;
                event.vm = known.vm;
                event.vcpu = known.id;
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] Known *next_runnable() {
        for (usize tried = 0; tried < vcpus_.size(); ++tried) {
            turn_ = (turn_ + 1) % vcpus_.size();
            if (vcpus_[turn_].vcpu->state_ == State::runnable)
                return &vcpus_[turn_];
        }
        return nullptr;
    }
    void deliver(Known &known, const Exit &exit, Event &event) {
        open_ = known.vcpu;
        is_load_ = exit.kind == ExitKind::memory && exit.memory.access == MemoryAccess::read;
        event.kind = EventKind::exit;
        event.vm = known.vm;
        event.vcpu = known.id;
        event.exit = exit;
    }

    SharedClock &clock_;
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Known> vcpus_;
    ThreadedVcpu *open_ = nullptr; ///< its exit has no answer yet
    bool is_load_ = false;
    std::optional<u64> timeout_;
    u64 signalled_ = 0;
    bool outside_ = false;
    bool woken_ = false;
    usize turn_ = 0;
};

inline void ThreadedVcpu::resume() {
    const std::lock_guard guard(port_.lock_);
    if (state_ == State::stopped)
        state_ = State::runnable;
    port_.changed_.notify_all();
}
inline void ThreadedVcpu::kick() {
    const std::lock_guard guard(port_.lock_);
    kicked_ = true;
    if (state_ == State::blocked)
        state_ = State::runnable;
    port_.changed_.notify_all();
}
inline void ThreadedVcpu::request_turn() {
    const std::lock_guard guard(port_.lock_);
    turn_wanted_ = state_ == State::stopped;
    port_.changed_.notify_all();
}

} // namespace sel4vm::test
