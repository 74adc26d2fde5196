// SPDX-License-Identifier: BSD-2-Clause
//
// The GIC attached to a VM: frames on the bus, SGI registers in the table, wake-ups, listeners, locks.
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <support/vm_fixture.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sel4vm::test {
namespace {

using dev::Gic;
using dev::GicVersion;
namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;
namespace sysreg = aarch64::sysreg;

constexpr u64 kDistributor = 0x0800'0000;
constexpr u64 kDeactivation = 0x0801'1000;
constexpr u64 kRedistributors = 0x080a'0000;

struct GicVm : VmFixture {
    explicit GicVm(GicVersion version, u32 vcpus = 2, LockMode locks = LockMode::none,
                   const fake::ListRegisters::Abilities &abilities = fake::ListRegisters::full())
        : VmFixture(vcpus), gic({version, vcpus, 64, locks}) {
        SEL4VM_ASSERT(gic.init(allocator).has_value());
        for (u16 n = 0; n < vcpus; ++n) {
            lists.emplace_back(abilities);
            timers.emplace_back();
            SEL4VM_ASSERT(gic.attach(vcpu(n), lists[n], timers[n]).has_value());
        }
        vm.set_interrupts(gic, &gic);
        SEL4VM_ASSERT(vm.attach(range(kDistributor, gic.distributor_bytes()), gic.distributor()).has_value());
        if (version == GicVersion::v3) {
            SEL4VM_ASSERT(
                vm.attach(range(kRedistributors, gic.redistributor_bytes()), gic.redistributors()).has_value());
            SEL4VM_ASSERT(gic.register_all(vm.system_registers()).has_value());
        }
        if (version == GicVersion::v2)
            SEL4VM_ASSERT(vm.attach(range(kDeactivation, Gic::kDeactivationBytes), gic.deactivation()).has_value());
        SEL4VM_ASSERT(vm.start().has_value());
        write(kDistributor + gicd::kCtlr, 3);
        take_kicks();
    }
    void write(u64 gpa, u64 value, u16 cpu = 0) {
        EXPECT_EQ(handle(write_exit(gpa, value), cpu).kind(), AnswerKind::complete);
    }
    u64 read(u64 gpa, u16 cpu = 0) { return handle(read_exit(gpa), cpu).data(); }
    /// Which vCPUs have been kicked, as a mask; takes the kicks.
    u32 take_kicks() {
        u32 mask = 0;
        for (u32 n = 0; n < ports.size(); ++n)
            mask |= ports[n].take_kick() ? 1u << n : 0;
        return mask;
    }
    Gic gic;
    std::deque<fake::ListRegisters> lists;
    std::deque<fake::VirtualTimer> timers;
};

TEST(GicChip, AnSgiReachesTheOtherVcpuByAKickAndItsNextExit) {
    GicVm rig(GicVersion::v2);
    rig.write(kDistributor + gicd::kIsenabler, 0xffff, 1);
    rig.write(kDistributor + gicd::kSgir, 1u << 17 | 6, 0);
    EXPECT_EQ(rig.take_kicks(), 0b10u);
    EXPECT_FALSE(rig.lists[1].signalled().has_value());
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_EQ(rig.lists[1].acknowledge()->intid, 6u);
}

TEST(GicChip, AnSgiToOneselfNeedsNoKick) {
    GicVm rig(GicVersion::v2);
    rig.write(kDistributor + gicd::kIsenabler, 0xffff, 0);
    rig.write(kDistributor + gicd::kSgir, 2u << 24 | 6, 0);
    EXPECT_EQ(rig.take_kicks(), 0u);
    EXPECT_EQ(rig.lists[0].acknowledge()->intid, 6u);
}

TEST(GicChip, SgiRegistersWorkThroughTheSystemRegisterTable) {
    GicVm rig(GicVersion::v3);
    rig.write(kRedistributors + gicr::kBytes + gicr::kIsenabler0, 0xffff, 1);
    rig.write(kRedistributors + gicr::kBytes + gicr::kIgroupr0, 0xffff, 1);
    const auto sysreg_exit = [](u32 id, u64 value) { return Exit{SystemRegisterExit{id, true, value}}; };
    EXPECT_EQ(rig.handle(sysreg_exit(sysreg::kIccSgi0rEl1, u64{4} << 24 | 2)).kind(), AnswerKind::complete);
    EXPECT_EQ(rig.take_kicks() & 0b10u, 0u) << "group 1";
    EXPECT_EQ(rig.handle(sysreg_exit(sysreg::kIccSgi1rEl1, u64{4} << 24 | 2)).kind(), AnswerKind::complete);
    EXPECT_EQ(rig.take_kicks() & 0b10u, 0b10u);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_EQ(rig.lists[1].acknowledge()->intid, 4u);
    EXPECT_EQ(rig.handle(Exit{SystemRegisterExit{sysreg::kIccSgi1rEl1, false, 0}}).kind(), AnswerKind::inject);
}

TEST(GicChip, ALineWakesItsTargetAndEndsAWait) {
    GicVm rig(GicVersion::v2);
    rig.write(kDistributor + gicd::kItargetsr + 40, 0x02);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    EXPECT_EQ(rig.handle(wait_exit(), 1).next(), Next::block);
    const IrqLine line(rig.gic, 40);
    line.set(Level::high);
    EXPECT_EQ(rig.take_kicks(), 0b10u);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_EQ(rig.handle(wait_exit(), 1).next(), Next::run) << "it is pending";
    EXPECT_EQ(rig.lists[1].acknowledge()->intid, 40u);
}

/// A device whose register drives its line, as a UART's do.
struct LineDevice final : MmioDevice {
    [[nodiscard]] const char *name() const override { return "line"; }
    [[nodiscard]] Result<u64, BusFault> read(const Access &) override { return u64{0}; }
    [[nodiscard]] Status<BusFault> write(const Access &, u64 value) override {
        line.set(level_of(value != 0));
        return Ok{};
    }
    void reset() override {}
    IrqLine line;
};

TEST(GicChip, ADeviceThatTheVcpuItselfAccessesNeedsNoKick) {
    GicVm rig(GicVersion::v2);
    LineDevice device;
    device.line = IrqLine(rig.gic, 40);
    ASSERT_TRUE(rig.vm.attach(range(0x0900'0000, 0x1000), device).has_value());
    rig.write(kDistributor + gicd::kItargetsr + 40, 0x01);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    rig.write(0x0900'0000, 1);
    EXPECT_EQ(rig.take_kicks(), 0u);
    EXPECT_EQ(rig.lists[0].signalled()->intid, 40u);
    rig.write(0x0900'0000, 0, 1);
    EXPECT_EQ(rig.take_kicks(), 0b01u) << "another vCPU did it";
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
    EXPECT_FALSE(rig.lists[0].signalled().has_value());
}

TEST(GicChip, TheTimerExitIsServedWithoutAnotherExit) {
    GicVm rig(GicVersion::v2);
    rig.write(kDistributor + gicd::kIsenabler, 1u << 27);
    rig.timers[0].meet_condition();
    ASSERT_TRUE(rig.timers[0].fires());
    EXPECT_EQ(rig.handle(Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)}).kind(), AnswerKind::go_on);
    EXPECT_EQ(rig.take_kicks(), 0u);
    EXPECT_EQ(rig.lists[0].acknowledge()->intid, 27u);
    rig.lists[0].end(27);
    ASSERT_TRUE(rig.lists[0].maintenance_asserted());
    static_cast<void>(rig.handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)}));
    EXPECT_FALSE(rig.lists[0].maintenance_asserted());
    EXPECT_FALSE(rig.timers[0].masked);
}

struct Ended final : EoiListener {
    explicit Ended(Gic &chip) : gic(chip) {}
    void interrupt_ended(VcpuId vcpu, u32 intid) override {
        ++count;
        last_vcpu = vcpu;
        last_intid = intid;
        gic.set_level(intid, Level::low); // a listener may drive the chip
    }
    Gic &gic;
    int count = 0;
    VcpuId last_vcpu;
    u32 last_intid = 0;
};

TEST(GicChip, AListenerHearsTheEndAndMayLowerTheLine) {
    GicVm rig(GicVersion::v2);
    Ended ended(rig.gic);
    EXPECT_TRUE(rig.gic.set_eoi_listener(40, &ended));
    rig.write(kDistributor + gicd::kItargetsr + 40, 0x02);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    rig.gic.set_level(40, Level::high);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_EQ(rig.lists[1].acknowledge()->intid, 40u);
    EXPECT_EQ(ended.count, 0);
    rig.lists[1].end(40);
    static_cast<void>(rig.handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)}, 1));
    EXPECT_EQ(ended.count, 1);
    EXPECT_EQ(ended.last_vcpu, VcpuId{1});
    EXPECT_EQ(ended.last_intid, 40u);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_FALSE(rig.lists[1].acknowledge().has_value());
    EXPECT_TRUE(rig.gic.set_eoi_listener(40, nullptr));
    rig.gic.set_level(40, Level::high);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}, 1));
    EXPECT_EQ(rig.lists[1].acknowledge()->intid, 40u);
    rig.lists[1].end(40);
    static_cast<void>(rig.handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)}, 1));
    EXPECT_EQ(ended.count, 1);
}

