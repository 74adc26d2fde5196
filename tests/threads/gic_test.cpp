// SPDX-License-Identifier: BSD-2-Clause
//
// The GIC of a VM whose vCPUs are on several executors: no SGI is lost or comes twice, whatever else is done to the GIC meanwhile, and an exit
// of a vCPU that has to do with its own device and its own SGIs takes no lock that another vCPU's such exit takes.
#include "threaded_machine.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace sel4vm::test {
namespace {

namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;
namespace sysreg = aarch64::sysreg;
using dev::GicVersion;

struct Place {
    GicVersion version;
    usize executors;
};

std::string name_of(const testing::TestParamInfo<Place> &place) {
    return (place.param.version == GicVersion::v2 ? "v2on" : "v3on") + std::to_string(place.param.executors);
}

class GicOnExecutors : public testing::TestWithParam<Place> {};
INSTANTIATE_TEST_SUITE_P(Places, GicOnExecutors,
                         testing::Values(Place{GicVersion::v2, 2}, Place{GicVersion::v2, 4}, Place{GicVersion::v3, 2},
                                         Place{GicVersion::v3, 4}),
                         name_of);

/// A guest of either version.
struct GicGuest : GuestThread {
    GicGuest(usize its_number, GicVersion its_version, usize count)
        : number(its_number), version(its_version), size(count), random(its_number + 1) {}
    void boot(ThreadedVcpu &cpu) override {
        open_interrupts(cpu, version, number);
        calls = 1;
    }
    void interrupt(ThreadedVcpu &, u32) override {}
    Exit step(ThreadedVcpu &cpu) override {
        if (number == 0 && calls < size)
            return call(cpu, Firmware::cpu_on, calls++);
        return next(cpu);
    }
    virtual Exit next(ThreadedVcpu &cpu) = 0;
    [[nodiscard]] Exit sgi(usize to, u32 intid) const {
        if (version == GicVersion::v2)
            return send_sgi(static_cast<u32>(to), intid);
        return write_register(sysreg::kIccSgi1rEl1, u64{intid} << 24 | u64{1} << to);
    }
    [[nodiscard]] u32 some(usize limit) { return static_cast<u32>(random() % limit); }

