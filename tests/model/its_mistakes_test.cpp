// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's mistakes with its ITS, and its malice: nothing is believed because it was right before. And an ITS that is saved and restored.
#include <gtest/gtest.h>
#include <support/its_rig.hpp>

#include <memory>

namespace sel4vm::test {
namespace {

constexpr u32 kNone = 1023;
constexpr u64 kNowhere = 0x5000'0000;

class ItsMistakes : public testing::Test {
protected:
    ItsMistakes() {
        its.open();
        its.map_some();
    }
    ~ItsMistakes() override { its.expect_no_violation(); }
    [[nodiscard]] bool stalled() { return (its.its(gits::kCreadr) & 1) != 0; }
    void expect_works() {
        its.interrupt(3);
        EXPECT_EQ(its.serve(), 8195u);
        EXPECT_EQ(its.serve(), kNone);
    }
    ItsRig its{2};
};

TEST_F(ItsMistakes, CommandsThatMakeNoSenseAreIgnored) {
    const u64 all = ~u64{0};
    for (u64 what = 0; what < 0x20; ++what) {
        if (what == static_cast<u64>(ItsCommand::mapd) || what == static_cast<u64>(ItsCommand::mapc))
            continue;
        its.issue({all << 32 | what, all, all, all});
    }
    its.issue(ItsRig::command(ItsCommand::mapd, ~u32{0}, 3, all)); // no such device
    its.issue(ItsRig::command(ItsCommand::mapd, 2, 31, all));      // too many events
    its.issue(ItsRig::mapc(0xffff, 0));
    its.issue(ItsRig::mapc(1, 2));
    its.issue(ItsRig::mapc(1, 0xf'ffff'ffff));
    its.issue(ItsRig::mapti(1, 0, 16384, 0));
    its.issue(ItsRig::mapti(1, 0, 0xffff, 0));
    its.issue(ItsRig::mapti(1, 0, 40, 0));
    its.issue(ItsRig::movall(2, 0));
    its.issue(ItsRig::movall(0, 0x1'0000'0000));
    its.issue(ItsRig::command(ItsCommand::movi, 1, 3, 77));
    EXPECT_FALSE(stalled());
    expect_works();
}

TEST_F(ItsMistakes, ATranslationTableOutsideMemoryStallsUntilItIsRetried) {
    its.issue(ItsRig::command(ItsCommand::mapd, 2, 3, ItsRig::kValid | kNowhere));
    EXPECT_FALSE(stalled());
    its.issue(ItsRig::command(ItsCommand::int_, 2, 0));
    EXPECT_TRUE(stalled());
    its.put(ItsRig::command(ItsCommand::int_, 1, 3));
    its.ring();
    EXPECT_EQ(its.serve(), kNone);
    its.poke(ItsRig::kDevices + 16, 0);
    its.ring(0, 1);
    EXPECT_FALSE(stalled());
    EXPECT_EQ(its.serve(), 8195u);
}

TEST_F(ItsMistakes, AQueueOutsideMemoryStalls) {
    its.store(kItsBase + gits::kCtlr, 0);
    its.set_its(gits::kCbaser, ItsRig::kValid | kNowhere);
    its.store(kItsBase + gits::kCtlr, 1);
    its.set_its(gits::kCwriter, 64);
    EXPECT_TRUE(stalled());
    EXPECT_EQ(its.its(gits::kCreadr), 1u);
}

TEST_F(ItsMistakes, AWritePointerBeyondTheQueueIsIgnored) {
    const u64 before = its.its(gits::kCwriter);
    its.set_its(gits::kCwriter, 0x1000);
    its.set_its(gits::kCwriter, 0xf'ffe0);
    EXPECT_EQ(its.its(gits::kCwriter), before);
    its.store(kItsBase + gits::kCtlr, 0);
    its.set_its(gits::kCbaser, 0);
    its.store(kItsBase + gits::kCtlr, 1);
    its.set_its(gits::kCwriter, 32);
    EXPECT_EQ(its.its(gits::kCwriter), 0u);
    EXPECT_FALSE(stalled());
}

TEST_F(ItsMistakes, EntriesAreCheckedAtEachUse) {
    const u64 translation = ItsRig::translations(1) + 8 * 3;
    const u64 good = its.memory().load<u64>(Gpa{translation}).value_or(0);
    for (const u64 bad : {u64{0}, good & ~u64{0xffff'ffff}, (good & ~u64{0xffff'ffff}) | 40, good | 0xffff'0000,
                          (good & ~u64{0xffff'ffff}) | 16384, good | u64{0xffff} << 32}) {
        its.poke(translation, bad);
        its.interrupt(3);
        its.issue(ItsRig::command(ItsCommand::inv, 1, 3));
        its.rig.machine->msi().target->send(1, 3);
        EXPECT_EQ(its.serve(), kNone) << bad;
    }
    its.poke(translation, good);
    for (const u64 bad : {u64{0}, ItsRig::kValid | 2, ItsRig::kValid | 0xffff, ~u64{0}}) {
        its.poke(ItsRig::kCollections, bad);
        its.interrupt(3);
        EXPECT_EQ(its.serve(), kNone) << bad;
    }
    its.poke(ItsRig::kCollections, ItsRig::kValid);
    expect_works();
}

TEST_F(ItsMistakes, TablesBeyondMemoryStallOrAreMissing) {
    for (const u64 table : {u64{0}, ItsRig::kValid | kNowhere, ItsRig::kValid | u64{1} << 62 | kNowhere,
                            ItsRig::kValid | 0xf'ffff'ffff'f000, ItsRig::kValid | u64{3} << 8 | 0xffff'ffff'f0ff}) {
        its.store(kItsBase + gits::kCtlr, 0);
        its.set_its(gits::kBaser, table);
        its.store(kItsBase + gits::kCtlr, 1);
        its.ring(0, 1);
        its.rig.machine->msi().target->send(1, 3);
        its.rig.machine->msi().target->send(0xffff, 3);
        its.interrupt(3);
        EXPECT_EQ(its.serve(), kNone) << table;
    }
}

TEST_F(ItsMistakes, AMessageToAVcpuWithoutLpisIsDropped) {
    ItsRig late;
    late.store(kGicdBase, 3);
    late.set_its(gits::kBaser, ItsRig::kValid | ItsRig::kDevices);
    late.set_its(gits::kBaser + 8, ItsRig::kValid | ItsRig::kCollections);
    late.set_its(gits::kCbaser, ItsRig::kValid | ItsRig::kQueue);
    late.store(kItsBase + gits::kCtlr, 1);
    late.map_some();
    late.interrupt(0);
    EXPECT_EQ(late.serve(), kNone);
}

TEST_F(ItsMistakes, TablesInMemoryThatNobodyHasTouchedComeInParts) {
    machine::MachineDescription vm = its_machine(1);
    static_cast<void>(
        vm.memory.emplace_back(machine::MemoryRegion{Gpa{0x8000'0000}, 64 * kMiB, machine::RamKind::demand}));
    ItsRig demand(vm);
    demand.open();
    demand.issue(ItsRig::mapc(0, 0));
    // Each device's translations are in a step of their own.
    for (u32 device = 0; device < 16; ++device) {
        demand.put(ItsRig::command(ItsCommand::mapd, device, 3, ItsRig::kValid | (0x8000'0000 + device * 2 * kMiB)));
        demand.put(ItsRig::mapti(device, 0, 8192 + device, 0));
        demand.configure(8192 + device, 0x80, true);
    }
    demand.put(ItsRig::command(ItsCommand::invall));
    const u64 before = demand.its(gits::kCreadr);
    demand.ring();
    EXPECT_LT(demand.its(gits::kCreadr) - before, 16u * 32); // two parts an exit, eight for a step
    for (int n = 0; n < 1000 && demand.its(gits::kCreadr) != demand.next; ++n)
        static_cast<void>(demand.handle(Exit{}, 0));
    EXPECT_EQ(demand.its(gits::kCreadr), demand.next);
    for (u32 device = 0; device < 16; ++device) {
        demand.interrupt(0, device);
        EXPECT_EQ(demand.serve(), 8192 + device);
    }
}

TEST_F(ItsMistakes, AReturnedTableOfFewerInterruptsHasNoLpis) {
    ItsRig small;
    small.store(kGicdBase, 3);
    small.store(kGicrBase + aarch64::gicr::kPropbaser, ItsRig::kConfiguration | 12, 0, Width::b8); // 13 bits
    small.store(kGicrBase + aarch64::gicr::kPendbaser, ItsRig::kPending | u64{1} << 62, 0, Width::b8);
    small.store(kGicrBase, 1);
    small.rig.lists[0].set_control(fake::ListRegisters::kOpen);
    small.set_its(gits::kBaser, ItsRig::kValid | ItsRig::kDevices);
    small.set_its(gits::kBaser + 8, ItsRig::kValid | ItsRig::kCollections);
    small.set_its(gits::kCbaser, ItsRig::kValid | ItsRig::kQueue);
    small.store(kItsBase + gits::kCtlr, 1);
    small.map_some();
    small.interrupt(0);
    EXPECT_EQ(small.serve(), kNone);
}

TEST_F(ItsMistakes, AResetForgetsEverything) {
    its.interrupt(0);
    its.interrupt(1);
    Vm &vm = its.rig.machine->vm();
    static_cast<void>(vm.reset());
    for (u16 n = 0; n < 2; ++n) {
        static_cast<void>(its.handle(Exit{}, n));
        its.park(n);
    }
    static_cast<void>(vm.settle());
    EXPECT_EQ(its.its(gits::kCbaser), 0u);
    EXPECT_EQ(its.its(gits::kCreadr), 0u);
    EXPECT_EQ(its.load(kGicrBase), 0u);
    its.rig.lists[0].set_control(fake::ListRegisters::kOpen);
    EXPECT_EQ(its.serve(), kNone);
    its.next = 0;
    its.open();
    its.map_some();
    EXPECT_EQ(its.serve(), kNone);
    expect_works();
}

TEST(ItsMachine, NeedsAHostThatDeliversLpis) {
    MachineRig poor(its_machine(1), fake::ListRegisters::full());
    const auto built = poor.machine->build();
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().key.view(), "gic.msi");
    MachineRig poorer(its_machine(1), with_lpis(1));
    EXPECT_FALSE(poorer.machine->build().has_value());
    MachineRig injecting(its_machine(1), fake::ListRegisters::injection_only());
    EXPECT_FALSE(injecting.machine->build().has_value());
}

} // namespace
} // namespace sel4vm::test
