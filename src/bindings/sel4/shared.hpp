// SPDX-License-Identifier: BSD-2-Clause
//
// What VMs on one endpoint share: the Endpoint, device frames, services. Made by the first, freed after the last.
#pragma once

#include <hosts/sel4/device_frames.hpp>
#include <hosts/sel4/endpoint.hpp>
#include <hosts/sel4/services.hpp>

#include <sel4vm/capi/binding.hpp>

namespace sel4vm::sel4 {

class Shared {
public:
    /// `peer`'s, or a new one for this VM's endpoint. The caller leaves it once.
    [[nodiscard]] static Result<Shared *, HostError> join(vm_t &vm, Shared *peer, const capi::BindingOptions &options);
    static void leave(Shared &shared);

    [[nodiscard]] CHeap &heap() { return CHeap::instance(); }
    [[nodiscard]] PrintLog &log() { return log_; }
    [[nodiscard]] CounterClock &clock() { return clock_; }
    [[nodiscard]] CpuEntropy &entropy() { return entropy_; }
    [[nodiscard]] Endpoint &endpoint() { return endpoint_; }
    [[nodiscard]] DeviceFrames &devices() { return devices_; }

    explicit Shared(const vm_t &vm) : devices_(*vm.vka, vm.simple, CHeap::instance()), endpoint_(*vm.vka, clock_) {}
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;
    ~Shared() = default;

private:
    /// The client's timer as the port that the Endpoint knows.
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
    Endpoint endpoint_;
    u32 members_ = 0;
};

} // namespace sel4vm::sel4