TEST(GicChip, GicV2DeactivatesThroughThePageOfItsOwn) {
    GicVm rig(GicVersion::v2);
    rig.write(kDistributor + gicd::kItargetsr + 40, 0x01);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    rig.gic.set_level(40, Level::high);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
    for (fake::ListRegisters &lists : rig.lists)
        lists.set_control(fake::ListRegisters::kOpen | 1u << 9);
    ASSERT_TRUE(rig.lists[0].acknowledge().has_value());
    rig.gic.set_level(40, Level::low);
    rig.write(kDeactivation + 4, 40, 1);
    EXPECT_EQ(rig.read(kDistributor + gicd::kIsactiver + 4), 1u << 8) << "that is no register";
    EXPECT_EQ(rig.read(kDeactivation), 0u);
    rig.write(kDeactivation, 40, 1);
    EXPECT_EQ(rig.read(kDistributor + gicd::kIsactiver + 4), 0u);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
}

TEST(GicChip, GicV3DeactivatesThroughItsSystemRegister) {
    GicVm rig(GicVersion::v3);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    rig.gic.set_level(40, Level::high);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
    for (fake::ListRegisters &lists : rig.lists)
        lists.set_control(fake::ListRegisters::kOpen | 1u << 9);
    ASSERT_TRUE(rig.lists[0].acknowledge().has_value());
    rig.gic.set_level(40, Level::low);
    const u32 dir = aarch64::sysreg::kIccDirEl1;
    EXPECT_EQ(rig.handle(Exit{SystemRegisterExit{dir, true, 40}}, 1).kind(), AnswerKind::complete);
    EXPECT_EQ(rig.read(kDistributor + gicd::kIsactiver + 4), 0u);
    EXPECT_EQ(rig.handle(Exit{SystemRegisterExit{dir, false, 0}}, 1).kind(), AnswerKind::inject) << "write-only";
}

