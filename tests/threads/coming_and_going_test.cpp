// SPDX-License-Identifier: BSD-2-Clause
//
// VMs that come and go on several executors while another VM runs there: each executor adds and forgets the VM between two of its events, and whichever
// of them likes pauses, resets and stops it, wherever its vCPUs are. What a data race is, the thread sanitizer says.
#include "threaded_machine.hpp"

#include <functional>
#include <mutex>
#include <random>

namespace sel4vm::test {
namespace {

/// Prints for ever.
struct Busy final : GuestThread {
    explicit Busy(usize its_number) : number(its_number) {}
    void boot(ThreadedVcpu &) override { has_started_other = number != 0; }
    void interrupt(ThreadedVcpu &, u32) override {}
    Exit step(ThreadedVcpu &cpu) override {
        if (!std::exchange(has_started_other, true))
            return call(cpu, Firmware::cpu_on, 1);
        return store(kUart, 'x');
    }
    usize number;
    bool has_started_other = false;
};

/// Without devices: one vCPU prints into nothing, or rather is told that there is nothing; the other waits.
struct Visitor final : LifecycleHooks, MistakeHandler {
    struct Guest final : GuestThread {
        explicit Guest(usize its_number) : number(its_number) {}
        void boot(ThreadedVcpu &) override { calls = 0; }
        void interrupt(ThreadedVcpu &, u32) override {}
        Exit step(ThreadedVcpu &cpu) override {
            if (number == 0 && calls++ == 0)
                return call(cpu, Firmware::cpu_on, 1);
            return number == 0 ? store(kUart, 'y') : wait_for_interrupt();
        }
        usize number;
        usize calls = 0;
    };

    explicit Visitor(ThreadedMachine &machine)
        : vm(VmConfig{"visitor", VmId{1}, LockMode::spin, ResetPolicy::restart}, space, machine.allocator,
             machine.log) {
        for (usize n = 0; n < 2; ++n) {
            guests.emplace_back(n);
            SEL4VM_ASSERT(vm.add_vcpu(cpus.emplace_back(machine.ports[n], guests.back())).has_value());
        }
        SEL4VM_ASSERT(vm.add_memory(*GpaRange::make(Gpa{0x4000'0000}, kPageBytes), RegionKind::ram).has_value());
        SEL4VM_ASSERT(psci.register_all(vm.hypercalls()).has_value());
        vm.set_lifecycle_hooks(this);
        vm.set_mistake_handler(this);
    }
    [[nodiscard]] BootStep prepare_boot(Vm &, BootCall) override { return BootStep::ready({0x4000'0000, 0}); }
    void paused(Vm &) override {}
    void resuming(Vm &) override {}
    void stopped(Vm &, StopReason) override {}
    [[nodiscard]] Answer decide(Vcpu &, Mistake, const Exit &) override {
        exits.fetch_add(1);
        return Answer::complete();
    }

    fake::GuestSpace space;
    Vm vm;
    dev::Psci psci;
    std::deque<Guest> guests;
    std::deque<ThreadedVcpu> cpus;
    std::atomic<unsigned> exits{0};
};

/// What executors do between two events.
class Jobs {
public:
    explicit Jobs(ThreadedMachine &machine) : machine_(machine), jobs_(machine.executors.size()) {
        machine.listener.heard = [this](u64 badge) {
            for (usize n = 0; n < jobs_.size(); ++n) {
                if ((badge >> n & 1) != 0)
                    carry_out(n);
            }
        };
    }
    /// On executor `n`; returns when it is done.
    void on(usize n, const std::function<void()> &job) {
        std::unique_lock guard(lock_);
        jobs_[n] = &job;
        machine_.ports[n].signal(u64{1} << n);
        done_.wait(guard, [&] { return jobs_[n] == nullptr; });
    }

private:
    void carry_out(usize n) {
        const std::lock_guard guard(lock_);
        if (jobs_[n] != nullptr)
            (*jobs_[n])();
        jobs_[n] = nullptr;
        done_.notify_all();
    }
    ThreadedMachine &machine_;
    std::mutex lock_;
    std::condition_variable done_;
    std::vector<const std::function<void()> *> jobs_;
};

TEST(ComingAndGoing, AVmIsServedByBothExecutorsAndForgottenByBoth) {
    const auto busy = guests<Busy>(2);
    ThreadedMachine machine(busy, 2);
    Jobs jobs(machine);
    machine.set_outside(true);
    machine.start();
    std::minstd_rand random(7);
    unsigned pauses = 0;
    unsigned resets = 0;
    constexpr unsigned kVisits = 150;
    for (unsigned visit = 0; visit < kVisits; ++visit) {
        Visitor visitor(machine);
        for (u16 n = 0; n < 2; ++n) {
            jobs.on(n, [&] {
                machine.ports[n].add(VmId{1}, VcpuId{n}, visitor.cpus[n]);
                SEL4VM_ASSERT(machine.executors[n].add(visitor.vm));
            });
        }
        jobs.on(random() % 2, [&] { EXPECT_TRUE(visitor.vm.start().has_value()); });
        for (unsigned request = random() % 8; request != 0; --request) {
            jobs.on(random() % 2, [&] {
                switch (random() % 4) {
                case 0: pauses += visitor.vm.pause().has_value() ? 1u : 0u; break;
                case 1: resets += visitor.vm.reset().has_value() ? 1u : 0u; break;
                case 2: visitor.vm.stop(StopReason::client); break;
                default: static_cast<void>(visitor.vm.resume()); break;
                }
            });
        }
        // Every third goes while it runs, as it is; its vCPUs are on no executor any more when both have forgotten it.
        if (visit % 3 != 0) {
            visitor.vm.stop(StopReason::client);
            while (visitor.vm.state() != VmState::stopped)
                std::this_thread::yield();
        }
        for (usize n = 0; n < 2; ++n) {
            jobs.on(n, [&] {
                machine.ports[n].remove(visitor.cpus[n]);
                machine.executors[n].remove(visitor.vm);
            });
        }
    }
    EXPECT_GT(pauses, 20u);
    EXPECT_GT(resets, 20u);
    EXPECT_EQ(machine.vm.state(), VmState::running) << "nobody asked anything of it";
    machine.vm.stop(StopReason::client);
    machine.set_outside(false);
    machine.join();
    EXPECT_GT(machine.sink.bytes.load(), 0u);
}

} // namespace
} // namespace sel4vm::test
