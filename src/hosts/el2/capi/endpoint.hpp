// SPDX-License-Identifier: BSD-2-Clause
//
// An endpoint of the C interface: an executor of its own on the one CPU. The vCPUs of its VMs run while somebody waits on it, and
// at no other time; which endpoint has the CPU's hardware is the program's record.
#pragma once

#include <hosts/el2/host.hpp>
#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/host/event_port.hpp>

namespace sel4vm::el2 {

class Endpoint;

/// Whose state is in the hardware of the CPU.
class CpuClaim {
public:
    /// Gives the CPU to the endpoint.
    void give_to(Endpoint &endpoint);
    /// Nobody's: SIMD registers are the program's own, too.
    void take_back();

private:
    Endpoint *holder_ = nullptr;
};

class alignas(16) Endpoint final : public EventPort {
public:
    Endpoint(Host &host, CpuClaim &claim);
    ~Endpoint() { claim_.take_back(); }
    Endpoint(const Endpoint &) = delete;
    Endpoint &operator=(const Endpoint &) = delete;

    void resume_and_wait(Answer answer, Event &event) override {
        claim_.give_to(*this);
        processor_.resume_and_wait(answer, event);
    }
    void apply(Answer answer) override { processor_.apply(answer); }
    void set_timeout(u64 at_ticks) override { processor_.set_timeout(at_ticks); }
    void cancel_timeout() override { processor_.cancel_timeout(); }
    void signal(u64 badge) override { processor_.signal(badge); }

    [[nodiscard]] Processor &processor() { return processor_; }

private:
    CpuClaim &claim_;
    Processor processor_;
};

/// A notification: on its own, or bound to an endpoint with a badge.
struct alignas(16) Notification {
    Endpoint *endpoint = nullptr;
    u64 badge = 0;
};

} // namespace sel4vm::el2
