// SPDX-License-Identifier: BSD-2-Clause
//
// A VM with a GICv2 or v3, a physical timer, firmware calls and a UART, whose vCPUs are spread over several executors.
#pragma once

#include "threaded_host.hpp"

#include <gtest/gtest.h>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/dev/arm/psci.hpp>
#include <sel4vm/dev/pl011/pl011.hpp>
#include <sel4vm/vm/executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace sel4vm::test {

inline constexpr u64 kDistributor = 0x0800'0000;
inline constexpr u64 kRedistributors = 0x080a'0000;
inline constexpr u64 kUart = 0x0900'0000;
inline constexpr u64 kOwnDevices = 0x0a00'0000;
inline constexpr u32 kUartIntid = 33;
inline constexpr u32 kTimerIntid = 30;

[[nodiscard]] inline Exit store(u64 at, u64 value) {
    return Exit{MemoryExit{Gpa{at}, value, MemoryAccess::write, Width::b4, true}};
}
[[nodiscard]] inline Exit load(u64 at) { return Exit{MemoryExit{Gpa{at}, 0, MemoryAccess::read, Width::b4, true}}; }
[[nodiscard]] inline Exit write_register(u32 id, u64 value) { return Exit{SystemRegisterExit{id, true, value}}; }
[[nodiscard]] inline Exit wait_for_interrupt() { return Exit{WaitExit{false}}; }
[[nodiscard]] inline Exit send_sgi(u32 to, u32 sgi) { return store(kDistributor + 0xf00, 1u << (16 + to) | sgi); }

enum class Firmware : u64 {
    cpu_off = 0x8400'0002,
    cpu_on = 0xc400'0003,
    system_off = 0x8400'0008,
    system_reset = 0x8400'0009
};
[[nodiscard]] inline Exit call(ThreadedVcpu &cpu, Firmware function, u64 argument = 0) {
    cpu.x[0] = static_cast<u64>(function);
    cpu.x[1] = argument;
    cpu.x[2] = 0x4000'0000;
    cpu.x[3] = 0;
    return Exit{aarch64::hypercall(cpu.x[0], 0, aarch64::Conduit::hvc)};
}

