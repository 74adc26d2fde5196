// SPDX-License-Identifier: BSD-2-Clause
//
// WFI where the kernel traps it: a vCPU blocks when somebody watches the clock for its timer, or when its timer is off; it does not
// block when nobody could wake it.
#include <sel4_host/interrupt_guest.hpp>

#include <algorithm>

namespace sel4vm::sel4_double {
namespace {

using Timer = InterruptGuest::Timer;

struct Heard {
    InterruptGuest *guest;
    std::vector<u64> badges{};
    bool threads_ran = false; ///< while the event came
};

/// Remembers the badge, and raises an interrupt for vCPU 0.
int inject_one(vm_t *, seL4_Word badge, seL4_MessageInfo_t, void *cookie) {
    auto &heard = *static_cast<Heard *>(cookie);
    heard.badges.push_back(badge);
    const auto &threads = heard.guest->kernel().threads;
    heard.threads_ran = std::any_of(threads.begin(), threads.end(), [](const Tcb *thread) { return thread->runs(); });
    return vm_inject_irq(heard.guest->vcpus[0], kSpi);
}

int remember(vm_t *, seL4_Word badge, seL4_MessageInfo_t, void *cookie) {
    static_cast<Heard *>(cookie)->badges.push_back(badge);
    return 0;
}

TEST(Sel4Waiting, WithATimeoutSourceAVcpuBlocksUntilItsTimerFires) {
    InterruptGuest guest;
    {
        TestTimeouts timeouts(guest.host);
        const vm_timeout_source_t source = timeouts.source();
        Heard heard{&guest};
        guest.make(&source);
        ASSERT_EQ(vm_register_notification_callback(&guest.guest.vm, remember, &heard), 0);
        guest.start(0, Timer::armed, 0x4000);
        guest.run();
        EXPECT_EQ(guest.intid(0), 27U);
        EXPECT_GE(guest.after_wait(0), guest.deadline(0));
        EXPECT_EQ(timeouts.armed, std::vector<u64>{guest.deadline(0)}) << "at its tick, once";
        EXPECT_EQ(guest.kernel().yields, 0U);
        EXPECT_TRUE(heard.badges.empty()) << "the source's notification is not the client's";
    }
}

TEST(Sel4Waiting, WithoutASourceAVcpuWhoseTimerIsArmedGoesOnAtOnce) {
    InterruptGuest guest;
    guest.make(nullptr);
    guest.start(0, Timer::armed, 0x4000);
    guest.run();
    EXPECT_EQ(guest.kernel().yields, 1U);
    EXPECT_LT(guest.after_wait(0), guest.deadline(0));
    EXPECT_EQ(guest.intid(0), 27U) << "it comes all the same";
}

TEST(Sel4Waiting, WithItsTimerOffAVcpuBlocksUntilAnInterruptComes) {
    constexpr u64 kWhen = 0x10000;
    InterruptGuest guest;
    Heard heard{&guest};
    seL4_CPtr signal = 0;
    ASSERT_EQ(vm_host_make_signal(&guest.host, kClientBadge, &signal), 0);
    guest.make(nullptr);
    ASSERT_EQ(vm_register_notification_callback(&guest.guest.vm, inject_one, &heard), 0);
    ASSERT_EQ(vm_register_irq(
                  guest.vcpus[0], kSpi, [](vm_vcpu_t *, int, void *) {}, nullptr),
              0);
    guest.kernel().timers.emplace(kWhen, [signal] { seL4_Signal(signal); });
    guest.start(0, Timer::off, 0);
    guest.run();
    EXPECT_EQ(heard.badges, std::vector<u64>{kClientBadge});
    EXPECT_FALSE(heard.threads_ran);
    EXPECT_EQ(guest.kernel().yields, 0U);
    EXPECT_EQ(guest.intid(0), static_cast<u64>(kSpi));
    EXPECT_GE(guest.after_wait(0), kWhen);
    vm_host_free_signal(&guest.host, signal);
}

TEST(Sel4Waiting, TwoVcpusAreWokenInTheOrderOfTheirDeadlines) {
    InterruptGuest guest;
    {
        TestTimeouts timeouts(guest.host);
        const vm_timeout_source_t source = timeouts.source();
        guest.make(&source, 2);
        guest.start(1, Timer::armed, 0x8000);
        guest.start(0, Timer::armed, 0x20000);
        guest.run();
        EXPECT_GE(guest.after_wait(1), guest.deadline(1));
        EXPECT_LT(guest.after_wait(1), guest.deadline(0));
        EXPECT_GE(guest.after_wait(0), guest.deadline(0));
        EXPECT_EQ(guest.intid(0), 27U);
        EXPECT_EQ(guest.intid(1), 27U);
        ASSERT_FALSE(timeouts.armed.empty());
        EXPECT_EQ(timeouts.armed.back(), guest.deadline(0));
        EXPECT_EQ(std::count(timeouts.armed.begin(), timeouts.armed.end(), guest.deadline(1)), 1);
    }
}

TEST(Sel4Waiting, ANotificationThatComesEarlyWakesNobodyAndIsAskedForAgain) {
    InterruptGuest guest;
    {
        TestTimeouts timeouts(guest.host);
        timeouts.early = 0x800;
        const vm_timeout_source_t source = timeouts.source();
        guest.make(&source);
        guest.start(0, Timer::armed, 0x4000);
        guest.run();
        EXPECT_GE(guest.after_wait(0), guest.deadline(0));
        EXPECT_EQ(timeouts.armed, (std::vector<u64>{guest.deadline(0), guest.deadline(0)}));
    }
}

TEST(Sel4Waiting, AClientsSignalTogetherWithTheSourcesIsHeardWithoutTheSourcesBit) {
    InterruptGuest guest;
    {
        TestTimeouts timeouts(guest.host);
        const vm_timeout_source_t source = timeouts.source();
        Heard heard{&guest};
        seL4_CPtr signal = 0;
        ASSERT_EQ(vm_host_make_signal(&guest.host, kClientBadge, &signal), 0);
        guest.make(&source);
        ASSERT_EQ(vm_register_notification_callback(&guest.guest.vm, remember, &heard), 0);
        guest.start(0, Timer::armed, 0x4000);
        guest.kernel().timers.emplace(u64{0}, [&] { seL4_Signal(signal); });
        guest.run();
        EXPECT_EQ(heard.badges, std::vector<u64>{kClientBadge});
        EXPECT_EQ(guest.intid(0), 27U);
        vm_host_free_signal(&guest.host, signal);
    }
}

} // namespace
} // namespace sel4vm::sel4_double