TEST(GicChip, AListenerHearsOfAnEndThatARegisterWriteMade) {
    GicVm rig(GicVersion::v2);
    Ended ended(rig.gic);
    EXPECT_TRUE(rig.gic.set_eoi_listener(40, &ended));
    rig.write(kDistributor + gicd::kIsactiver + 4, 1u << 8);
    EXPECT_EQ(ended.count, 0);
    rig.write(kDistributor + gicd::kIcactiver + 4, 1u << 8);
    EXPECT_EQ(ended.count, 1);
    EXPECT_EQ(ended.last_intid, 40u);
}

TEST(GicChip, ResetOfTheVmResetsTheChip) {
    GicVm rig(GicVersion::v2, 1);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    rig.gic.set_level(40, Level::high);
    static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
    EXPECT_EQ(rig.lists[0].in_use(), 1u);
    rig.gic.reset();
    EXPECT_EQ(rig.lists[0].in_use(), 0u);
    EXPECT_EQ(rig.read(kDistributor + gicd::kCtlr), 0u);
    EXPECT_EQ(rig.read(kDistributor + gicd::kIsenabler + 4), 0u);
    EXPECT_EQ(rig.read(kDistributor + gicd::kIspendr + 4), 1u << 8);
}

TEST(GicChip, TwoVmsHaveTwoChips) {
    GicVm first(GicVersion::v2);
    GicVm second(GicVersion::v3);
    first.write(kDistributor + gicd::kIsenabler + 4, 1u << 8);
    EXPECT_EQ(second.read(kDistributor + gicd::kIsenabler + 4), 0u);
}

