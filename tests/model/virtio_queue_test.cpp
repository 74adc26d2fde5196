// SPDX-License-Identifier: BSD-2-Clause
//
// The split queue (Virtio 1.2, 2.7), through the entropy device: chains of every shape, notifications both ways, and rings that make no sense.
#include <sel4vm/dev/virtio/virtio_rng.hpp>

#include <gtest/gtest.h>
#include <support/virtio_driver.hpp>

namespace sel4vm::dev {
namespace {

using namespace test::virtio;
using namespace virtio_feature;
using Uses = std::vector<Used>;

struct VirtioQueueTest : testing::Test {
    /// What comes back of one chain.
    Uses after(u16 head) {
        driver.run(head);
        return driver.used();
    }
    /// Whether the driver is asked for a reset, and nothing came back.
    bool broken(u16 head) {
        driver.run(head);
        return driver.needs_reset() && driver.used().empty() && (driver.get(interrupt_status) & 2) != 0;
    }
    u8 byte(u64 at) { return machine.peek<u8>(at); }
    test::VirtioMachine machine;
    fake::Entropy entropy; ///< 1, 2, 3, ...
    VirtioOnMmio<VirtioRng> rng{machine.line, machine.site(), entropy};
    test::VirtioDriver driver{machine, rng};
};

TEST_F(VirtioQueueTest, FillsTheParts) {
    driver.begin();
    EXPECT_EQ(after(driver.chain({{kData, 3, kWrite}, {kData + 16, 2, kWrite}})), Uses({{0, 5}}));
    EXPECT_NE(byte(kData), 0);
    EXPECT_NE(byte(kData + 2), 0);
    EXPECT_EQ(byte(kData + 3), 0);
    EXPECT_NE(byte(kData + 17), 0);
    EXPECT_EQ(byte(kData + 18), 0);
}

TEST_F(VirtioQueueTest, PartsMayStraddleRegions) {
    driver.begin();
    EXPECT_EQ(after(driver.chain({{kMoreRam - 2, 4, kWrite}})), Uses({{0, 4}}));
    EXPECT_NE(byte(kMoreRam - 2), 0);
    EXPECT_NE(byte(kMoreRam + 1), 0);
}

TEST_F(VirtioQueueTest, ALongBufferGetsAsMuchAsThereIsAtOnce) {
    driver.begin();
    EXPECT_EQ(after(driver.chain({{kData, 4096, kWrite}})), Uses({{0, VirtioRng::kMostBytes}}));
    EXPECT_EQ(byte(kData + VirtioRng::kMostBytes), 0);
}

TEST_F(VirtioQueueTest, GivesNoByteTwice) {
    driver.begin();
    after(driver.chain({{kData, 4, kWrite}}));
    after(driver.chain({{kData + 4, 4, kWrite}}));
    for (u64 i = 0; i < 8; ++i)
        for (u64 j = 0; j < i; ++j)
            EXPECT_NE(byte(kData + i), byte(kData + j)) << i << " " << j;
}

TEST_F(VirtioQueueTest, WithoutRandomBytesBuffersWait) {
    driver.begin();
    entropy.available = false;
    EXPECT_TRUE(after(driver.chain({{kData, 4, kWrite}})).empty());
    EXPECT_FALSE(driver.needs_reset());
    entropy.available = true;
    driver.notify();
    machine.work.run();
    EXPECT_EQ(driver.used().size(), 1U);
}

TEST_F(VirtioQueueTest, TheRingGoesRoundAndItsIndicesWrap) {
    driver.begin(0, 2);
    for (u32 i = 0; i < 70'000; ++i) {
        const u16 head = driver.chain({{kData, 1, kWrite}});
        driver.make_available(head);
        driver.notify();
        machine.work.run();
        ASSERT_EQ(driver.used(), Uses({{head, 1}})) << i;
    }
}

TEST_F(VirtioQueueTest, SeveralChainsMakeOneInterrupt) {
    driver.begin();
    const unsigned before = machine.chip.changes;
    for (int i = 0; i < 5; ++i)
        driver.make_available(driver.chain({{kData, 1, kWrite}}));
    driver.notify();
    machine.work.run();
    EXPECT_EQ(driver.used().size(), 5U);
    EXPECT_EQ(machine.chip.changes, before + 1);
}

TEST_F(VirtioQueueTest, ADriverThatWantsNoInterruptHasNone) {
    driver.begin();
    machine.poke(kDriver, u16{1});
    EXPECT_EQ(after(driver.chain({{kData, 1, kWrite}})).size(), 1U);
    EXPECT_FALSE(driver.interrupted());
}

TEST_F(VirtioQueueTest, WithEventIndicesTheDriverSaysWhichOneItWantsToHearOf) {
    driver.begin(kEventIdx);
    driver.hear_of(2);
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_FALSE(driver.interrupted());
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_FALSE(driver.interrupted());
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_TRUE(driver.interrupted());
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_FALSE(driver.interrupted()) << "of that one alone";
}

TEST_F(VirtioQueueTest, WithEventIndicesABatchThatPassesTheIndexTells) {
    driver.begin(kEventIdx);
    driver.hear_of(1);
    for (int i = 0; i < 3; ++i)
        driver.make_available(driver.chain({{kData, 1, kWrite}}));
    driver.notify();
    machine.work.run();
    EXPECT_TRUE(driver.interrupted());
}

TEST_F(VirtioQueueTest, WithEventIndicesTheDeviceSaysWhenItWantsToBeToldAgain) {
    driver.begin(kEventIdx);
    machine.work.run();
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_EQ(driver.told_index(), 1U);
    after(driver.chain({{kData, 1, kWrite}}));
    EXPECT_EQ(driver.told_index(), 2U);
}

TEST_F(VirtioQueueTest, ReadsIndirectTables) {
    driver.begin(kIndirectDesc);
    EXPECT_EQ(after(driver.indirect_chain({{kData, 1, kWrite}, {kData + 8, 2, kWrite}})), Uses({{0, 3}}));
    EXPECT_NE(byte(kData + 9), 0);
}

TEST_F(VirtioQueueTest, AnIndirectTableMayFollowOrdinaryDescriptors) {
    driver.begin(kIndirectDesc);
    driver.put(kTable, 0, kData + 8, 2, kWrite, 0);
    EXPECT_EQ(after(driver.chain({{kData, 1, kWrite}, {kTable, 16, kIndirect}})), Uses({{0, 3}}));
}

TEST_F(VirtioQueueTest, AChainAsLongAsTheQueueIsServed) {
    driver.begin(0, 4);
    EXPECT_EQ(after(driver.chain({{kData, 1, kWrite}, {kData, 1, kWrite}, {kData, 1, kWrite}, {kData, 1, kWrite}})),
              Uses({{0, 4}}));
}

// -- what makes no sense

TEST_F(VirtioQueueTest, ALoopEndsInAReset) {
    driver.begin();
    driver.put(kDescriptors, 0, kData, 1, kWrite | kNext, 0);
    EXPECT_TRUE(broken(0));
    driver.begin();
    driver.put(kDescriptors, 0, kData, 1, kWrite | kNext, 1);
    driver.put(kDescriptors, 1, kData, 1, kWrite | kNext, 0);
    EXPECT_TRUE(broken(0));
    driver.begin(kIndirectDesc);
    driver.put(kTable, 0, kData, 1, kWrite | kNext, 0);
    driver.put(kDescriptors, 0, kTable, 16, kIndirect, 0);
    EXPECT_TRUE(broken(0));
}

TEST_F(VirtioQueueTest, AnIndexThatIsNoDescriptorIsNotFollowed) {
    // What lies behind the tables would be good ones.
    driver.put(kDescriptors, 16, kData, 1, kWrite, 0);
    driver.put(kTable, 1, kData, 1, kWrite, 0);
    driver.begin();
    EXPECT_TRUE(broken(16));
    driver.begin();
    EXPECT_TRUE(broken(0xffff));
    driver.begin();
    driver.put(kDescriptors, 0, kData, 1, kWrite | kNext, 16);
    EXPECT_TRUE(broken(0));
    driver.begin(kIndirectDesc);
    driver.put(kTable, 0, kData, 1, kWrite | kNext, 1);
    driver.put(kDescriptors, 0, kTable, 16, kIndirect, 0);
    EXPECT_TRUE(broken(0)) << "behind the table";
}

TEST_F(VirtioQueueTest, MoreAvailableThanTheQueueHasMakesNoSense) {
    driver.begin();
    driver.chain({{kData, 1, kWrite}});
    machine.poke(kDriver + 2, u16{17});
    driver.notify();
    machine.work.run();
    EXPECT_TRUE(driver.needs_reset());
}

TEST_F(VirtioQueueTest, IndirectTablesNeedTheirFeatureAndMustMakeSense) {
    driver.begin();
    EXPECT_TRUE(broken(driver.indirect_chain({{kData, 1, kWrite}}))) << "was not agreed on";
    for (const u32 bytes : {0U, 8U, 17U}) {
        driver.begin(kIndirectDesc);
        driver.put(kTable, 0, kData, 1, kWrite, 0);
        driver.put(kDescriptors, 0, kTable, bytes, kIndirect, 0);
        EXPECT_TRUE(broken(0)) << bytes;
    }
    driver.begin(kIndirectDesc);
    driver.put(kTable, 0, kTable, 16, kIndirect, 0);
    driver.put(kDescriptors, 0, kTable, 16, kIndirect, 0);
    EXPECT_TRUE(broken(0)) << "a table in a table";
    driver.begin(kIndirectDesc);
    driver.put(kTable, 0, kData, 1, kWrite, 0);
    driver.put(kDescriptors, 0, kTable, 16, kIndirect | kNext, 1);
    driver.put(kDescriptors, 1, kData, 1, kWrite, 0);
    EXPECT_TRUE(broken(0)) << "something behind the table";
    driver.begin(kIndirectDesc);
    driver.put(kDescriptors, 0, ~u64{0} - 15, 32, kIndirect, 0);
    EXPECT_TRUE(broken(0)) << "it wraps";
    driver.begin(kIndirectDesc);
    driver.put(kDescriptors, 0, 0x2000'0000, 16, kIndirect, 0);
    EXPECT_TRUE(broken(0)) << "it is not in memory";
}

TEST_F(VirtioQueueTest, AnIndirectTableLongerThanTheQueueIsTooLong) {
    driver.begin(kIndirectDesc, 2);
    EXPECT_TRUE(broken(driver.indirect_chain({{kData, 1, kWrite}, {kData, 1, kWrite}, {kData, 1, kWrite}})));
}

TEST_F(VirtioQueueTest, WhatIsToBeReadComesFirst) {
    driver.begin();
    EXPECT_TRUE(broken(driver.chain({{kData, 1, kWrite}, {kData, 1}})));
}

TEST_F(VirtioQueueTest, LengthsDoNotWrap) {
    driver.begin();
    EXPECT_TRUE(broken(driver.chain({{~u64{0} - 3, 8, kWrite}})));
    driver.begin();
    EXPECT_TRUE(broken(driver.chain({{kData, 0xffff'ffff, kWrite}, {kData, 0xffff'ffff, kWrite}}))) << "over 4 GiB";
}

TEST_F(VirtioQueueTest, MemoryThatIsNoneOrMayNotBeWrittenAsksForAReset) {
    for (const u64 at : {u64{0x2000'0000}, kRom, kMoreRam + kRamBytes - 1, ~u64{0} - 8}) {
        driver.begin();
        EXPECT_TRUE(broken(driver.chain({{at, 4, kWrite}}))) << at;
    }
}

TEST_F(VirtioQueueTest, ABufferThatNothingFitsIntoMakesNoSense) {
    driver.begin();
    EXPECT_TRUE(broken(driver.chain({{kData, 4}})));
    driver.begin();
    EXPECT_TRUE(broken(driver.chain({{kData, 0, kWrite}})));
}

TEST_F(VirtioQueueTest, RingsThatAreNotInMemoryAskForAReset) {
    const auto begin_at = [&](u64 reg, u64 at) {
        driver.negotiate(kEventIdx);
        driver.place_queue(16);
        driver.set_wide(reg, at);
        driver.set(queue_ready, 1);
        driver.set(status, 15);
        driver.run(driver.chain({{kData, 1, kWrite}}));
        return driver.needs_reset();
    };
    EXPECT_FALSE(begin_at(queue_desc, kDescriptors));
    for (const u64 at : {u64{0x2000'0000}, u64{0x3fff'fffc}, kMoreRam + kRamBytes})
        for (const u64 reg : {queue_driver, queue_device})
            EXPECT_TRUE(begin_at(reg, at)) << reg << " " << at;
    EXPECT_TRUE(begin_at(queue_device, kRom)) << "the device cannot write there";
    EXPECT_TRUE(begin_at(queue_desc, 0x2000'0000));
}

TEST_F(VirtioQueueTest, MuchWorkGoesInSteps) {
    driver.begin(0, 64);
    for (int i = 0; i < 64; ++i)
        driver.make_available(driver.chain({{kData, 1, kWrite}}));
    driver.notify();
    machine.work.step(1024);
    const usize first = driver.used().size();
    EXPECT_GT(first, 0U);
    EXPECT_LT(first, 64U);
    EXPECT_TRUE(machine.work.any_wanted());
    machine.work.run();
    EXPECT_EQ(driver.used().size(), 64U - first);
}

// A guest may name a byte of each 2 MiB of RAM that it has at first touch: each would have them cleared.
TEST_F(VirtioQueueTest, RamAtFirstTouchComesAPartAStep) {
    constexpr u64 kDemand = 0x8000'0000, kStep = 2 * kMiB, kPart = 256 * kKiB;
    ASSERT_TRUE(machine.memory.add(*GpaRange::make(Gpa{kDemand}, 16 * kStep), RegionKind::demand_ram));
    driver.begin(kIndirectDesc);
    driver.set(queue_ready, 0);
    driver.set_wide(queue_device, kDemand + 15 * kStep); // of which nobody has touched anything
    driver.set(queue_ready, 1);
    const u64 table = kDemand + 13 * kStep - 0x8000; // behind its 2 MiB
    std::vector<Part> parts;
    for (u64 i = 0; i < 12; ++i)
        parts.push_back({kDemand + i * kStep + kStep - 1, 1, kWrite});
    for (usize i = 0; i < parts.size(); ++i)
        driver.put(kTable, i, parts[i].at, 1, kWrite | kNext, static_cast<u16>(i + 1));
    driver.put(kTable, parts.size(), table, 1, kWrite, 0);
    driver.put(kDescriptors, 0, kTable, 13 * 16, kIndirect, 0);
    driver.make_available(0);
    driver.notify();
    u64 before = machine.space.cleaned_bytes();
    u32 steps = 0;
    for (; machine.work.any_wanted(); ++steps) {
        machine.work.step();
        ASSERT_LE(machine.space.cleaned_bytes() - before, kPart);
        before = machine.space.cleaned_bytes();
    }
    EXPECT_EQ(steps, 14U * 8 + 1) << "a queue and 13 parts, each in 2 MiB of its own";
    EXPECT_EQ(machine.peek<u16>(kDemand + 15 * kStep + 2), 1U);
    EXPECT_EQ(machine.peek<u32>(kDemand + 15 * kStep + 8), 13U) << "bytes written";
    EXPECT_FALSE(driver.needs_reset());
}

// A table of zeros: one descriptor of no bytes.
TEST_F(VirtioQueueTest, SoDoesATableOfDescriptors) {
    constexpr u64 kDemand = 0x8000'0000;
    ASSERT_TRUE(machine.memory.add(*GpaRange::make(Gpa{kDemand}, 4 * kMiB), RegionKind::demand_ram));
    driver.begin(kIndirectDesc);
    driver.put(kDescriptors, 0, kDemand + 2 * kMiB - 16, 0x8000'0000, kIndirect, 0);
    driver.make_available(0);
    driver.notify();
    u32 steps = 0;
    for (; machine.work.any_wanted(); ++steps) {
        const u64 before = machine.space.cleaned_bytes();
        machine.work.step();
        ASSERT_LE(machine.space.cleaned_bytes() - before, 256 * kKiB);
    }
    EXPECT_EQ(steps, 2U * 8 + 1);
    EXPECT_TRUE(driver.needs_reset()) << "no room for a byte";
}

} // namespace
} // namespace sel4vm::dev