    usize number;
    GicVersion version;
    usize size;
    usize calls = 0;
    std::minstd_rand random;
};

/// Which SGIs are on their way: sent, and not yet acknowledged.
struct Traffic {
    static constexpr usize kMost = 8;
    static constexpr usize kEach = 60; ///< from each to each
    std::array<std::array<std::atomic<bool>, kMost>, kMost> on_the_way{};
    std::array<std::array<std::atomic<usize>, kMost>, kMost> arrived{};
    std::atomic<usize> twice{0};
    std::atomic<usize> unfinished{0};
};

/// Sends SGIs to everybody, itself included, each as soon as the last one of its kind has come, and does other things to the GIC between.
struct Stormer final : GicGuest {
    Stormer(usize its_number, GicVersion its_version, usize count, Traffic &its_traffic)
        : GicGuest(its_number, its_version, count), traffic(its_traffic) {}
    void interrupt(ThreadedVcpu &, u32 intid) override {
        if (intid >= size)
            return;
        traffic.arrived[intid][number].fetch_add(1);
        if (!traffic.on_the_way[intid][number].exchange(false))
            traffic.twice.fetch_add(1);
    }
    Exit next(ThreadedVcpu &cpu) override {
        for (usize tried = 0; tried < size; ++tried) {
            const usize to = (turn + tried) % size;
            if (sent[to] == Traffic::kEach || traffic.on_the_way[number][to].load())
                continue;
            turn = to + 1;
            ++sent[to];
            traffic.on_the_way[number][to].store(true);
            return sgi(to, static_cast<u32>(number));
        }
        bool all = true;
        for (usize to = 0; to < size; ++to)
            all = all && sent[to] == Traffic::kEach && !traffic.on_the_way[number][to].load();
        if (all && !finished) {
            finished = true;
            if (traffic.unfinished.fetch_sub(1) == 1)
                return call(cpu, Firmware::system_off);
        }
        switch (some(6)) {
        case 0: return load(kDistributor + gicd::kIspendr + 4 * some(3));
        case 1: return store(kDistributor + gicd::kIpriorityr + 36 + 4 * some(6), u64{some(256)} * 0x0101'0101);
        case 2:
            return version == GicVersion::v2 ? store(kDistributor + gicd::kItargetsr + 36, u64{some(size)} + 1)
                                             : store(kDistributor + gicd::kIrouter + 8 * (36 + some(4)), some(size));
        default:
            // Whoever else is at work sends it something still, or it has been sent already.
            return finished ? wait_for_interrupt() : Exit{ExitKind::kicked};
        }
    }
    Traffic &traffic;
    std::array<usize, Traffic::kMost> sent{};
    usize turn = 0;
    bool finished = false;
};

TEST_P(GicOnExecutors, EachSgiArrivesOnceWhateverElseHappens) {
    const usize vcpus = GetParam().executors + 1; // two of them on one executor
    Traffic traffic;
    traffic.unfinished = vcpus;
    const auto stormers = guests<Stormer>(vcpus, GetParam().version, vcpus, std::ref(traffic));
    ThreadedMachine machine(stormers, GetParam().executors, GetParam().version);
    machine.set_outside(true);
    machine.start();
    std::minstd_rand random(7);
    while (machine.vm.state() != VmState::stopped && machine.listener.stops.load() == 0) {
        // Lines that stay high would leave the guest no time.
        const u32 intid = 36 + static_cast<u32>(random() % 4);
        machine.gic.set_level(intid, Level::high);
        machine.gic.set_level(intid, Level::low);
        const VcpuId vcpu{static_cast<u16>(random() % vcpus)};
        machine.gic.set_private_level(vcpu, 20, Level::high);
        machine.gic.set_private_level(vcpu, 20, Level::low);
        std::this_thread::yield();
    }
    machine.set_outside(false);
    machine.join();
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
    EXPECT_EQ(traffic.twice.load(), 0u);
    for (usize from = 0; from < vcpus; ++from) {
        for (usize to = 0; to < vcpus; ++to)
            EXPECT_EQ(traffic.arrived[from][to].load(), Traffic::kEach) << from << " to " << to;
    }
    for (const ThreadedVcpu &cpu : machine.cpus)
        EXPECT_EQ(cpu.lists.violation(), nullptr);
}

/// Accesses registers of all kinds, its own and others', and goes off and on.
struct Turmoil final : GicGuest {
    Turmoil(usize its_number, GicVersion its_version, usize count, std::atomic<usize> &counter)
        : GicGuest(its_number, its_version, count), steps(counter) {}
    /// A line that is high would leave time for nothing else.
    void interrupt(ThreadedVcpu &cpu, u32) override { cpu.then(next(cpu)); }
    Exit next(ThreadedVcpu &cpu) override {
        steps.fetch_add(1);
        const u32 other = some(size);
        const u32 families[] = {gicd::kIgroupr,   gicd::kIsenabler, gicd::kIcenabler, gicd::kIspendr,
                                gicd::kIcpendr,   gicd::kIsactiver, gicd::kIcactiver, gicd::kIpriorityr,
                                gicd::kItargetsr, gicd::kIcfgr,     gicd::kCpendsgir, gicd::kSpendsgir};
        const u64 frame = version == GicVersion::v3 && some(2) == 0
                              ? kRedistributors + other * gicr::kBytes + gicr::kFrameBytes
                              : kDistributor;
        const u64 at = frame + families[some(std::size(families))] + 4 * some(3);
        switch (some(24)) {
        case 0: return call(cpu, Firmware::cpu_off);
        case 1: return call(cpu, Firmware::cpu_on, other);
        case 2:
        case 3:
        case 4: return load(at);
        case 5:
        case 6:
        case 7: return store(at, u64{random()} * random());
        case 8: return store(kDistributor, some(8) == 0 ? some(4) : 3);
        case 9:
            return version == GicVersion::v3 ? store(kRedistributors + other * gicr::kBytes + gicr::kWaker, some(2) * 2)
                                             : load(kDistributor + 4 * some(3));
        case 10:
            return version == GicVersion::v3 ? store(kDistributor + gicd::kIrouter + 8 * (32 + some(32)) + 4 * some(2),
                                                     some(size) | some(2) << 31)
                                             : store(kDistributor + gicd::kSgir, random());
        case 11: return version == GicVersion::v3 ? write_register(sysreg::kIccDirEl1, some(64)) : wait_for_interrupt();
        case 12:
            return version == GicVersion::v3
                       ? write_register(some(2) == 0 ? sysreg::kIccSgi0rEl1 : sysreg::kIccAsgi1rEl1,
                                        u64{some(16)} << 24 | u64{some(2)} << 40 | some(1u << size))
                       : store(kDistributor + gicd::kSgir + 4 * some(2), random());
        case 13:
        case 14: return wait_for_interrupt();
        default: return sgi(other, some(16));
        }
    }
    std::atomic<usize> &steps;
};

TEST_P(GicOnExecutors, EveryRegisterIsThereForAllVcpusAtOnce) {
    const usize vcpus = GetParam().executors + 1;
    std::atomic<usize> steps{0};
    const auto all = guests<Turmoil>(vcpus, GetParam().version, vcpus, std::ref(steps));
    ThreadedMachine machine(all, GetParam().executors, GetParam().version);
    machine.set_outside(true);
    machine.again = true;
    machine.start();
    std::minstd_rand random(3);
    for (unsigned step = 0; step < 2'000 || steps.load() < 20'000; ++step) {
        const u32 intid = 32 + static_cast<u32>(random() % 32);
        const VcpuId vcpu{static_cast<u16>(random() % vcpus)};
        switch (random() % 8) {
        case 0: static_cast<void>(machine.gic.inject(vcpu, intid)); break;
        case 1: static_cast<void>(machine.gic.inject(vcpu, 16 + intid % 16)); break;
        case 2: static_cast<void>(machine.gic.inject_quickly(vcpu, intid)); break;
        case 3: machine.gic.set_private_level(vcpu, 16 + intid % 16, level_of(random() % 2 == 0)); break;
        case 4:
            if (random() % 100 == 0)
                static_cast<void>(machine.vm.reset());
            break;
        default: machine.gic.set_level(intid, level_of(random() % 2 == 0)); break;
        }
        if (step % 100 == 0) {
            static_cast<void>(machine.vm.resume());
            std::this_thread::yield();
        }
    }
    machine.end();
}

/// Names the locks that its thread takes while it is told to.
struct TakenLocks final : LockObserver {
    void taken(const Mutex &mutex) override {
        if (counts)
            locks.insert(&mutex);
    }
    bool counts = false;
    std::set<const Mutex *> locks;
};

/// Sends itself SGIs, and accesses a device of its own between them.
struct Loner final : GicGuest {
    static constexpr usize kRounds = 200;
    Loner(usize its_number, GicVersion its_version, usize count, std::atomic<usize> &started,
          std::atomic<usize> &finished)
        : GicGuest(its_number, its_version, count), ready(started), done(finished) {}
    void interrupt(ThreadedVcpu &cpu, u32 intid) override {
        taken += intid == 3 ? 1u : 0u;
        cpu.then(load(kOwnDevices + number * 0x1000));
    }
    Exit next(ThreadedVcpu &cpu) override {
        // Only while all of them do the same.
        if (!counted_in) {
            counted_in = true;
            ready.fetch_add(1);
        }
        if (ready.load() < size)
            return Exit{ExitKind::kicked};
        detail::lock_observer = &observer;
        observer.counts = sent < kRounds;
        if (sent < kRounds) {
            ++sent;
            return sgi(number, 3);
        }
        detail::lock_observer = nullptr;
        if (!counted_out) {
            counted_out = true;
            done.fetch_add(1);
        }
        if (number != 0)
            return done.load() < size ? Exit{ExitKind::kicked} : wait_for_interrupt();
        return done.load() < size ? Exit{ExitKind::kicked} : call(cpu, Firmware::system_off);
    }
    std::atomic<usize> &ready;
    std::atomic<usize> &done;
    bool counted_in = false;
    bool counted_out = false;
    usize sent = 0;
    usize taken = 0;
    TakenLocks observer;
};

/// A device of one vCPU.
struct OwnDevice final : MmioDevice {
    [[nodiscard]] const char *name() const override { return "own device"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override { return u64{++reads}; }
    [[nodiscard]] Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    u64 reads = 0;
};

TEST_P(GicOnExecutors, AnExitWithItsOwnDeviceAndItsOwnSgiTakesNoLockOfOthers) {
    const usize vcpus = GetParam().executors;
    std::atomic<usize> ready{0};
    std::atomic<usize> done{0};
    const auto loners = guests<Loner>(vcpus, GetParam().version, vcpus, std::ref(ready), std::ref(done));
    ThreadedMachine machine(loners, vcpus, GetParam().version);
    std::deque<OwnDevice> devices(vcpus);
    for (usize n = 0; n < vcpus; ++n)
        ASSERT_TRUE(machine.vm.attach(*GpaRange::make(Gpa{kOwnDevices + n * 0x1000}, 0x1000), devices[n]).has_value());
    machine.start();
    machine.join();
    EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
    usize shared = 0;
    for (usize n = 0; n < vcpus; ++n) {
        const Loner &one = static_cast<const Loner &>(*loners[n]);
        EXPECT_EQ(one.taken, Loner::kRounds);
        EXPECT_GT(devices[n].reads, 0u);
        EXPECT_FALSE(one.observer.locks.empty()) << "its device has a lock";
        for (usize other = n + 1; other < vcpus; ++other) {
            for (const Mutex *mutex : static_cast<const Loner &>(*loners[other]).observer.locks)
                shared += one.observer.locks.count(mutex);
        }
        for (const Mutex *mutex : one.observer.locks)
            EXPECT_TRUE(mutex->rank() == LockRank::device || mutex->rank() == LockRank::irq_vcpu)
                << "a lock of rank " << static_cast<unsigned>(mutex->rank());
    }
    EXPECT_EQ(shared, 0u) << "locks that more than one vCPU has taken";
}

} // namespace
} // namespace sel4vm::test
