// SPDX-License-Identifier: BSD-2-Clause
//
// One VM on two and on four executors: no wake-up is lost, a VM is dead only when all of them have nothing to do, and timeouts, input and
// changes of its state come from any thread. What a data race is, the thread sanitizer says.
#include "threaded_machine.hpp"

#include <random>

namespace sel4vm::test {
namespace {

namespace sysreg = aarch64::sysreg;

class Executors : public testing::TestWithParam<usize> {};
INSTANTIATE_TEST_SUITE_P(Two, Executors, testing::Values(2));
INSTANTIATE_TEST_SUITE_P(Four, Executors, testing::Values(4));

/// Does nothing but what its queue says and what interrupts add to it.
struct Waiter : GuestThread {
    explicit Waiter(usize its_number) : number(its_number) {}
    void boot(ThreadedVcpu &cpu) override {
        open_interrupts(cpu);
        calls = 1;
    }
    void interrupt(ThreadedVcpu &, u32) override {}
    Exit step(ThreadedVcpu &cpu) override {
        if (number == 0 && calls < started)
            return call(cpu, Firmware::cpu_on, calls++);
        return next(cpu);
    }
    virtual Exit next(ThreadedVcpu &) { return wait_for_interrupt(); }

    usize number;
    usize started = 0; ///< vCPU 0 starts those below
    usize calls = 0;
};

/// Passes a token on to the next vCPU by an SGI, and switches the machine off after so many rounds.
struct Ring final : Waiter {
    Ring(usize its_number, usize count) : Waiter(its_number), size(count) {
        started = count;
        tokens = its_number == 0 ? 1u : 0u;
    }
    void interrupt(ThreadedVcpu &, u32 intid) override { tokens += intid == 1 ? 1u : 0u; }
    Exit next(ThreadedVcpu &cpu) override {
        if (tokens == 0)
            return wait_for_interrupt();
        --tokens;
        if (number == 0 && ++rounds == 2'000)
            return call(cpu, Firmware::system_off);
        return send_sgi(static_cast<u32>((number + 1) % size), 1);
    }
    usize size;
    usize tokens;
    usize rounds = 0;
};

TEST_P(Executors, AnInterruptWakesWhoeverWaitsAnywhere) {
    const auto ring = guests<Ring>(GetParam(), GetParam());
    ThreadedMachine machine(ring, GetParam());
    machine.start();
    machine.join();
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
    EXPECT_EQ(machine.listener.stops.load(), 1u);
}

/// vCPU 0 works for long and then wakes the last one, which ends it all.
struct Late final : Waiter {
    Late(usize its_number, usize count) : Waiter(its_number), last(count - 1) { started = count; }
    void interrupt(ThreadedVcpu &, u32) override { woken = true; }
    Exit next(ThreadedVcpu &cpu) override {
        if (woken)
            return call(cpu, Firmware::system_off);
        if (number != 0 || ++work > 20'000)
            return wait_for_interrupt();
        return work < 20'000 ? load(kDistributor + 4) : send_sgi(static_cast<u32>(last), 1);
    }
    usize last;
    usize work = 0;
    bool woken = false;
};

TEST_P(Executors, NobodyIsGivenUpWhileAnotherExecutorWorks) {
    const auto late = guests<Late>(GetParam(), GetParam());
    ThreadedMachine machine(late, GetParam());
    machine.start();
    machine.join();
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
}

struct Idle final : Waiter {
    Idle(usize its_number, usize count) : Waiter(its_number) { started = count; }
};

TEST_P(Executors, AVmWhoseVcpusAllWaitForEverIsGivenUpOnce) {
    for (unsigned round = 0; round < 50; ++round) {
        const auto idle = guests<Idle>(GetParam(), GetParam());
        ThreadedMachine machine(idle, GetParam());
        machine.start();
        machine.join();
        EXPECT_EQ(machine.vm.stop_reason(), StopReason::guest_crash);
        EXPECT_EQ(machine.vm.stop_detail(), "every vCPU waits and nothing is left that could wake one");
        EXPECT_EQ(machine.listener.stops.load(), 1u);
    }
}

/// Sets its timer again and again.
struct Alarm final : Waiter {
    Alarm(usize its_number, usize count, std::atomic<usize> &counter) : Waiter(its_number), done(counter), all(count) {
        started = count;
    }
    void boot(ThreadedVcpu &cpu) override {
        Waiter::boot(cpu);
        set(cpu);
    }
    void set(ThreadedVcpu &cpu) {
        cpu.then(write_register(sysreg::kCntpTvalEl0, 10 + (fired * 7 + number * 13) % 50));
        cpu.then(write_register(sysreg::kCntpCtlEl0, 1));
    }
    void interrupt(ThreadedVcpu &cpu, u32 intid) override {
        if (intid != kTimerIntid)
            return;
        if (++fired < 500)
            return set(cpu);
        cpu.then(write_register(sysreg::kCntpCtlEl0, 0));
        last = done.fetch_add(1) + 1 == all;
    }
    Exit next(ThreadedVcpu &cpu) override { return last ? call(cpu, Firmware::system_off) : wait_for_interrupt(); }
    std::atomic<usize> &done;
    usize all;
    usize fired = 0;
    bool last = false;
};

TEST_P(Executors, TimeoutsReachVcpusOfOtherExecutors) {
    std::atomic<usize> done{0};
    const auto alarms = guests<Alarm>(GetParam(), GetParam(), std::ref(done));
    ThreadedMachine machine(alarms, GetParam());
    machine.start();
    machine.join();
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
    EXPECT_EQ(done.load(), GetParam());
}

/// The last vCPU reads what the UART gets; the others disturb it.
struct Reader final : Waiter {
    static constexpr usize kBytes = 300;
    Reader(usize its_number, usize count) : Waiter(its_number), reads(its_number + 1 == count) { started = count; }
    void boot(ThreadedVcpu &cpu) override {
        Waiter::boot(cpu);
        if (!reads)
            return;
        cpu.then(store(kDistributor + 0x800 + 32, u64{1} << (8 + number))); // GICD_ITARGETSR8: interrupt 33 to this one
        cpu.then(store(kUart + 0x030, 0x301));
        cpu.then(store(kUart + 0x038, 0x50));
    }
    void interrupt(ThreadedVcpu &cpu, u32 intid) override {
        if (intid == kUartIntid)
            cpu.then(load(kUart + 0x000));
    }
    void loaded(ThreadedVcpu &, u64 value) override {
        if (reads)
            wrong += value != (got++ & 0x7f) ? 1u : 0u;
    }
    Exit next(ThreadedVcpu &cpu) override {
        if (reads)
            return got < kBytes ? wait_for_interrupt() : call(cpu, Firmware::system_off);
        return load(kUart + 0x018);
    }
    bool reads;
    usize got = 0;
    usize wrong = 0;
};

TEST_P(Executors, InputComesFromAnyThreadInOrder) {
    const auto readers = guests<Reader>(GetParam(), GetParam());
    ThreadedMachine machine(readers, GetParam());
    machine.set_outside(true);
    machine.start();
    for (usize sent = 0; sent < Reader::kBytes;) {
        const u8 byte = sent & 0x7f;
        {
            LockGuard guard(*machine.vm.map().search(Gpa{kUart})->lock);
            sent += machine.uart.receive({&byte, 1});
        }
        std::this_thread::yield();
    }
    machine.set_outside(false);
    machine.join();
    const auto &reader = static_cast<const Reader &>(*readers.back());
    EXPECT_EQ(reader.got, Reader::kBytes);
    EXPECT_EQ(reader.wrong, 0u);
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
}

/// Everything at once.
struct Chaos final : Waiter {
    Chaos(usize its_number, usize count) : Waiter(its_number), random(its_number), size(count) { started = count; }
    void interrupt(ThreadedVcpu &cpu, u32 intid) override {
        if (intid == kTimerIntid)
            cpu.then(write_register(sysreg::kCntpCtlEl0, 0));
    }
    Exit next(ThreadedVcpu &cpu) override {
        const u32 other = static_cast<u32>(random() % size);
        switch (random() % 24) {
        case 0: return call(cpu, Firmware::cpu_off);
        case 1: return call(cpu, Firmware::cpu_on, other);
        case 2: return random() % 50 == 0 ? call(cpu, Firmware::system_reset) : wait_for_interrupt();
        case 3:
            cpu.then(write_register(sysreg::kCntpCtlEl0, 1));
            return write_register(sysreg::kCntpTvalEl0, random() % 40);
        case 4: return store(kUart, 'x');
        case 5: return store(kDistributor + 0x180, 1u << kTimerIntid); // GICD_ICENABLER0
        case 6: return store(kDistributor + 0x100, 1u << kTimerIntid);
        case 7:
        case 8:
        case 9: return wait_for_interrupt();
        case 10: return load(kDistributor + 4 * (random() % 64));
        default: return send_sgi(other, static_cast<u32>(random() % 16));
        }
    }
    std::minstd_rand random;
    usize size;
};

TEST_P(Executors, AVmIsPausedResetAndStoppedFromOutsideWhateverItsVcpusDo) {
    const auto chaos = guests<Chaos>(2 * GetParam(), 2 * GetParam());
    ThreadedMachine machine(chaos, GetParam());
    machine.set_outside(true);
    machine.again = true;
    machine.start();
    std::minstd_rand random(1);
    unsigned pauses = 0;
    unsigned resets = 0;
    for (unsigned step = 0; step < 500 || pauses < 20 || resets < 20; ++step) {
        machine.gic.set_level(kUartIntid + 1, level_of(step % 2 == 0));
        switch (random() % 8) {
        case 0: pauses += machine.vm.pause().has_value() ? 1u : 0u; break;
        case 1: resets += machine.vm.reset().has_value() ? 1u : 0u; break;
        case 2: machine.vm.stop_because(StopReason::client, "for a while"); break;
        default: static_cast<void>(machine.vm.resume()); break;
        }
        std::this_thread::yield();
    }
    machine.end();
}

TEST(ExecutorsStop, WhoSeesThatAVmHasStoppedSeesWhy) {
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    SharedLog log;
    for (unsigned round = 0; round < 300; ++round) {
        Vm vm(VmConfig{"guest", VmId{0}, LockMode::spin, ResetPolicy::restart}, space, allocator, log);
        std::thread settler([&vm] {
            while (vm.settle() != Vm::Settled::stopped)
                std::this_thread::yield();
            EXPECT_EQ(vm.stop_reason(), StopReason::client);
            EXPECT_EQ(vm.stop_detail(), "it is enough");
        });
        vm.stop_because(StopReason::client, "it is enough");
        vm.stop_because(StopReason::guest_error, "too late");
        settler.join();
    }
}

} // namespace
} // namespace sel4vm::test
