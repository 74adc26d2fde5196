// SPDX-License-Identifier: BSD-2-Clause
//
// What VMs on one endpoint share: the EndpointPort, device frames, services. Made by the first, freed after the last.
#pragma once

#include <hosts/sel4/device_frames.hpp>
#include <hosts/sel4/endpoint_port.hpp>
#include <hosts/sel4/services.hpp>

#include <sel4vm/boot.h>

#include <optional>

namespace sel4vm::sel4 {

class Shared {
public:
    /// `peer`, or a new one for this endpoint. The caller leaves it once.
    [[nodiscard]] static Result<Shared *, HostError> join(vka_t &vka, simple_t &simple, seL4_CPtr endpoint,
                                                          Shared *peer);
    static void leave(Shared &shared);
    /// The first one counts, and is copied.
    /// invalid: its badge is 0, or somebody has one of its bits; the log says who. Of members of one endpoint the first one's counts.
    [[nodiscard]] Status<HostError> set_timeout_source(const vm_timeout_source_t &source);

    [[nodiscard]] CHeap &heap() { return CHeap::instance(); }
    [[nodiscard]] PrintLog &log() { return log_; }
    [[nodiscard]] CounterClock &clock() { return clock_; }
    [[nodiscard]] CpuEntropy &entropy() { return entropy_; }
    [[nodiscard]] EndpointPort &endpoint() { return endpoint_; }
    [[nodiscard]] DeviceFrames &devices() { return devices_; }

    Shared(vka_t &vka, simple_t &simple) : devices_(vka, &simple, CHeap::instance()), endpoint_(vka, clock_) {}
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;
    ~Shared() = default;

private:
    /// The client's timer as the port that the EndpointPort knows.
    class ClientTimeouts final : public TimeoutSource {
    public:
        explicit ClientTimeouts(const vm_timeout_source_t &source) : source_(source) {}
        void set(u64 ticks) override { static_cast<void>(source_.set(source_.cookie, ticks)); }
        void cancel() override { source_.cancel(source_.cookie); }
        [[nodiscard]] u64 badge() const override { return source_.badge; }

    private:
        vm_timeout_source_t source_;
    };

    PrintLog log_;
    CounterClock clock_;
    CpuEntropy entropy_;
    DeviceFrames devices_;
    std::optional<ClientTimeouts> timeouts_;
    EndpointPort endpoint_;
    u32 members_ = 0;
};

} // namespace sel4vm::sel4