/// Lets every interrupt through that the tests use.
inline void open_interrupts(ThreadedVcpu &cpu) {
    cpu.then(store(kDistributor + 0x000, 3));
    cpu.then(store(kDistributor + 0x100, 0xffff'ffff));
    cpu.then(store(kDistributor + 0x104, 0xffff'ffff));
}
inline void open_interrupts(ThreadedVcpu &cpu, dev::GicVersion version, usize number) {
    if (version == dev::GicVersion::v2)
        return open_interrupts(cpu);
    const u64 own = kRedistributors + number * aarch64::gicr::kBytes;
    cpu.then(store(own + aarch64::gicr::kWaker, 0));
    cpu.then(store(own + aarch64::gicr::kFrameBytes + 0x080, 0xffff'ffff));
    cpu.then(store(own + aarch64::gicr::kFrameBytes + 0x100, 0xffff'ffff));
    cpu.then(store(kDistributor + 0x000, 3));
    cpu.then(store(kDistributor + 0x104, 0xffff'ffff));
}

class SharedLog final : public Log {
public:
    void line(LogLevel, std::string_view, std::string_view) override { lines.fetch_add(1); }
    std::atomic<unsigned> lines{0};
};

struct ThreadedMachine final : LifecycleHooks {
    struct Nobody final : ExecutorListener {
        void notification(u64 badge, u64) override {
            if (heard)
                heard(badge);
        }
        void vm_stopped(Vm &) override { stops.fetch_add(1); }
        std::atomic<unsigned> stops{0};
        std::function<void(u64)> heard; ///< what a test does with signals; before the start
    };
    struct NoEntropy final : Entropy {
        [[nodiscard]] Status<HostError> fill(std::span<u8>) override {
            return Err{HostError{HostErrorKind::not_available}};
        }
    };
    struct Sink final : ByteSink {
        void put(std::span<const u8> more) override { bytes.fetch_add(more.size()); }
        std::atomic<u64> bytes{0};
    };

    /// vCPU n executes guests[n], on executor n % executor_count.
    ThreadedMachine(std::span<const std::unique_ptr<GuestThread>> guests, usize executor_count,
                    dev::GicVersion version = dev::GicVersion::v2)
        : vm(VmConfig{"guest", VmId{0}, LockMode::spin, ResetPolicy::restart}, space, allocator, log),
          gic({.version = version,
               .vcpu_count = static_cast<u32>(guests.size()),
               .spi_count = 32,
               .locks = LockMode::spin}),
          timer(gic, clock, allocator, {.intid = kTimerIntid, .counter_offset_ticks = 0, .locks = LockMode::spin}) {
        for (usize n = 0; n < executor_count; ++n) {
            ports.emplace_back(clock);
            executors.emplace_back(ports.back(), clock, listener, LockMode::spin);
        }
        SEL4VM_ASSERT(gic.init(allocator).has_value());
        for (usize n = 0; n < guests.size(); ++n) {
            ThreadedPort &port = ports[n % executor_count];
            ThreadedVcpu &cpu = cpus.emplace_back(port, *guests[n]);
            auto vcpu = vm.add_vcpu(cpu);
            SEL4VM_ASSERT(vcpu.has_value());
            port.add(VmId{0}, (*vcpu)->id(), cpu);
            SEL4VM_ASSERT(gic.attach(**vcpu, cpu.lists, cpu.timer).has_value());
            // One queue for all: most timeouts belong to vCPUs of other executors.
            SEL4VM_ASSERT(timer.add_vcpu(executors[0].timeouts()));
        }
        SEL4VM_ASSERT(vm.add_memory(*GpaRange::make(Gpa{0x4000'0000}, kPageBytes), RegionKind::ram).has_value());
        vm.set_interrupts(gic, &gic);
        vm.set_lifecycle_hooks(this);
        SEL4VM_ASSERT(
            vm.attach(*GpaRange::make(Gpa{kDistributor}, gic.distributor_bytes()), gic.distributor()).has_value());
        if (version == dev::GicVersion::v3) {
            SEL4VM_ASSERT(
                vm.attach(*GpaRange::make(Gpa{kRedistributors}, gic.redistributor_bytes()), gic.redistributors())
                    .has_value());
            SEL4VM_ASSERT(gic.register_all(vm.system_registers()).has_value());
        }
        SEL4VM_ASSERT(vm.attach(*GpaRange::make(Gpa{kUart}, dev::Pl011::kRangeBytes), uart).has_value());
        SEL4VM_ASSERT(psci.register_all(vm.hypercalls()).has_value());
        SEL4VM_ASSERT(timer.register_all(vm.system_registers()).has_value());
        for (Executor &executor : executors)
            SEL4VM_ASSERT(executor.add(vm));
    }
    ~ThreadedMachine() { join(); }
    ThreadedMachine(const ThreadedMachine &) = delete;
    ThreadedMachine &operator=(const ThreadedMachine &) = delete;

    void start() {
        SEL4VM_ASSERT(vm.start().has_value());
        for (Executor &executor : executors)
            threads.emplace_back([this, &executor] {
                do
                    executor.run();
                while (again.load());
            });
    }
    void join() {
        for (std::thread &thread : threads)
            thread.join();
        threads.clear();
    }
    /// Whatever the VM does, it has stopped then, and the executors have ended.
    void end() {
        vm.stop(StopReason::client);
        again = false;
        set_outside(false);
        join();
        EXPECT_EQ(vm.state(), VmState::stopped);
        for (const ThreadedVcpu &cpu : cpus)
            EXPECT_EQ(cpu.lists.violation(), nullptr);
    }
    void set_outside(bool on) {
        for (ThreadedPort &port : ports)
            port.set_outside(on);
    }

    // -- LifecycleHooks
    [[nodiscard]] BootStep prepare_boot(Vm &, BootCall) override { return BootStep::ready({0x4000'0000, 0}); }
    void paused(Vm &) override {}
    void resuming(Vm &) override {}
    void stopped(Vm &, StopReason) override {}

    SharedClock clock;
    SharedLog log;
    NoEntropy entropy;
    Sink sink;
    Nobody listener;
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    std::deque<ThreadedPort> ports;
    std::deque<Executor> executors;
    Vm vm;
    dev::Gic gic;
    dev::GenericTimer timer;
    dev::Psci psci;
    dev::Pl011 uart{IrqLine{gic, kUartIntid}, sink};
    std::deque<ThreadedVcpu> cpus;
    std::atomic<bool> again{false}; ///< the executors run again after the VM has stopped
    std::vector<std::thread> threads;
};

template <class Guest, class... Args>
[[nodiscard]] std::vector<std::unique_ptr<GuestThread>> guests(usize count, Args &&...args) {
    std::vector<std::unique_ptr<GuestThread>> made;
    for (usize n = 0; n < count; ++n)
        made.push_back(std::make_unique<Guest>(n, args...));
    return made;
}

} // namespace sel4vm::test
