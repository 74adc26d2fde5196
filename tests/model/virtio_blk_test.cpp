// SPDX-License-Identifier: BSD-2-Clause
//
// The block device (Virtio 1.2, 5.2) on a disk in memory, and on one whose requests end when the test says so.
#include <sel4vm/dev/virtio/virtio_blk.hpp>

#include <gtest/gtest.h>
#include <hosts/fake/block_device.hpp>
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <support/virtio_driver.hpp>

#include <optional>

namespace sel4vm::dev {
namespace {

using namespace test::virtio;

constexpr u32 in = 0, out = 1, flush = 4, get_id = 8, discard = 11, write_zeroes = 13;
constexpr u64 kHeader = kRam + 0x6000;
constexpr u64 kStatus = kRam + 0x6100;
constexpr u64 kRange = kRam + 0x6200;
constexpr u8 ok = 0, io_error = 1, unsupported = 2;
constexpr u64 kReadOnly = u64{1} << 5, kDiscard = u64{1} << 13, kWriteZeroes = u64{1} << 14;

struct BlkRig {
    BlkRig(test::VirtioMachine &machine, BlockDevice &disk) : blk(machine.line, machine.site(), disk, "serial-1") {
        blk.model().attach(blk.function());
    }
    VirtioOnMmio<VirtioBlk> blk;
};

struct VirtioBlkTest : testing::Test {
    VirtioBlkTest() {
        for (usize i = 0; i < contents.size(); ++i)
            contents[i] = static_cast<u8>(i / kSectorBytes + 1);
        driver.begin();
        machine.work.run();
    }
    void header(u32 type, u64 sector) {
        machine.poke(kHeader, type);
        machine.poke(kHeader + 4, u32{0});
        machine.poke(kHeader + 8, sector);
        machine.poke(kStatus, u8{0xff});
    }
    /// The status that a request ends with, or nothing when it does not.
    std::optional<u8> carry_out(u32 type, u64 sector, std::vector<Part> data = {}) {
        header(type, sector);
        data.insert(data.begin(), {kHeader, 16});
        data.push_back({kStatus, 1, kWrite});
        driver.run(driver.chain(data));
        last = driver.used();
        if (last.empty())
            return std::nullopt;
        return machine.peek<u8>(kStatus);
    }
    void range(u64 sector, u32 sectors, u32 flags) {
        machine.poke(kRange, sector);
        machine.poke(kRange + 8, sectors);
        machine.poke(kRange + 12, flags);
    }
    test::VirtioMachine machine;
    std::vector<u8> contents = std::vector<u8>(16 * kSectorBytes);
    MemoryDisk disk{std::span<u8>(contents), machine.work};
    BlkRig rig{machine, disk};
    test::VirtioDriver driver{machine, rig.blk};
    std::vector<Used> last;
};

TEST_F(VirtioBlkTest, SaysWhatItsDiskIs) {
    EXPECT_EQ(driver.get(0x008), 2U);
    EXPECT_EQ(driver.get(config), 16U);
    EXPECT_EQ(driver.get(config + 4), 0U);
    EXPECT_EQ(driver.get(config + 12), VirtioBlk::kMaxSegments);
    EXPECT_EQ(driver.get(config + 20), 512U);
    EXPECT_EQ(*rig.blk.read(Access{config + 24, Width::b1, VcpuId{0}}), 3U) << "4 KiB are physical blocks";
    EXPECT_EQ(driver.get(config + 36), VirtioBlk::kMaxClearedSectors);
    EXPECT_EQ(driver.get(config + 40), 1U);
    EXPECT_EQ(driver.get(config + 44), 1U);
    EXPECT_EQ(driver.get(config + 48), VirtioBlk::kMaxClearedSectors);
    EXPECT_EQ(driver.get(config + 52), 1U);
    EXPECT_EQ(driver.get(config + 64), 0U);
    EXPECT_EQ(driver.offered() & (kReadOnly | kDiscard | kWriteZeroes), kDiscard | kWriteZeroes);
}

TEST_F(VirtioBlkTest, Reads) {
    EXPECT_EQ(carry_out(in, 2, {{kData, 512, kWrite}, {kData + 0x1000, 1024, kWrite}}), ok);
    EXPECT_EQ(last[0].written, 1537U);
    EXPECT_EQ(machine.peek<u8>(kData + 511), 3U);
    EXPECT_EQ(machine.peek<u8>(kData + 0x1000), 4U);
    EXPECT_EQ(machine.peek<u8>(kData + 0x1000 + 1023), 5U);
    EXPECT_TRUE(driver.interrupted());
}

TEST_F(VirtioBlkTest, Writes) {
    machine.poke(kData, u64{0x1122'3344'5566'7788});
    EXPECT_EQ(carry_out(out, 15, {{kData, 512}}), ok);
    EXPECT_EQ(last[0].written, 1U);
    EXPECT_EQ(contents[15 * 512], 0x88U);
    EXPECT_EQ(contents[15 * 512 + 8], 0U);
    EXPECT_EQ(contents[15 * 512 - 1], 15U);
    EXPECT_EQ(carry_out(flush, 0), ok);
}

TEST_F(VirtioBlkTest, HeaderDataAndStatusMayLieInAnyParts) {
    header(in, 1);
    std::vector<Part> parts;
    for (u32 i = 0; i < 8; ++i)
        parts.push_back({kHeader + 2 * i, 2});
    parts.push_back({kMoreRam - 100, 500, kWrite});
    parts.push_back({kData, 13, kWrite}); // 12 bytes of data and the status
    parts.push_back({kData, 0, kWrite});
    driver.run(driver.chain(parts));
    EXPECT_EQ(driver.used(), std::vector<Used>({{0, 513}}));
    EXPECT_EQ(machine.peek<u8>(kMoreRam - 100), 2U);
    EXPECT_EQ(machine.peek<u8>(kMoreRam + 399), 2U);
    EXPECT_EQ(machine.peek<u8>(kData + 11), 2U);
    EXPECT_EQ(machine.peek<u8>(kData + 12), ok);
}

TEST_F(VirtioBlkTest, DataMayFollowTheHeaderInItsPart) {
    header(out, 0);
    machine.poke(kHeader + 16, u8{0x77});
    driver.run(driver.chain({{kHeader, 16 + 512}, {kStatus, 1, kWrite}}));
    EXPECT_EQ(driver.used().size(), 1U);
    EXPECT_EQ(contents[0], 0x77U);
}

TEST_F(VirtioBlkTest, WhatItsDiskCannotDoEndsWithAnErrorOnce) {
    EXPECT_EQ(carry_out(in, 16, {{kData, 512, kWrite}}), io_error);
    EXPECT_EQ(last[0].written, 1U);
    EXPECT_EQ(carry_out(in, ~u64{0}, {{kData, 512, kWrite}}), io_error);
    EXPECT_EQ(carry_out(in, 15, {{kData, 1024, kWrite}}), io_error);
    EXPECT_EQ(carry_out(in, 0, {{kData, 511, kWrite}}), io_error);
    EXPECT_EQ(carry_out(out, 16, {{kData, 512}}), io_error);
    EXPECT_EQ(carry_out(in, 0), ok) << "nothing of it";
    EXPECT_FALSE(driver.needs_reset());
}

TEST_F(VirtioBlkTest, WhatItDoesNotKnowIsUnsupported) {
    for (const u32 type : {2U, 3U, 10U, 14U, 0xffff'ffffU})
        EXPECT_EQ(carry_out(type, 0, {{kData, 512, kWrite}}), unsupported) << type;
    EXPECT_EQ(last[0].written, 1U);
}

TEST_F(VirtioBlkTest, TellsItsNameAsFarAsThereIsRoom) {
    EXPECT_EQ(carry_out(get_id, 0, {{kData, 20, kWrite}}), ok);
    EXPECT_EQ(last[0].written, 21U);
    EXPECT_EQ(machine.peek<u64>(kData), 0x312d'6c61'6972'6573U);
    EXPECT_EQ(machine.peek<u8>(kData + 8), 0U);
    EXPECT_EQ(carry_out(get_id, 0, {{kData + 0x100, 3, kWrite}}), ok);
    EXPECT_EQ(machine.peek<u8>(kData + 0x103), 0U);
}

TEST_F(VirtioBlkTest, ClearsRanges) {
    range(2, 2, 0);
    EXPECT_EQ(carry_out(discard, 0, {{kRange, 16}}), ok);
    range(6, 1, 1);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 16}}), ok);
    for (usize sector = 0; sector < 16; ++sector)
        EXPECT_EQ(contents[sector * 512], sector == 2 || sector == 3 || sector == 6 ? 0U : sector + 1) << sector;
}

TEST_F(VirtioBlkTest, RangesThatMakeNoSenseClearNothing) {
    range(0, 1, 1);
    EXPECT_EQ(carry_out(discard, 0, {{kRange, 16}}), unsupported) << "a flag of the other kind";
    range(0, 1, 2);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 16}}), unsupported);
    range(0, 17, 0);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 16}}), io_error);
    range(0, VirtioBlk::kMaxClearedSectors + 1, 0);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 16}}), io_error);
    range(0, 1, 0);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 15}}), io_error);
    EXPECT_EQ(carry_out(write_zeroes, 0, {{kRange, 32}}), unsupported) << "one range";
    EXPECT_EQ(contents[0], 1U);
}

