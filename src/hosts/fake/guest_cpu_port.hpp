// SPDX-License-Identifier: BSD-2-Clause
//
// The event port of one endpoint on the fake host: lets its vCPUs take turns until one exits, and lets time pass when all
// wait.
#pragma once

#include <hosts/fake/guest_cpu.hpp>
#include <hosts/fake/host_base.hpp>

#include <sel4vm/host/event_port.hpp>

#include <vector>

namespace sel4vm::fake {

class GuestCpuPort final : public sel4vm::EventPort {
public:
    explicit GuestCpuPort(HostBase &host) : host_(host) {}

    void add(VmId vm, VcpuId id, GuestCpu &cpu) { cpus_.push_back({vm, id, &cpu}); }
    void remove(GuestCpu &cpu);

    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override { timeout_ = at_ticks; }
    void cancel_timeout() override { timeout_.reset(); }
    void signal(u64 badge) override { host_.signal(badge); }

private:
    struct Known {
        VmId vm;
        VcpuId id;
        GuestCpu *cpu;
    };
    [[nodiscard]] bool deliver_news(Event &event);
    [[nodiscard]] bool run_cpus(Event &event);
    [[nodiscard]] bool let_time_pass(Event &event);
    void deliver(const Known &known, const Exit &exit, Event &event);

    HostBase &host_;
    std::vector<Known> cpus_;
    GuestCpu *exited_ = nullptr; ///< whose exit has no answer
    usize next_ = 0;
    bool news_last_ = false;
    std::optional<u64> timeout_;
};

} // namespace sel4vm::fake
