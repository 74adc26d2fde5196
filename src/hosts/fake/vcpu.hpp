// SPDX-License-Identifier: BSD-2-Clause
//
// A virtual CPU of the fake host: registers in memory, and a record of what the core asked for.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <array>
#include <atomic>
#include <map>

namespace sel4vm::fake {

class Vcpu final : public VcpuPort {
public:
    enum class State : u8 { stopped, runnable, blocked };

    [[nodiscard]] u64 general_register(unsigned n) override {
        SEL4VM_ASSERT(n <= 31);
        return n == 31 ? 0 : general_[n];
    }
    void set_general_register(unsigned n, u64 value) override {
        SEL4VM_ASSERT(n <= 31);
        if (n < 31)
            general_[n] = value;
    }
    [[nodiscard]] u64 program_counter() override { return pc_; }
    void set_program_counter(u64 value) override { pc_ = value; }
    [[nodiscard]] Result<u64, HostError> system_register(u32 id) override {
        const auto found = system_.find(id);
        if (found == system_.end())
            return Err{HostError{HostErrorKind::not_available}};
        return u64{found->second};
    }
    [[nodiscard]] Status<HostError> set_system_register(u32 id, u64 value) override {
        system_[id] = value;
        return Ok{};
    }
    void reset(const VcpuStart &start) override {
        SEL4VM_ASSERT(state_ == State::stopped);
        general_ = {};
        general_[0] = start.argument;
        pc_ = start.entry;
        ++resets_;
    }
    void resume() override {
        if (state_ == State::stopped)
            state_ = State::runnable;
    }
    void kick() override {
        kicked_ = true;
        ++kicks_;
        if (state_ == State::blocked)
            state_ = State::runnable;
    }
    void request_turn() override { turn_wanted_ = state_ == State::stopped; }

    [[nodiscard]] Result<VcpuTimes, HostError> times() const override { return VcpuTimes{times_}; }
    [[nodiscard]] VcpuCounts counts() const override { return {std::nullopt, kicks_}; }

    [[nodiscard]] Status<HostError> publish_stolen_time(volatile u64 *nanoseconds) override {
        if (!publishes_)
            return Err{HostError{HostErrorKind::not_available}};
        *nanoseconds = 0;
        published_ = nanoseconds;
        return Ok{};
    }

    // -- what a test looks at and sets
    /// Where stolen time is published, nullptr when it is not; and whether this host can.
    [[nodiscard]] volatile u64 *published() const { return published_; }
    void set_publishes(bool publishes) { publishes_ = publishes; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] unsigned resets() const { return resets_; }
    /// Whether a kick is waiting to be delivered; asking takes it.
    [[nodiscard]] bool take_kick() { return kicked_.exchange(false); }
    [[nodiscard]] bool kicked() const { return kicked_; }
    /// Whether it is stopped and waits for a turn; asking takes it.
    [[nodiscard]] bool take_turn() { return turn_wanted_.exchange(false) && state_ == State::stopped; }
    [[nodiscard]] bool turn_wanted() const { return turn_wanted_ && state_ == State::stopped; }
    void set_state(State state) { state_ = state; }
    void set_times(const VcpuTimes &times) { times_ = times; }

private:
    std::array<u64, 31> general_{};
    u64 pc_ = 0;
    std::map<u32, u64> system_;
    std::atomic<State> state_{State::stopped};
    std::atomic<bool> kicked_{false};
    std::atomic<u64> kicks_{0};
    std::atomic<bool> turn_wanted_{false};
    unsigned resets_ = 0;
    VcpuTimes times_;
    bool publishes_ = true;
    volatile u64 *published_ = nullptr;
};

} // namespace sel4vm::fake