TEST(GicChip, LinesMayBeDrivenFromOtherThreads) {
    GicVm rig(GicVersion::v3, 2, LockMode::spin);
    rig.write(kDistributor + gicd::kIcfgr + 8, 0xaaaa'aaaa); // 32 to 47: edge
    rig.write(kDistributor + gicd::kIsenabler + 4, 0xffff);
    std::atomic<bool> done{false};
    constexpr u32 kPulses = 4000;
    std::array<std::thread, 2> drivers;
    for (u32 n = 0; n < 2; ++n) {
        drivers[n] = std::thread([&, n] {
            for (u32 i = 0; i < kPulses; ++i)
                IrqLine(rig.gic, 32 + n).pulse();
            if (n == 0)
                done = true;
        });
    }
    u32 taken = 0;
    const auto serve = [&] {
        static_cast<void>(rig.handle(Exit{ExitKind::kicked}));
        while (const auto irq = rig.lists[0].acknowledge()) {
            ++taken;
            rig.lists[0].end(irq->intid);
        }
    };
    while (!done)
        serve();
    for (std::thread &driver : drivers)
        driver.join();
    rig.gic.set_level(34, Level::high);
    rig.write(kDistributor + gicd::kIsenabler + 4, 1u << 2);
    serve();
    serve();
    EXPECT_GE(taken, 3u);
    EXPECT_LE(taken, 2 * kPulses + 1);
    EXPECT_FALSE(rig.gic.has_deliverable(rig.vcpu(0))) << "all that was raised has come";
    EXPECT_EQ(rig.lists[0].violation(), nullptr);
}

TEST(GicChip, AnInjectedInterruptIsPendingOnceWhateverItsTrigger) {
    GicVm f(GicVersion::v2, 1);
    constexpr u32 kSpi = 40;
    EXPECT_FALSE(f.gic.inject(VcpuId{0}, kSpi)) << "the guest has not enabled it";
    f.write(kDistributor + gicd::kIsenabler + 4, bit<u32>(kSpi - 32));
    EXPECT_FALSE(f.lists[0].signalled());
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, kSpi));
    EXPECT_TRUE(f.gic.inject(VcpuId{0}, kSpi));
    f.handle(Exit{ExitKind::kicked});
    ASSERT_TRUE(f.lists[0].acknowledge());
    f.lists[0].end(kSpi);
    f.handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)});
    EXPECT_FALSE(f.lists[0].signalled()) << "it is configured as level-triggered, and its wire is low";
}

TEST(GicChip, AnInterruptInjectedWhileItIsActiveComesAgain) {
    GicVm f(GicVersion::v2, 1);
    f.write(kDistributor + gicd::kIsenabler, bit<u32>(20));
    EXPECT_TRUE(f.gic.inject(VcpuId{0}, 20));
    f.handle(Exit{ExitKind::kicked});
    ASSERT_TRUE(f.lists[0].acknowledge());
    EXPECT_TRUE(f.gic.inject(VcpuId{0}, 20));
    f.handle(Exit{ExitKind::kicked});
    f.lists[0].end(20);
    f.handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)});
    EXPECT_TRUE(f.lists[0].acknowledge());
}

// ---------------------------------------------------------------- List registers that can be written at any time

/// As seL4's: an interrupt that comes while the executor handles an event of its client's is listed there and then.
struct AnyTimeVm : GicVm {
    explicit AnyTimeVm(u32 vcpus = 1) : GicVm(GicVersion::v2, vcpus, LockMode::none, abilities()) {
        for (fake::ListRegisters &list : lists)
            list.set_writable_now(true);
        write(kDistributor + gicd::kIsenabler + 4, bit<u32>(kSpi - 32) | bit<u32>(kOther - 32));
        write(kDistributor + gicd::kItargetsr + kSpi, 0x0101);
        take_kicks();
    }
    static fake::ListRegisters::Abilities abilities() {
        fake::ListRegisters::Abilities some = fake::ListRegisters::injection_only();
        some.any_time = true;
        return some;
    }
    /// The guest takes the interrupt that is signalled, and ends it.
    void take(u32 intid) {
        const auto taken = lists[0].acknowledge();
        ASSERT_TRUE(taken.has_value());
        EXPECT_EQ(taken->intid, intid);
        lists[0].end(intid);
        handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)});
    }
    static constexpr u32 kSpi = 40;
    static constexpr u32 kOther = 41;
};

