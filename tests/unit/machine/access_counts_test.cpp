// SPDX-License-Identifier: BSD-2-Clause
//
// Names of what is on a machine's bus, in traces and in counters.
#include <sel4vm/vm/access_counts.hpp>

#include <gtest/gtest.h>
#include <support/machine_rig.hpp>

#include <string>

namespace sel4vm::machine {
namespace {

EventRecord access(u16 vm, u64 at) {
    EventRecord record;
    record.event.kind = EventKind::exit;
    record.event.vm = VmId{vm};
    record.event.exit = Exit{MemoryExit{Gpa{at}, 0, MemoryAccess::read, Width::b4, true}};
    return record;
}

struct Trap final : ReservationHandler {
    Answer fault(Vcpu &, const MemoryExit &) override { return Answer::complete(0); }
};

struct BusNamesTest : testing::Test {
    BusNamesTest() {
        EXPECT_TRUE(rig.start());
        EXPECT_TRUE(rig.machine->vm().reserve(*GpaRange::make(Gpa{0x0c00'0000}, kPageBytes), trap));
        names.add(rig.machine->vm());
    }
    std::string said(u16 vm, u64 at) { return std::string(describe(access(vm, at), &names).view()); }

    test::MachineRig rig{test::small_machine(GicVersion::v3, 1)};
    Trap trap;
    BusNames names;
};

TEST_F(BusNamesTest, ATraceSaysWhichDeviceAndWhereInIt) {
    EXPECT_EQ(said(0, 0x0900'0018), "0: 0.0 memory read 0x9000018 (pl011+0x18) b4");
    EXPECT_EQ(said(0, 0x0c00'0008), "0: 0.0 memory read 0xc000008 (reservation+0x8) b4");
    EXPECT_EQ(said(0, 0x4000'0000), "0: 0.0 memory read 0x40000000 b4") << "memory has no name";
    EXPECT_EQ(said(1, 0x0900'0018), "0: 1.0 memory read 0x9000018 b4") << "another VM";
    names.remove(rig.machine->vm());
    EXPECT_EQ(said(0, 0x0900'0018), "0: 0.0 memory read 0x9000018 b4");
}

TEST_F(BusNamesTest, AccessesAreCountedForEachRange) {
    AccessCounts counts(names);
    for (const u64 at : {0x0900'0000U, 0x0900'0018U, 0x0901'0000U, 0x0900'0fffU, 0x4000'0000U})
        counts.record(access(0, at));
    EventRecord other;
    other.event.kind = EventKind::exit;
    other.event.exit = Exit{WaitExit{false}};
    counts.record(other);
    ASSERT_EQ(counts.counts().size(), 2U);
    EXPECT_STREQ(counts.counts()[0].place.name, "pl011");
    EXPECT_EQ(counts.counts()[0].place.base, default_uart().registers.base);
    EXPECT_EQ(counts.counts()[0].accesses, 3U);
    EXPECT_STREQ(counts.counts()[1].place.name, "pl031");
    EXPECT_EQ(counts.counts()[1].accesses, 1U);
}

} // namespace
} // namespace sel4vm::machine
