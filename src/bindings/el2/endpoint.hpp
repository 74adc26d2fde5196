// SPDX-License-Identifier: BSD-2-Clause
//
// An endpoint of the C interface, and the executors that wait on it: one for each VM, and one for VMs that were made as
// peers. The vCPUs of an executor run while somebody waits on it, and at no other time; which executor has the CPU's hardware is the
// program's record. A signal to the endpoint goes to who waits there, else to who waits there next.
#pragma once

#include <hosts/el2/host.hpp>
#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/host/event_port.hpp>

#include <atomic>

namespace sel4vm::el2 {

class EndpointExecutor;

/// Whose state is in the hardware of the CPU.
class CpuClaim {
public:
    /// Gives the CPU to the executor.
    void give_to(EndpointExecutor &executor);
    /// Nobody's: SIMD registers are the program's own, too.
    void take_back();
    /// take_back(), if it is this one's.
    void take_back_from(const EndpointExecutor &executor) {
        if (holder_ == &executor)
            take_back();
    }

private:
    EndpointExecutor *holder_ = nullptr;
};

class alignas(16) Endpoint final {
public:
    Endpoint() = default;
    Endpoint(const Endpoint &) = delete;
    Endpoint &operator=(const Endpoint &) = delete;

    void signal(u64 badge);
    /// Something may signal from now on, until as many calls of remove_signal_source().
    void add_signal_source();
    void remove_signal_source();
    /// For those that signal through an EventPort.
    [[nodiscard]] EventPort &signal_port() { return port_; }

private:
    friend class EndpointExecutor;

    /// Nobody waits on it: it only passes signals on.
    class SignalPort final : public EventPort {
    public:
        explicit SignalPort(Endpoint &endpoint) : endpoint_(endpoint) {}
        void resume_and_wait(Answer, Event &) override { SEL4VM_PANIC("a port for signals only"); }
        void apply(Answer) override {}
        void set_timeout(u64) override {}
        void cancel_timeout() override {}
        void signal(u64 badge) override { endpoint_.signal(badge); }

    private:
        Endpoint &endpoint_;
    };

    EndpointExecutor *first_ = nullptr; ///< of all
    std::atomic<EndpointExecutor *> waiting_{nullptr};
    std::atomic<u64> pending_{0}; ///< signals that nobody has heard
    u32 sources_ = 0;
    SignalPort port_{*this};
};

class EndpointExecutor final : public EventPort {
public:
    EndpointExecutor(Host &host, CpuClaim &claim, Endpoint &endpoint, u64 slice_microseconds);
    ~EndpointExecutor();
    /// In the host's heap, for ExecutorShare; empty without memory.
    [[nodiscard]] static Owned<EndpointExecutor> make(Host &host, CpuClaim &claim, Endpoint &endpoint,
                                                      u64 slice_microseconds);
    EndpointExecutor(const EndpointExecutor &) = delete;
    EndpointExecutor &operator=(const EndpointExecutor &) = delete;

    void resume_and_wait(Answer answer, Event &event) override;
    void apply(Answer answer) override { processor_.apply(answer); }
    void set_timeout(u64 at_ticks) override { processor_.set_timeout(at_ticks); }
    void cancel_timeout() override { processor_.cancel_timeout(); }
    void signal(u64 badge) override { processor_.signal(badge); }

    [[nodiscard]] Processor &processor() { return processor_; }

private:
    friend class Endpoint;
    friend class ExecutorShare;

    CpuClaim &claim_;
    Endpoint &endpoint_;
    EndpointExecutor *next_;
    Processor processor_;
    u32 shares_ = 0;
};

/// A user of an executor that EndpointExecutor::make() has made; it goes with the last one.
class ExecutorShare {
public:
    ExecutorShare(Host &host, EndpointExecutor &executor) : host_(host), executor_(executor) { ++executor.shares_; }
    ~ExecutorShare() {
        if (--executor_.shares_ == 0)
            static_cast<void>(Owned<EndpointExecutor>::take(host_.heap(), &executor_));
    }
    ExecutorShare(const ExecutorShare &) = delete;
    ExecutorShare &operator=(const ExecutorShare &) = delete;
    [[nodiscard]] EndpointExecutor &executor() const { return executor_; }

private:
    Host &host_;
    EndpointExecutor &executor_;
};

/// A notification: on its own, or bound to an endpoint with a badge.
struct alignas(16) Notification {
    Endpoint *endpoint = nullptr;
    u64 badge = 0;
};

} // namespace sel4vm::el2
