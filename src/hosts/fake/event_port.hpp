// SPDX-License-Identifier: BSD-2-Clause
//
// The fake host's event port: delivers a script of exits, one vCPU after another, and records every answer. It applies an
// answer as far as a host without instructions can: the vCPU's run state, and for `complete` the PC by 4.
#pragma once

#include <hosts/fake/vcpu.hpp>
#include <sel4vm/host/event_port.hpp>

#include <deque>
#include <vector>

namespace sel4vm::fake {

class EventPort final : public sel4vm::EventPort {
public:
    struct Answered {
        VmId vm;
        VcpuId vcpu;
        Exit exit;
        Answer answer;
    };

    /// Makes a vCPU known under the names that events use.
    void add(VmId vm, VcpuId id, Vcpu &vcpu) { vcpus_.push_back({vm, id, &vcpu}); }
    /// Appends an exit to the script. It is delivered when its vCPU is runnable; one of a stopped or blocked vCPU waits.
    void script(VmId vm, VcpuId vcpu, const Exit &exit);
    void script_notification(u64 badge, u64 message = 0);
    /// A timeout event becomes due as soon as one is set and the script has nothing runnable.
    void fire_timeouts(bool on) { fire_timeouts_ = on; }

    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override {
        timeout_set_ = true;
        timeout_ticks_ = at_ticks;
    }
    void cancel_timeout() override { timeout_set_ = false; }
    void signal(u64 badge) override { signalled_ |= badge; }

    [[nodiscard]] const std::vector<Answered> &answers() const { return answers_; }
    [[nodiscard]] bool script_empty() const { return script_.empty(); }
    /// Whether some runnable vCPU has a kick to deliver, or a stopped one a turn.
    [[nodiscard]] bool pending_kick() const;
    [[nodiscard]] bool timeout_set() const { return timeout_set_; }
    [[nodiscard]] u64 timeout_ticks() const { return timeout_ticks_; }

private:
    struct Known {
        VmId vm;
        VcpuId id;
        Vcpu *vcpu;
    };
    [[nodiscard]] Vcpu *find(VmId vm, VcpuId id);
    void deliver(const Event &from, Event &event);

    std::vector<Known> vcpus_;
    std::deque<Event> script_;
    std::vector<Answered> answers_;
    Event last_;
    bool open_ = false; // the last event was an exit that has no answer yet
    u64 signalled_ = 0;
    bool timeout_set_ = false;
    bool fire_timeouts_ = false;
    u64 timeout_ticks_ = 0;
};

} // namespace sel4vm::fake
