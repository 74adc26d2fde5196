// SPDX-License-Identifier: BSD-2-Clause
//
// The ITS: commands, tables, redistributor registers, and LPIs up to the guest's handler. Mistakes are in its_mistakes_test.cpp.
#include <gtest/gtest.h>
#include <support/its_rig.hpp>

#include <memory>

namespace sel4vm::test {
namespace {

constexpr u32 kNone = 1023;

class ItsTest : public testing::Test {
protected:
    ItsTest() { its.open(); }
    ~ItsTest() override { its.expect_no_violation(); }
    ItsRig its{2};
};

TEST_F(ItsTest, SaysWhatItCanDo) {
    const u64 type = its.its(gits::kTyper);
    EXPECT_EQ(type & 1, 1u);           // physical LPIs
    EXPECT_EQ(type >> 4 & 0xf, 7u);    // eight bytes an event
    EXPECT_EQ(type >> 8 & 0x1f, 15u);  // 16 bits of an event
    EXPECT_EQ(type >> 13 & 0x1f, 15u); // 16 bits of a device
    EXPECT_EQ(type >> 19 & 1, 0u);     // redistributors by number
    EXPECT_EQ(its.load(kItsBase + 0xffe8), 0x3bu);
    EXPECT_EQ(its.load(kItsBase + gits::kIidr) & 0xfff, 0x43bu);
    EXPECT_EQ(its.load(kGicdBase + aarch64::gicd::kTyper) >> 17 & 1, 1u);
    EXPECT_EQ(its.load(kGicdBase + aarch64::gicd::kTyper) >> 19 & 0x1f, 13u);
    EXPECT_EQ(its.load(kGicrBase + aarch64::gicr::kTyper, 0, Width::b8) & 1, 1u);
    EXPECT_EQ(its.its(gits::kBaser) >> 56 & 7, 1u);
    EXPECT_EQ(its.its(gits::kBaser + 8) >> 56 & 7, 4u);
    EXPECT_EQ(its.its(gits::kBaser + 16), 0u);
    EXPECT_EQ(its.its(gits::kBaser) >> 48 & 0x1f, 7u);
}

TEST_F(ItsTest, DeliversAnLpiToItsHandlerOnce) {
    its.map_some();
    its.interrupt(3);
    EXPECT_EQ(its.serve(), 8195u);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, CompletesAnIntCommandInTheExitOfTheStore) {
    its.map_some();
    its.put(ItsRig::command(ItsCommand::int_, 1, 0));
    its.ring();
    EXPECT_EQ(its.its(gits::kCreadr), its.next);
    const auto taken = its.rig.lists[0].acknowledge();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->intid, 8192u);
}

TEST_F(ItsTest, DeliversTheMessagesOfDevices) {
    its.map_some();
    MsiTarget *target = its.rig.machine->msi().target;
    ASSERT_NE(target, nullptr);
    EXPECT_EQ(its.rig.machine->msi().at, Gpa{0x0809'0040});
    target->send(1, 5);
    EXPECT_EQ(its.serve(), 8197u);
    target->send(1, 8); // an event that the device lacks
    target->send(2, 5); // no such device
    target->send(~u32{0}, 0);
    target->send(1, ~u32{0});
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, ATranslatersStoreByACpuHasNoDevice) {
    its.map_some();
    its.store(kItsBase + gits::kTranslater, 0);
    EXPECT_EQ(its.serve(), kNone);
    EXPECT_EQ(its.load(kItsBase + gits::kTranslater), 0u);
}

TEST_F(ItsTest, AnLpiThatComesWhileItIsPendingMerges) {
    its.map_some();
    its.interrupt(0);
    its.interrupt(0);
    EXPECT_EQ(its.serve(), 8192u);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, AnLpiThatComesWhileItIsHandledComesAgain) {
    its.map_some();
    its.interrupt(0);
    EXPECT_EQ(its.take(), 8192u);
    its.interrupt(0);
    EXPECT_EQ(its.take(), kNone); // its own priority runs
    its.end(8192);
    EXPECT_EQ(its.serve(), 8192u);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, MorePendingLpisThanListRegistersComeByPriority) {
    its.map_some();
    for (u32 event = 0; event < 8; ++event) {
        its.configure(8192 + event, static_cast<u8>(0xf0 - 8 * event), true);
        its.issue(ItsRig::command(ItsCommand::inv, 1, event));
    }
    for (u32 event = 0; event < 8; ++event)
        its.interrupt(event);
    for (u32 event = 8; event-- > 0;)
        EXPECT_EQ(its.serve(), 8192 + event);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, AMoreUrgentSharedInterruptNeverWaitsBehindLpis) {
    its.map_some();
    for (u32 event = 0; event < 8; ++event)
        its.interrupt(event);
    its.store(kGicdBase + aarch64::gicd::kIpriorityr + 40, 0x10, 0, Width::b1);
    its.store(kGicdBase + aarch64::gicd::kIcfgr + 8, 2u << 16);
    its.store(kGicdBase + aarch64::gicd::kIsenabler + 4, 1u << 8);
    its.store(kGicdBase + aarch64::gicd::kIspendr + 4, 1u << 8);
    EXPECT_EQ(its.serve(), 40u);
    for (u32 event = 0; event < 8; ++event)
        EXPECT_EQ(its.serve(), 8192 + event);
}

TEST_F(ItsTest, AnLpiComesThoughSharedInterruptsOfItsPriorityFillTheListRegisters) {
    its.map_some();
    const u32 many = 0xff;
    for (u32 n = 0; n < 8; ++n)
        its.store(kGicdBase + aarch64::gicd::kIpriorityr + 40 + n, 0x80, 0, Width::b1);
    its.store(kGicdBase + aarch64::gicd::kIcfgr + 8, 0xaaaa'0000);
    its.store(kGicdBase + aarch64::gicd::kIsenabler + 4, many << 8);
    its.store(kGicdBase + aarch64::gicd::kIspendr + 4, many << 8);
    its.interrupt(0);
    std::vector<u32> order;
    for (u32 n = 0; n < 9; ++n)
        order.push_back(its.serve());
    EXPECT_EQ(std::count(order.begin(), order.end(), 8192u), 1);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, ADisabledLpiStaysPendingUntilItIsEnabled) {
    its.map_some();
    its.configure(8192, 0x80, false);
    its.interrupt(0); // the table was not read again
    EXPECT_EQ(its.serve(), 8192u);
    its.issue(ItsRig::command(ItsCommand::inv, 1, 0));
    its.interrupt(0);
    EXPECT_EQ(its.serve(), kNone);
    its.configure(8192, 0x80, true);
    its.issue(ItsRig::command(ItsCommand::invall));
    EXPECT_EQ(its.serve(), 8192u);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, DisablingTakesAListedLpiBack) {
    its.map_some();
    its.interrupt(0);
    its.configure(8192, 0x80, false);
    its.issue(ItsRig::command(ItsCommand::inv, 1, 0));
    EXPECT_EQ(its.take(), kNone);
    its.configure(8192, 0x80, true);
    its.issue(ItsRig::command(ItsCommand::inv, 1, 0));
    EXPECT_EQ(its.serve(), 8192u);
}

TEST_F(ItsTest, ClearAndDiscardTakePendingLpisAway) {
    its.map_some();
    its.interrupt(0);
    its.issue(ItsRig::command(ItsCommand::clear, 1, 0));
    EXPECT_EQ(its.take(), kNone);
    its.interrupt(0);
    EXPECT_EQ(its.serve(), 8192u);
    its.interrupt(1);
    its.issue(ItsRig::command(ItsCommand::discard, 1, 1));
    EXPECT_EQ(its.take(), kNone);
    its.interrupt(1); // not mapped any more
    EXPECT_EQ(its.take(), kNone);
    its.issue(ItsRig::mapti(1, 1, 8200, 0));
    its.configure(8200, 0x80, true);
    its.issue(ItsRig::command(ItsCommand::inv, 1, 1));
    its.interrupt(1);
    EXPECT_EQ(its.serve(), 8200u);
}

TEST_F(ItsTest, MapiUsesTheEventAsTheInterrupt) {
    its.issue(ItsRig::mapc(0, 0));
    its.issue(ItsRig::command(ItsCommand::mapd, 1, 13, ItsRig::kValid | ItsRig::kTranslations));
    its.configure(8193, 0x80, true);
    its.issue(ItsRig::command(ItsCommand::mapi, 1, 8193, 0));
    its.issue(ItsRig::command(ItsCommand::inv, 1, 8193));
    its.interrupt(8193);
    EXPECT_EQ(its.serve(), 8193u);
}

TEST_F(ItsTest, MoviTakesThePendingStateAlong) {
    its.map_some();
    its.issue(ItsRig::mapc(1, 1));
    its.interrupt(0);
    its.issue(ItsRig::command(ItsCommand::movi, 1, 0, 1));
    EXPECT_EQ(its.take(0), kNone);
    EXPECT_EQ(its.serve(1), 8192u);
    its.interrupt(0);
    EXPECT_EQ(its.serve(0), kNone);
    EXPECT_EQ(its.serve(1), 8192u);
}

TEST_F(ItsTest, MovallTakesAllPendingLpisOfARedistributorAlong) {
    its.map_some();
    for (u32 event = 0; event < 8; ++event)
        its.interrupt(event);
    its.issue(ItsRig::movall(0, 1));
    EXPECT_EQ(its.take(0), kNone);
    for (u32 event = 0; event < 8; ++event)
        EXPECT_EQ(its.serve(1), 8192 + event);
    EXPECT_EQ(its.serve(1), kNone);
}

TEST_F(ItsTest, ACollectionCanBeGivenToAnotherVcpu) {
    its.map_some();
    its.issue(ItsRig::mapc(0, 1));
    its.interrupt(2);
    EXPECT_EQ(its.serve(0), kNone);
    EXPECT_EQ(its.serve(1), 8194u);
    its.issue(ItsRig::unmapc(0));
    its.interrupt(2);
    EXPECT_EQ(its.serve(1), kNone);
}

TEST_F(ItsTest, TablesOfTwoLevelsAreFollowed) {
    its.store(kItsBase + gits::kCtlr, 0);
    its.set_its(gits::kBaser, ItsRig::kValid | u64{1} << 62 | ItsRig::kDevices);
    its.store(kItsBase + gits::kCtlr, 1);
    its.issue(ItsRig::mapc(0, 0));
    const u32 device = 512 + 7; // in the second page
    its.configure(8192, 0x80, true);
    its.issue(ItsRig::command(ItsCommand::mapd, device, 1, ItsRig::kValid | ItsRig::kTranslations));
    its.issue(ItsRig::mapti(device, 0, 8192, 0));
    its.issue(ItsRig::command(ItsCommand::inv, device, 0));
    its.interrupt(0, device);
    EXPECT_EQ(its.serve(), kNone); // there is no second page yet
    its.poke(ItsRig::kDevices + 8, ItsRig::kValid | 0x4048'0000);
    its.issue(ItsRig::command(ItsCommand::mapd, device, 1, ItsRig::kValid | ItsRig::kTranslations));
    its.issue(ItsRig::mapti(device, 0, 8192, 0));
    its.issue(ItsRig::command(ItsCommand::inv, device, 0));
    its.interrupt(0, device);
    EXPECT_EQ(its.serve(), 8192u);
    EXPECT_NE(its.memory().load<u64>(Gpa{0x4048'0000 + 8 * 7}).value_or(0), 0u);
}

TEST_F(ItsTest, LpisAreGatedByTheDistributorsGroup) {
    its.map_some();
    its.store(kGicdBase, 1);
    its.interrupt(0);
    EXPECT_EQ(its.take(), kNone);
    its.store(kGicdBase, 3);
    EXPECT_EQ(its.serve(), 8192u);
    its.interrupt(0);
    its.store(kGicdBase, 0);
    EXPECT_EQ(its.take(), kNone);
    its.store(kGicdBase, 2);
    EXPECT_EQ(its.serve(), 8192u);
}

TEST_F(ItsTest, APendingLpiEndsAWait) {
    its.map_some();
    its.rig.lists[0].set_control(fake::ListRegisters::kOpen);
    EXPECT_EQ(its.handle(Exit{WaitExit{false}}, 0).next(), Next::block);
    its.interrupt(0);
    EXPECT_EQ(its.handle(Exit{WaitExit{false}}, 0).next(), Next::run);
}

TEST_F(ItsTest, CommandsWaitUntilItIsEnabled) {
    its.map_some();
    its.store(kItsBase + gits::kCtlr, 0);
    EXPECT_EQ(its.load(kItsBase + gits::kCtlr), 0x8000'0000u);
    its.put(ItsRig::command(ItsCommand::int_, 1, 0));
    its.ring();
    EXPECT_EQ(its.serve(), kNone);
    its.rig.machine->msi().target->send(1, 1);
    EXPECT_EQ(its.serve(), kNone);
    its.store(kItsBase + gits::kCtlr, 1);
    EXPECT_EQ(its.load(kItsBase + gits::kCtlr), 1u);
    EXPECT_EQ(its.serve(), 8192u);
}

TEST_F(ItsTest, ManyCommandsAreCarriedOutInBatches) {
    const auto done_of = [this](u32 count) {
        const u64 before = its.its(gits::kCreadr);
        for (u32 n = 0; n < count; ++n)
            its.put(ItsRig::movall(0, 0));
        its.ring();
        return (its.its(gits::kCreadr) + ItsRig::kQueueBytes - before) % ItsRig::kQueueBytes / 32;
    };
    constexpr u32 kMost = 2 * dev::Its::kBatch / dev::Its::kLongCommand;
    const u64 done = done_of(100);
    EXPECT_GE(done, kMost / 2);
    // The read of the register was an exit, too.
    EXPECT_LE(done, 2 * kMost);
    for (int n = 0; n < 100 && its.its(gits::kCreadr) != its.next; ++n)
        static_cast<void>(its.handle(Exit{}, 0));
    EXPECT_EQ(its.its(gits::kCreadr), its.next);
}

TEST_F(ItsTest, AVcpuWithCommandsLeftDoesNotWaitForAnInterrupt) {
    its.map_some();
    for (u32 n = 0; n < 126; ++n)
        its.put(ItsRig::movall(0, 0));
    its.put(ItsRig::command(ItsCommand::int_, 1, 0));
    its.ring();
    EXPECT_NE(its.its(gits::kCreadr), its.next);
    EXPECT_EQ(its.handle(Exit{WaitExit{false}}, 0).next(), Next::run);
    for (int n = 0; n < 100; ++n)
        static_cast<void>(its.handle(Exit{}, 0));
    EXPECT_EQ(its.serve(), 8192u);
}

TEST_F(ItsTest, AnotherVcpuCarriesOutWhatOneThatGoesOffHasLeft) {
    its.map_some();
    for (u32 n = 0; n < 126; ++n)
        its.put(ItsRig::movall(0, 0));
    its.put(ItsRig::command(ItsCommand::int_, 1, 0));
    its.ring(1);
    EXPECT_NE(its.its(gits::kCreadr), its.next);
    its.turn_off(1);
    for (int n = 0; n < 100; ++n)
        static_cast<void>(its.handle(Exit{}, 0));
    EXPECT_EQ(its.its(gits::kCreadr), its.next);
    EXPECT_EQ(its.serve(0), 8192u);
}

TEST_F(ItsTest, TheQueueWraps) {
    its.map_some();
    for (u32 n = 0; n < 300; ++n) {
        its.interrupt(n % 8);
        ASSERT_EQ(its.serve(), 8192 + n % 8) << n;
    }
}

TEST_F(ItsTest, ItsRegistersArePartsAndWholes) {
    its.store(kItsBase + gits::kCtlr, 0);
    its.store(kItsBase + gits::kCbaser, 0x4042'0003);
    its.store(kItsBase + gits::kCbaser + 4, 0x8000'0000);
    EXPECT_EQ(its.its(gits::kCbaser), ItsRig::kValid | 0x4042'0003);
    EXPECT_EQ(its.load(kItsBase + gits::kCbaser + 4), 0x8000'0000u);
    const u64 redistributor = kGicrBase + dev::Redistributors::kBytesPerCpu;
    EXPECT_EQ(its.load(redistributor + aarch64::gicr::kPendbaser), 0x4051'0000u);
    EXPECT_EQ(its.load(redistributor + aarch64::gicr::kPropbaser, 0, Width::b8), ItsRig::kConfiguration | 13);
    EXPECT_EQ(its.load(redistributor), 1u);
}

TEST_F(ItsTest, TablesDoNotChangeWhileTheyAreUsed) {
    its.set_its(gits::kBaser, 0);
    its.set_its(gits::kCbaser, 0);
    EXPECT_NE(its.its(gits::kBaser) & ItsRig::kValid, 0u);
    EXPECT_NE(its.its(gits::kCbaser) & ItsRig::kValid, 0u);
    its.store(kGicrBase, 0);
    EXPECT_EQ(its.load(kGicrBase), 1u);
    its.store(kGicrBase + aarch64::gicr::kPropbaser, 0, 0, Width::b8);
    EXPECT_NE(its.load(kGicrBase + aarch64::gicr::kPropbaser), 0u);
}

TEST(ItsOpening, ReadsThePendingTableUnlessItIsSaidToBeZero) {
    ItsRig its;
    its.configure(8192 + 37, 0x80, true);
    its.poke(ItsRig::kPending + 1024, u64{1} << 37 | u64{1} << 5); // 8192 + 5 is disabled
    its.store(kGicdBase, 3);
    its.store(kGicrBase + aarch64::gicr::kPropbaser, ItsRig::kConfiguration | 13, 0, Width::b8);
    its.store(kGicrBase + aarch64::gicr::kPendbaser, ItsRig::kPending, 0, Width::b8);
    its.rig.lists[0].set_control(fake::ListRegisters::kOpen);
    EXPECT_EQ(its.serve(), kNone);
    its.store(kGicrBase, 1);
    EXPECT_EQ(its.serve(), 8192u + 37);
    EXPECT_EQ(its.serve(), kNone);
}

TEST_F(ItsTest, AVcpuThatGoesOffKeepsItsPendingLpis) {
    its.map_some();
    its.issue(ItsRig::mapc(1, 1));
    for (u32 event = 0; event < 8; ++event) {
        its.issue(ItsRig::command(ItsCommand::movi, 1, event, 1));
        its.interrupt(event);
    }
    Vm &vm = its.rig.machine->vm();
    Vcpu &second = vm.vcpu(VcpuId{1});
    its.turn_off(1);
    its.rig.lists[1].restart();
    ASSERT_EQ(vm.power_on(second, {}), Vm::PowerOn::done);
    its.rig.lists[1].set_control(fake::ListRegisters::kOpen);
    for (u32 event = 0; event < 8; ++event)
        EXPECT_EQ(its.serve(1), 8192 + event);
}

} // namespace
} // namespace sel4vm::test
