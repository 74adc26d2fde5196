// SPDX-License-Identifier: BSD-2-Clause
//
// The bus changes while vCPUs on several executors use it: what moves is reached at one of its places, and what was detached is not used any
// more once the VM says so. The address sanitizer's word on the latter comes from a device that is destroyed then.
#include "threaded_machine.hpp"

#include <random>

namespace sel4vm::test {
namespace {

constexpr u64 kWindow = 0x0c00'0000;
constexpr u64 kPlaces = 4;

/// Is destroyed and made again; whoever uses it after that is found out.
struct Card final : MmioDevice {
    Card() = default;
    Card(const Card &) = delete;
    Card &operator=(const Card &) = delete;
    ~Card() { alive = 0; }
    const char *name() const override { return "card"; }
    Result<u64, BusFault> read(const Access &) override {
        ++uses;
        return alive;
    }
    Status<BusFault> write(const Access &, u64) override { return Ok{}; }
    void reset() override {}
    u64 alive = 0x600d;
    u64 uses = 0; ///< of its lock
};

class BusChanges : public testing::TestWithParam<usize> {};
INSTANTIATE_TEST_SUITE_P(Two, BusChanges, testing::Values(2));
INSTANTIATE_TEST_SUITE_P(Four, BusChanges, testing::Values(4));

struct Reader final : GuestThread {
    Reader(usize its_number, usize count) : number(its_number), size(count), random(its_number) {}
    void boot(ThreadedVcpu &cpu) override { open_interrupts(cpu); }
    void interrupt(ThreadedVcpu &, u32) override {}
    Exit step(ThreadedVcpu &cpu) override {
        if (number == 0 && ++started < size)
            return call(cpu, Firmware::cpu_on, started);
        if (stop->load())
            return number == 0 ? call(cpu, Firmware::system_off) : wait_for_interrupt();
        return load(kWindow + (random() % kPlaces) * kPageBytes);
    }
    void loaded(ThreadedVcpu &, u64 value) override {
        found += value == 0x600d ? 1u : 0u;
        wrong += value != 0x600d && value != 0 ? 1u : 0u;
    }
    usize number;
    usize size;
    usize started = 0;
    std::mt19937_64 random;
    std::atomic<bool> *stop = nullptr;
    usize found = 0;
    usize wrong = 0;
};

struct RunningReaders {
    explicit RunningReaders(usize count) : readers(guests<Reader>(count, count)), machine(readers, count) {
        for (const auto &reader : readers)
            static_cast<Reader &>(*reader).stop = &stop;
        machine.vm.policy().set(Mistake::unmapped_access, Response::ignore);
        machine.set_outside(true);
    }
    void finish() {
        stop.store(true);
        machine.set_outside(false);
        machine.join();
        usize found = 0;
        for (const auto &reader : readers) {
            found += static_cast<Reader &>(*reader).found;
            EXPECT_EQ(static_cast<Reader &>(*reader).wrong, 0u);
        }
        EXPECT_GT(found, 0u);
        EXPECT_EQ(machine.vm.stop_reason(), StopReason::powered_off) << machine.vm.stop_detail();
    }
    void wait_until_unused() {
        while (!machine.vm.detached_are_unused())
            std::this_thread::yield();
    }

    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<GuestThread>> readers;
    ThreadedMachine machine;
};

GpaRange place(u64 n) { return *GpaRange::make(Gpa{kWindow + n * kPageBytes}, kPageBytes); }

TEST_P(BusChanges, ADeviceMovesUnderVcpusThatUseIt) {
    RunningReaders run(GetParam());
    Card card;
    ASSERT_TRUE(run.machine.vm.attach(place(0), card));
    run.machine.start();
    u64 at = 0;
    for (usize n = 0; n < 300; ++n) {
        const u64 to = (at + 1 + n % (kPlaces - 1)) % kPlaces;
        // So many places may be in use that a move has to wait for those who leave.
        while (!run.machine.vm.move(place(at).base(), place(to)))
            std::this_thread::yield();
        at = to;
    }
    run.finish();
}

TEST_P(BusChanges, ADetachedDeviceIsDestroyedAndMadeAgain) {
    RunningReaders run(GetParam());
    std::optional<Card> card;
    run.machine.start();
    for (usize n = 0; n < 300; ++n) {
        card.emplace();
        ASSERT_TRUE(run.machine.vm.attach(place(n % kPlaces), *card));
        for (usize look = 0; look < n % 8; ++look)
            std::this_thread::yield();
        ASSERT_TRUE(run.machine.vm.detach(place(n % kPlaces).base()));
        run.wait_until_unused();
        card.reset();
    }
    // So that somebody finds it, however slow the readers have been.
    card.emplace();
    ASSERT_TRUE(run.machine.vm.attach(place(0), *card));
    const auto uses = [&] {
        LockGuard guard(*run.machine.vm.map().search(place(0).base())->lock);
        return card->uses;
    };
    while (uses() == 0)
        std::this_thread::yield();
    run.finish();
}

} // namespace
} // namespace sel4vm::test
