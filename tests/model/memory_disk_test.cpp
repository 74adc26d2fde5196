// SPDX-License-Identifier: BSD-2-Clause
//
// A disk in memory against a guest's memory of several regions: what is moved, what is refused, when requests end, and back-pressure. And the rules of
// host/block_device.hpp that do not depend on a disk, on it and on the fake.
#include <sel4vm/dev/memory_disk/memory_disk.hpp>

#include <array>
#include <gtest/gtest.h>
#include <hosts/fake/block_device.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <sel4vm/vm/guest_dma.hpp>
#include <support/manual_work.hpp>
#include <vector>

namespace sel4vm::dev {
namespace {

constexpr Gpa kRam{0x4000'0000};
constexpr Gpa kMoreRam{0x4000'1000}; // right behind it
constexpr Gpa kRom{0x1000'0000};

struct Asker final : BlockListener {
    void block_ended(BlockRequest &request, BlockStatus status) override {
        ended.push_back({&request, status});
        if (again == nullptr)
            return;
        EXPECT_TRUE(disk->submit(*std::exchange(again, nullptr)));
    }
    void block_space() override { ++spaces; }
    std::vector<std::pair<BlockRequest *, BlockStatus>> ended;
    int spaces = 0;
    BlockRequest *again = nullptr; ///< submitted when one has ended
    BlockDevice *disk = nullptr;
};

struct MemoryDiskTest : testing::Test {
    MemoryDiskTest() {
        EXPECT_TRUE(memory.add(*GpaRange::make(kRam, kPageBytes), RegionKind::ram));
        EXPECT_TRUE(memory.add(*GpaRange::make(kMoreRam, kPageBytes), RegionKind::ram));
        EXPECT_TRUE(memory.add(*GpaRange::make(kRom, kPageBytes), RegionKind::rom));
        for (usize i = 0; i < contents.size(); ++i)
            contents[i] = static_cast<u8>(i / kSectorBytes + 1);
        disk.set_listener(asker, lock);
        asker.disk = &disk;
    }
    BlockRequest request(BlockOperation operation, u64 sector, std::span<const DmaRange> parts) {
        return {.operation = operation, .sector = sector, .memory = parts, .dma = &dma};
    }
    /// What one request ended with.
    BlockStatus carry_out(BlockRequest asked) {
        EXPECT_TRUE(disk.submit(asked));
        asker.ended.clear();
        turns.run();
        EXPECT_EQ(asker.ended.size(), 1U);
        return asker.ended.empty() ? BlockStatus::failed : asker.ended[0].second;
    }
    u8 byte_at(Gpa at) { return *memory.load<u8>(at); }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma dma{memory};
    test::ManualWork turns;
    Mutex lock{LockRank::device};
    std::vector<u8> contents = std::vector<u8>(16 * kSectorBytes + 100);
    MemoryDisk disk{std::span<u8>(contents), turns};
    Asker asker;
};

TEST_F(MemoryDiskTest, HasWholeSectors) { EXPECT_EQ(disk.sector_count(), 16U); }

TEST_F(MemoryDiskTest, ReadsIntoPartsThatStraddleRegions) {
    const std::array<DmaRange, 2> parts{
        {{Gpa{0x4000'0f00}, 700}, {Gpa{0x4000'1800}, 324}}}; // the first goes over the border
    EXPECT_EQ(carry_out(request(BlockOperation::read, 2, parts)), BlockStatus::done);
    EXPECT_EQ(byte_at(Gpa{0x4000'0eff}), 0U);
    EXPECT_EQ(byte_at(Gpa{0x4000'0f00}), 3U);
    EXPECT_EQ(byte_at(Gpa{0x4000'0f00 + 511}), 3U);
    EXPECT_EQ(byte_at(Gpa{0x4000'0f00 + 512}), 4U);
    EXPECT_EQ(byte_at(Gpa{0x4000'0f00 + 699}), 4U);
    EXPECT_EQ(byte_at(Gpa{0x4000'0f00 + 700}), 0U);
    EXPECT_EQ(byte_at(Gpa{0x4000'1800 + 323}), 4U);
    EXPECT_EQ(byte_at(Gpa{0x4000'1800 + 324}), 0U);
}

TEST_F(MemoryDiskTest, WritesFromGuestMemoryAndRomAlike) {
    EXPECT_TRUE(memory.fill(kRam, kSectorBytes, 0xaa));
    const std::array<DmaRange, 2> parts{{{kRam, kSectorBytes}, {kRom, kSectorBytes}}};
    EXPECT_EQ(carry_out(request(BlockOperation::write, 14, parts)), BlockStatus::done);
    EXPECT_EQ(contents[14 * kSectorBytes - 1], 14U);
    EXPECT_EQ(contents[14 * kSectorBytes], 0xaaU);
    EXPECT_EQ(contents[15 * kSectorBytes], 0U);
    EXPECT_EQ(contents[16 * kSectorBytes], 17U) << "beyond the last whole sector";
}

TEST_F(MemoryDiskTest, RefusesWhatGoesBeyondItsEndHoweverTheSumWraps) {
    const std::array<DmaRange, 1> one{{{kRam, kSectorBytes}}};
    const std::array<DmaRange, 1> odd{{{kRam, 511}}};
    const std::array<DmaRange, 2> wraps{{{kRam, ~u64{0} - 511}, {kRam, 1024}}};
    EXPECT_EQ(carry_out(request(BlockOperation::read, 16, one)), BlockStatus::out_of_range);
    EXPECT_EQ(carry_out(request(BlockOperation::read, ~u64{0}, one)), BlockStatus::out_of_range);
    EXPECT_EQ(carry_out(request(BlockOperation::read, u64{1} << 55, one)), BlockStatus::out_of_range)
        << "times 512 it is 0";
    EXPECT_EQ(carry_out(request(BlockOperation::read, 0, odd)), BlockStatus::out_of_range);
    EXPECT_EQ(carry_out(request(BlockOperation::read, 0, wraps)), BlockStatus::out_of_range);
    EXPECT_EQ(carry_out(request(BlockOperation::read, 16, {})), BlockStatus::done) << "nothing, at the end";
}

TEST_F(MemoryDiskTest, SaysWhenGuestMemoryIsNotThere) {
    const std::array<DmaRange, 1> hole{{{Gpa{0x2000'0000}, kSectorBytes}}};
    const std::array<DmaRange, 1> rom{{{kRom, kSectorBytes}}};
    const std::array<DmaRange, 1> wraps{{{Gpa{~u64{0} - 100}, kSectorBytes}}};
    EXPECT_EQ(carry_out(request(BlockOperation::read, 0, hole)), BlockStatus::bad_memory);
    EXPECT_EQ(carry_out(request(BlockOperation::write, 0, hole)), BlockStatus::bad_memory);
    EXPECT_EQ(carry_out(request(BlockOperation::read, 0, rom)), BlockStatus::bad_memory);
    EXPECT_EQ(carry_out(request(BlockOperation::read, 0, wraps)), BlockStatus::bad_memory);
    EXPECT_EQ(contents[0], 1U);
}

TEST_F(MemoryDiskTest, AReadOnlyOneIsNotWritten) {
    MemoryDisk blob{std::span<const u8>(contents), turns};
    blob.set_listener(asker, lock);
    EXPECT_TRUE(blob.read_only());
    const std::array<DmaRange, 1> one{{{kRam, kSectorBytes}}};
    BlockRequest write = request(BlockOperation::write, 0, one);
    BlockRequest zero{.operation = BlockOperation::write_zeroes, .sectors = 1};
    BlockRequest discard{.operation = BlockOperation::discard, .sectors = 1};
    for (BlockRequest *changing : {&write, &zero, &discard})
        EXPECT_TRUE(blob.submit(*changing));
    turns.run();
    ASSERT_EQ(asker.ended.size(), 3U);
    for (const auto &[asked, status] : asker.ended)
        EXPECT_EQ(status, BlockStatus::read_only);
    EXPECT_EQ(contents[0], 1U);
}

TEST_F(MemoryDiskTest, ALongRequestGoesInStepsAndOthersHaveTheirTurn) {
    std::vector<u8> large(65 * kKiB, u8{7});
    MemoryDisk slow{std::span<u8>(large), turns};
    slow.set_listener(asker, lock);
    std::vector<DmaRange> parts(large.size() / kSectorBytes, DmaRange{kRam, kSectorBytes});
    BlockRequest read = request(BlockOperation::read, 0, parts);
    EXPECT_TRUE(slow.submit(read));
    EXPECT_EQ(turns.step(64 * kKiB), 0U);
    EXPECT_TRUE(asker.ended.empty());
    turns.step(64 * kKiB);
    EXPECT_EQ(asker.ended.size(), 1U);
    EXPECT_FALSE(turns.any_wanted());
}

TEST_F(MemoryDiskTest, ManyPartsOfNothingTakeTheirTurnsToo) {
    const std::vector<DmaRange> parts(512, DmaRange{kRam, 1});
    BlockRequest read = request(BlockOperation::read, 0, parts);
    EXPECT_TRUE(disk.submit(read));
    turns.step(16 * kKiB);
    EXPECT_TRUE(asker.ended.empty()) << "512 bytes, but in 512 places";
    turns.run();
    EXPECT_EQ(asker.ended.size(), 1U);
}

TEST_F(MemoryDiskTest, ClearsWhatIsNotNeededOrIsToBeZero) {
    BlockRequest zero{.operation = BlockOperation::write_zeroes, .sector = 2, .sectors = 3};
    EXPECT_EQ(carry_out(zero), BlockStatus::done);
    BlockRequest discard{.operation = BlockOperation::discard, .sector = 8, .sectors = 1};
    EXPECT_EQ(carry_out(discard), BlockStatus::done);
    for (usize sector = 0; sector < 16; ++sector) {
        const bool cleared = (sector >= 2 && sector < 5) || sector == 8;
        for (const usize byte : {usize{0}, usize{511}})
            EXPECT_EQ(contents[sector * kSectorBytes + byte], cleared ? 0U : sector + 1) << sector;
    }
    for (const auto &[sector, sectors] : {std::pair<u64, u64>{15, 2}, {17, 0}, {~u64{0}, 2}, {1, ~u64{0}}}) {
        BlockRequest beyond{.operation = BlockOperation::write_zeroes, .sector = sector, .sectors = sectors};
        EXPECT_EQ(carry_out(beyond), BlockStatus::out_of_range) << sector;
    }
}

TEST_F(MemoryDiskTest, ForgettingTakesItsWorkBack) {
    BlockRequest flush = request(BlockOperation::flush, 0, {});
    EXPECT_TRUE(disk.submit(flush));
    disk.forget();
    EXPECT_FALSE(turns.any_wanted());
    turns.run();
    EXPECT_TRUE(asker.ended.empty());
}

// -- what holds for every disk

struct OfMemory {
    explicit OfMemory(MemoryDiskTest &) {}
    static constexpr usize kRoom = MemoryDisk::kMaxRequests;
    BlockDevice &disk(MemoryDiskTest &test) { return test.disk; }
    void run(MemoryDiskTest &test) { test.turns.run(); }
};
struct OfFake {
    explicit OfFake(MemoryDiskTest &test) { fake.set_listener(test.asker, test.lock); }
    static constexpr usize kRoom = 3;
    BlockDevice &disk(MemoryDiskTest &) { return fake; }
    void run(MemoryDiskTest &) {
        while (!fake.open().empty())
            fake.end(*fake.open().back(), BlockStatus::done);
    }
    fake::BlockDevice fake{16, kRoom};
};

template <class Kind>
struct EveryDisk : MemoryDiskTest {
    EveryDisk() { asker.disk = &disk(); }
    BlockDevice &disk() { return kind.disk(*this); }
    void run() { kind.run(*this); }
    Kind kind{*this};
};
using Disks = testing::Types<OfMemory, OfFake>;
TYPED_TEST_SUITE(EveryDisk, Disks);

TYPED_TEST(EveryDisk, EndsRequestsLaterAndEachOnce) {
    BlockRequest flush = this->request(BlockOperation::flush, 0, {});
    ASSERT_TRUE(this->disk().submit(flush));
    EXPECT_TRUE(this->asker.ended.empty());
    this->run();
    this->run();
    ASSERT_EQ(this->asker.ended.size(), 1U);
    EXPECT_EQ(this->asker.ended[0], std::pair(&flush, BlockStatus::done));
}

TYPED_TEST(EveryDisk, TakesARequestFromInsideTheEndOfAnother) {
    BlockRequest first = this->request(BlockOperation::flush, 0, {});
    BlockRequest second = first;
    this->asker.again = &second;
    ASSERT_TRUE(this->disk().submit(first));
    this->run();
    this->run();
    EXPECT_EQ(this->asker.ended.size(), 2U);
}

TYPED_TEST(EveryDisk, RefusesWhatItHasNoRoomForAndTellsOfRoomOnce) {
    std::vector<BlockRequest> requests(TypeParam::kRoom + 2, this->request(BlockOperation::flush, 0, {}));
    for (usize i = 0; i < requests.size(); ++i)
        EXPECT_EQ(this->disk().submit(requests[i]), i < TypeParam::kRoom) << i;
    EXPECT_EQ(this->asker.spaces, 0);
    this->run();
    EXPECT_EQ(this->asker.spaces, 1);
    EXPECT_EQ(this->asker.ended.size(), TypeParam::kRoom);
}

TYPED_TEST(EveryDisk, ForgetsWithoutAWord) {
    std::vector<BlockRequest> requests(TypeParam::kRoom + 1, this->request(BlockOperation::flush, 0, {}));
    for (BlockRequest &one : requests)
        static_cast<void>(this->disk().submit(one));
    this->disk().forget();
    this->run();
    EXPECT_TRUE(this->asker.ended.empty());
    EXPECT_EQ(this->asker.spaces, 0);
    EXPECT_TRUE(this->disk().submit(requests[0]));
}

} // namespace
} // namespace sel4vm::dev