TEST(GicAnyTime, AnInjectedInterruptIsListedAtOnceWithoutAKick) {
    AnyTimeVm f;
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_EQ(f.take_kicks(), 0U);
    ASSERT_TRUE(f.lists[0].signalled().has_value());
    EXPECT_EQ(f.read(kDistributor + gicd::kIspendr + 4), bit<u32>(f.kSpi - 32)) << "and is pending";
    f.take(f.kSpi);
    EXPECT_FALSE(f.lists[0].signalled()) << "once";
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    f.take(f.kSpi);
    EXPECT_EQ(f.lists[0].violation(), nullptr);
}

TEST(GicAnyTime, InjectedTwiceBeforeItsEndItComesOnceMore) {
    AnyTimeVm f;
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    f.take(f.kSpi);
    f.take(f.kSpi);
    EXPECT_FALSE(f.lists[0].signalled());
    EXPECT_EQ(f.lists[0].violation(), nullptr);
}

TEST(GicAnyTime, BesideAnotherItIsListedWhenTheVcpuLooks) {
    AnyTimeVm f;
    f.write(kDistributor + gicd::kIpriorityr + f.kSpi, 0x10a0);
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_EQ(f.take_kicks(), 0U);
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kOther));
    EXPECT_EQ(f.take_kicks(), 1U);
    f.handle(Exit{ExitKind::kicked});
    f.take(f.kOther);
    f.take(f.kSpi);
    EXPECT_FALSE(f.lists[0].signalled());
    EXPECT_EQ(f.lists[0].violation(), nullptr);
}

TEST(GicAnyTime, AWireThatFallsAtOnceIsNoInterrupt) {
    AnyTimeVm f;
    f.gic.set_level(f.kSpi, Level::high);
    f.gic.set_level(f.kSpi, Level::low);
    EXPECT_EQ(f.take_kicks(), 1U);
    f.handle(Exit{ExitKind::kicked});
    EXPECT_FALSE(f.lists[0].signalled());
}

TEST(GicAnyTime, WhenItIsNotTheTimeTheVcpuIsKicked) {
    AnyTimeVm f;
    f.lists[0].set_writable_now(false);
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_FALSE(f.lists[0].signalled().has_value());
    EXPECT_EQ(f.take_kicks(), 1U);
    f.handle(Exit{ExitKind::kicked});
    f.take(f.kSpi);
}

TEST(GicAnyTime, AnotherVcpusInterruptIsListedInItsOwnRegisters) {
    AnyTimeVm f(2);
    f.write(kDistributor + gicd::kItargetsr + f.kSpi, 2);
    f.lists[0].set_writable_now(false);
    EXPECT_TRUE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_EQ(f.take_kicks(), 0U);
    EXPECT_FALSE(f.lists[0].signalled().has_value());
    ASSERT_TRUE(f.lists[1].signalled().has_value());
    EXPECT_EQ(f.lists[1].signalled()->intid, f.kSpi);
}

TEST(GicAnyTime, WhatIsNotForwardedIsNotListed) {
    AnyTimeVm f;
    f.write(kDistributor + gicd::kIcenabler + 4, bit<u32>(f.kSpi - 32));
    EXPECT_FALSE(f.gic.inject_quickly(VcpuId{0}, f.kSpi));
    EXPECT_FALSE(f.lists[0].signalled().has_value());
    f.write(kDistributor + gicd::kIsenabler + 4, bit<u32>(f.kSpi - 32));
    EXPECT_FALSE(f.lists[0].signalled().has_value()) << "nor remembered";
}

} // namespace
} // namespace sel4vm::test