TEST_F(VirtioBlkTest, AReadOnlyDiskSaysSoAndStays) {
    MemoryDisk constant{std::span<const u8>(contents), machine.work};
    BlkRig fixed{machine, constant};
    test::VirtioDriver other{machine, fixed.blk};
    EXPECT_EQ(other.offered() & (kReadOnly | kDiscard | kWriteZeroes), kReadOnly);
    other.begin();
    range(0, 1, 0);
    for (const auto &[type, data] :
         {std::pair(out, Part{kData, 512}), {discard, {kRange, 16}}, {write_zeroes, {kRange, 16}}}) {
        header(type, 0);
        other.run(other.chain({{kHeader, 16}, data, {kStatus, 1, kWrite}}));
        EXPECT_EQ(other.used().size(), 1U);
        EXPECT_EQ(machine.peek<u8>(kStatus), io_error) << type;
    }
    EXPECT_EQ(contents[0], 1U);
}

TEST_F(VirtioBlkTest, WithoutRoomForAnAnswerThereIsNone) {
    const auto broken = [&](const std::vector<Part> &parts) {
        driver.begin();
        header(in, 0);
        driver.run(driver.chain(parts));
        return driver.needs_reset() && driver.used().empty();
    };
    EXPECT_TRUE(broken({{kHeader, 16}})) << "no status";
    EXPECT_TRUE(broken({{kHeader, 16}, {kStatus, 0, kWrite}}));
    EXPECT_TRUE(broken({{kHeader, 15}, {kStatus, 1, kWrite}})) << "no header";
    EXPECT_TRUE(broken({{kStatus, 1, kWrite}}));
    EXPECT_TRUE(broken({{0x2000'0000, 16}, {kStatus, 1, kWrite}}));
    EXPECT_TRUE(broken({{kHeader, 16}, {kRom, 1, kWrite}}));
    EXPECT_TRUE(broken({{kHeader, 16}, {kRom, 512, kWrite}, {kStatus, 1, kWrite}}));
    EXPECT_TRUE(broken({{kHeader, 16}, {0x2000'0000, 512, kWrite}, {kStatus, 1, kWrite}}));
    EXPECT_FALSE(broken({{kHeader, 16}, {kData, 512, kWrite}, {kStatus, 1, kWrite}}));
}

// -- a disk that takes its time

struct SlowBlkTest : VirtioBlkTest {
    SlowBlkTest() {
        rig.blk.reset(); // its queue is the other's now
        slow_driver.begin(0, 64);
    }
    u16 read_chain() { return slow_driver.chain({{kHeader, 16}, {kData, 512, kWrite}, {kStatus, 1, kWrite}}); }
    fake::BlockDevice slow{1000, 5};
    BlkRig slow_rig{machine, slow};
    test::VirtioDriver slow_driver{machine, slow_rig.blk};
};

TEST_F(SlowBlkTest, EndsRequestsInTheOrderOfTheDisk) {
    header(in, 7);
    slow_driver.run(read_chain());
    slow_driver.run(read_chain());
    ASSERT_EQ(slow.open().size(), 2U);
    EXPECT_EQ(slow.open()[0]->sector, 7U);
    EXPECT_TRUE(slow_driver.used().empty());
    slow.end(*slow.open()[1], BlockStatus::done);
    EXPECT_EQ(slow_driver.used(), std::vector<Used>({{3, 513}}));
    EXPECT_TRUE(slow_driver.interrupted());
    slow.end(*slow.open()[0], BlockStatus::failed);
    EXPECT_EQ(slow_driver.used(), std::vector<Used>({{0, 1}}));
    EXPECT_EQ(machine.peek<u8>(kStatus), io_error);
}

TEST_F(SlowBlkTest, AFullDiskMakesRequestsWaitAndNoneIsLost) {
    header(in, 0);
    for (int i = 0; i < 20; ++i)
        slow_driver.make_available(read_chain());
    slow_driver.notify();
    machine.work.run();
    EXPECT_EQ(slow.open().size(), 5U);
    usize ended = 0;
    while (!slow.open().empty()) {
        slow.end(*slow.open().back(), BlockStatus::done);
        machine.work.run();
        ended += slow_driver.used().size();
        ASSERT_LE(ended, 20U);
    }
    EXPECT_EQ(ended, 20U);
}

TEST_F(SlowBlkTest, NoMoreThanItsOwnRequestsAreWithADisk) {
    fake::BlockDevice large{1000, 1000};
    BlkRig its{machine, large};
    test::VirtioDriver other{machine, its.blk};
    other.begin(0, 64);
    header(in, 0);
    for (int i = 0; i < 20; ++i)
        other.make_available(other.chain({{kHeader, 16}, {kData, 512, kWrite}, {kStatus, 1, kWrite}}));
    other.notify();
    machine.work.run();
    EXPECT_EQ(large.open().size(), VirtioBlk::kMaxRequests);
    large.end(*large.open().front(), BlockStatus::done);
    machine.work.run();
    EXPECT_EQ(large.open().size(), VirtioBlk::kMaxRequests) << "the next one takes its place";
}

TEST_F(SlowBlkTest, AResetLeavesNothingWithTheDisk) {
    header(in, 0);
    for (int i = 0; i < 8; ++i)
        slow_driver.make_available(read_chain());
    slow_driver.notify();
    machine.work.run();
    slow_driver.set(status, 0);
    EXPECT_TRUE(slow.open().empty());
    EXPECT_EQ(slow_rig.blk.model().state(), VirtioBlk::State{});
    slow_driver.begin(0, 64);
    slow_driver.run(read_chain());
    EXPECT_EQ(slow.open().size(), 1U);
}

TEST_F(SlowBlkTest, ARequestWhoseMemoryIsGoneAsksForAReset) {
    header(in, 0);
    slow_driver.run(read_chain());
    slow.end(*slow.open()[0], BlockStatus::bad_memory);
    EXPECT_TRUE(slow_driver.needs_reset());
    EXPECT_TRUE(slow_driver.used().empty());
}

TEST_F(SlowBlkTest, ItsStateBeginsAnewWhatHadNotEnded) {
    header(in, 9);
    slow_driver.run(read_chain());
    slow_driver.run(read_chain());
    slow.end(*slow.open()[0], BlockStatus::done);
    const auto function = slow_rig.blk.function().state();
    const auto model = slow_rig.blk.model().state();
    EXPECT_EQ(model.count, 1U);
    slow_rig.blk.reset();
    fake::BlockDevice second{1000, 5};
    BlkRig its{machine, second};
    its.blk.function().restore(function);
    its.blk.model().restore(model);
    ASSERT_EQ(second.open().size(), 1U);
    EXPECT_EQ(second.open()[0]->sector, 9U);
    second.end(*second.open()[0], BlockStatus::done);
    EXPECT_EQ(slow_driver.used(), std::vector<Used>({{0, 513}, {3, 513}}));
}

TEST_F(SlowBlkTest, AStateWithRequestsThatAreNoneAsksForAReset) {
    VirtioBlk::State its_state;
    its_state.count = 100;
    its_state.heads.fill(999);
    slow_rig.blk.model().restore(its_state);
    EXPECT_TRUE(slow_driver.needs_reset());
}

} // namespace
} // namespace sel4vm::dev
