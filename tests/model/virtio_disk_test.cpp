// SPDX-License-Identifier: BSD-2-Clause
//
// The driver of the machine's disks, on the library's own virtio disk: what a guest asks for passes both. The device's memory is the driver's, and
// nothing of the guest's; the disk behind it is in memory, or one that ends requests as a test wants.
#include <sel4vm/drivers/virtio/virtio_disk.hpp>

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <hosts/fake/block_device.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <memory>
#include <sel4vm/dev/memory_disk/memory_disk.hpp>
#include <sel4vm/dev/virtio/virtio_blk.hpp>
#include <sel4vm/dev/virtio/virtio_mmio.hpp>
#include <sel4vm/vm/guest_dma.hpp>
#include <support/manual_work.hpp>
#include <support/recording_irqs.hpp>
#include <vector>

namespace sel4vm::drivers {
namespace {

constexpr u64 kDriverRam = 0x8000'0000;
constexpr Gpa kRam{0x4000'0000};
constexpr usize kRamBytes = kMiB;
constexpr u32 kIntid = 48;
constexpr usize kDiskBytes = 512 * kKiB;

struct Device final : dev::VirtioMmio {
    using dev::VirtioMmio::VirtioMmio;
};

/// The device, and the machine that it is in.
struct Machine {
    explicit Machine(BlockDevice &behind) : model(behind, "root") {
        EXPECT_TRUE(memory.add(*GpaRange::make(Gpa{kDriverRam}, 2 * kMiB), RegionKind::ram));
        model.attach(device.function());
    }
    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma dma{memory};
    test::ManualWork turns;
    test::RecordingIrqs chip;
    dev::VirtioBlk model;
    Device device{model, IrqLine{chip, kIntid}, dev::VirtioSite{dma, turns, LockMode::none}};
};

struct Registers final : DeviceRegisters {
    explicit Registers(dev::VirtioMmio &which) : device(which) {}
    u64 read(u32 offset, Width width) {
        const auto value = device.read({offset, width, VcpuId{0}});
        EXPECT_TRUE(value);
        return value ? *value : 0;
    }
    u8 read8(u32 offset) override { return static_cast<u8>(read(offset, Width::b1)); }
    u32 read32(u32 offset) override { return static_cast<u32>(read(offset, Width::b4)); }
    void write32(u32 offset, u32 value) override { EXPECT_TRUE(device.write({offset, Width::b4, VcpuId{0}}, value)); }
    dev::VirtioMmio &device;
};

struct Asker final : BlockListener {
    void block_ended(BlockRequest &request, BlockStatus status) override { ended.push_back({&request, status}); }
    void block_space() override { ++spaces; }
    std::vector<std::pair<BlockRequest *, BlockStatus>> ended;
    int spaces = 0;
};

/// A guest with memory, the driver, and the device.
template <class Behind>
struct Rig {
    template <class... Args>
    explicit Rig(Args &&...args)
        : behind(make(std::forward<Args>(args)...)), machine(*behind), registers(machine.device) {
        EXPECT_TRUE(memory.add(*GpaRange::make(kRam, kRamBytes), RegionKind::ram));
        disk.set_listener(asker, lock);
        EXPECT_EQ(disk.open(), VirtioDisk::Opened::done);
        EXPECT_TRUE(disk.connect(turns));
    }
    std::unique_ptr<Behind> make(auto &&...args) {
        if constexpr (std::is_same_v<Behind, dev::MemoryDisk>)
            return std::make_unique<Behind>(args..., disk_turns);
        else
            return std::make_unique<Behind>(args...);
    }
    DriverMemory driver_memory() {
        // SAFETY: the fake host's RAM is this process's, and one block.
        u8 *const bytes = reinterpret_cast<u8 *>(machine.space.page(Gpa{kDriverRam})->phys);
        return {{bytes, VirtioDisk::memory_bytes()}, kDriverRam};
    }
    void device_works() {
        machine.turns.run();
        disk_turns.run();
        if (machine.chip.high(kIntid))
            disk.interrupt();
    }
    void run() {
        for (int i = 0; i < 100; ++i) {
            turns.run();
            device_works();
        }
    }
    BlockRequest request(BlockOperation operation, u64 sector, std::span<const DmaRange> parts) {
        return {.operation = operation, .sector = sector, .memory = parts, .dma = &dma};
    }
    BlockStatus carry_out(BlockRequest asked) {
        asker.ended.clear();
        EXPECT_TRUE(disk.submit(asked));
        EXPECT_TRUE(asker.ended.empty()) << "never inside of submit()";
        run();
        EXPECT_EQ(asker.ended.size(), 1U);
        return asker.ended.empty() ? BlockStatus::failed : asker.ended[0].second;
    }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma dma{memory};
    test::ManualWork turns;
    test::ManualWork disk_turns;
    Mutex lock{
        LockRank::lifecycle}; ///< one of a device would be that, but the device of the machine has such a one, too
    std::unique_ptr<Behind> behind;
    Machine machine;
    Registers registers;
    VirtioDisk disk{registers, driver_memory()};
    Asker asker;
};

struct OnMemory : testing::Test {
    OnMemory() {
        for (usize i = 0; i < contents.size(); ++i)
            contents[i] = static_cast<u8>(i / kSectorBytes);
    }
    std::vector<u8> contents = std::vector<u8>(kDiskBytes);
    Rig<dev::MemoryDisk> rig{std::span<u8>(contents)};
};

TEST_F(OnMemory, TellsTheDisksSizeAndName) {
    EXPECT_EQ(rig.disk.sector_count(), kDiskBytes / kSectorBytes);
    EXPECT_FALSE(rig.disk.read_only());
    EXPECT_EQ(rig.disk.read_id([this] {
        rig.machine.turns.run();
        return true;
    }),
              "root");
}

TEST_F(OnMemory, ADeviceThatDoesNotAnswerHasNoName) {
    int rounds = 3;
    EXPECT_EQ(rig.disk.read_id([&rounds] { return --rounds != 0; }), "");
}

TEST_F(OnMemory, ReadsALargeRequestIntoOddParts) {
    std::vector<DmaRange> parts;
    u64 at = kRam.value();
    for (const u64 bytes : {u64{1}, u64{511}, 100 * kKiB, u64{0}, 200 * kKiB + 7, u64{505}})
        parts.push_back({Gpa{std::exchange(at, at + bytes)}, bytes});
    const u64 bytes = at - kRam.value();
    ASSERT_EQ(bytes % kSectorBytes, 0U);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, 3, parts)), BlockStatus::done);
    for (u64 i = 0; i < bytes; ++i)
        ASSERT_EQ(*rig.memory.fetch<u8>(Gpa{kRam.value() + i}), contents[3 * kSectorBytes + i]) << i;
    EXPECT_EQ(*rig.memory.fetch<u8>(Gpa{at}), 0U) << "and nothing behind it";
}

TEST_F(OnMemory, WritesALargeRequestFromOddParts) {
    const u64 bytes = 300 * kKiB;
    for (u64 i = 0; i < bytes; i += 4)
        EXPECT_TRUE(rig.memory.store<u32>(Gpa{kRam.value() + i}, static_cast<u32>(0x9e37'79b9 * i)));
    const std::array<DmaRange, 3> parts{
        {{kRam, 100}, {Gpa{kRam.value() + 100}, 150 * kKiB}, {Gpa{kRam.value() + 100 + 150 * kKiB}, 150 * kKiB - 100}}};
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::write, 5, parts)), BlockStatus::done);
    for (u64 i = 0; i < bytes; ++i)
        ASSERT_EQ(contents[5 * kSectorBytes + i], *rig.memory.fetch<u8>(Gpa{kRam.value() + i})) << i;
    EXPECT_EQ(contents[5 * kSectorBytes - 1], 4U);
    EXPECT_EQ(contents[5 * kSectorBytes + bytes], static_cast<u8>(5 + bytes / kSectorBytes));
}

TEST_F(OnMemory, ALongWriteGoesInSteps) {
    std::vector<DmaRange> parts(2, DmaRange{kRam, 128 * kKiB});
    BlockRequest write = rig.request(BlockOperation::write, 0, parts);
    ASSERT_TRUE(rig.disk.submit(write));
    u64 left = 64 * kKiB;
    left = rig.turns.step(left);
    EXPECT_EQ(left, 0U);
    EXPECT_TRUE(rig.turns.any_wanted()) << "three quarters are left";
    rig.run();
    EXPECT_EQ(rig.asker.ended.size(), 1U);
}

TEST_F(OnMemory, WhatCameBackGoesInStepsToo) {
    std::vector<DmaRange> parts(2, DmaRange{kRam, 128 * kKiB});
    BlockRequest read = rig.request(BlockOperation::read, 0, parts);
    ASSERT_TRUE(rig.disk.submit(read));
    rig.turns.run();
    rig.device_works();
    for (int turn = 0; turn < 4; ++turn) {
        EXPECT_TRUE(rig.asker.ended.empty()) << turn;
        rig.turns.step(64 * kKiB);
    }
    rig.turns.run();
    EXPECT_EQ(rig.asker.ended.size(), 1U);
}

TEST_F(OnMemory, ClearsSectors) {
    BlockRequest zero{.operation = BlockOperation::write_zeroes, .sector = 2, .sectors = 300};
    EXPECT_EQ(rig.carry_out(zero), BlockStatus::done);
    EXPECT_EQ(contents[2 * kSectorBytes - 1], 1U);
    EXPECT_TRUE(
        std::all_of(&contents[2 * kSectorBytes], &contents[302 * kSectorBytes], [](u8 byte) { return byte == 0; }));
    EXPECT_EQ(contents[302 * kSectorBytes], static_cast<u8>(302));
    BlockRequest discard{.operation = BlockOperation::discard, .sector = 400, .sectors = 8};
    EXPECT_EQ(rig.carry_out(discard), BlockStatus::done);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::flush, 0, {})), BlockStatus::done);
}

TEST_F(OnMemory, RefusesWhatTheDiskDoesNotHave) {
    const std::array<DmaRange, 1> one{{{kRam, kSectorBytes}}};
    const std::array<DmaRange, 1> odd{{{kRam, 511}}};
    const std::array<DmaRange, 1> hole{{{Gpa{0x2000'0000}, 128 * kKiB}}};
    const u64 end = kDiskBytes / kSectorBytes;
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, end, one)), BlockStatus::out_of_range);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, ~u64{0}, one)), BlockStatus::out_of_range);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::write, 0, odd)), BlockStatus::out_of_range);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::write, 0, hole)), BlockStatus::bad_memory);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, 0, hole)), BlockStatus::bad_memory);
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, end, {})), BlockStatus::done) << "nothing, at the end";
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::read, 0, one)), BlockStatus::done) << "and goes on";
}

TEST(VirtioDisk, AReadOnlyDeviceIsAReadOnlyDisk) {
    const std::vector<u8> contents(8 * kSectorBytes);
    Rig<dev::MemoryDisk> rig{std::span<const u8>(contents)};
    EXPECT_TRUE(rig.disk.read_only());
    const std::array<DmaRange, 1> one{{{kRam, kSectorBytes}}};
    EXPECT_EQ(rig.carry_out(rig.request(BlockOperation::write, 0, one)), BlockStatus::read_only);
}

// -- a device that does as the test wants

struct FakeRig {
    std::vector<BlockRequest *> open() { return rig.behind->open(); }
    void begin(BlockRequest &request) {
        ASSERT_TRUE(rig.disk.submit(request));
        rig.run();
    }
    void end(usize index, BlockStatus status) {
        rig.behind->end(*open()[index], status);
        rig.run();
    }
    std::array<DmaRange, 1> one{{{kRam, kSectorBytes}}};
    std::array<DmaRange, 1> large{{{kRam, 3 * VirtioDisk::kPartBytes}}};
    Rig<fake::BlockDevice> rig{4096U};
};
struct OnFake : FakeRig, testing::Test {};

TEST_F(OnFake, RequestsEndAsTheDeviceEndsThem) {
    BlockRequest first = rig.request(BlockOperation::read, 0, one);
    BlockRequest second = rig.request(BlockOperation::read, 1, one);
    begin(first);
    begin(second);
    ASSERT_EQ(open().size(), 2U);
    end(1, BlockStatus::done);
    ASSERT_EQ(rig.asker.ended.size(), 1U);
    EXPECT_EQ(rig.asker.ended[0].first, &second);
    end(0, BlockStatus::failed);
    ASSERT_EQ(rig.asker.ended.size(), 2U);
    EXPECT_EQ(rig.asker.ended[1], std::pair(&first, BlockStatus::failed));
}

TEST_F(OnFake, ARequestFailsOnceWhenOneOfItsPartsDoes) {
    BlockRequest read = rig.request(BlockOperation::read, 0, large);
    begin(read);
    ASSERT_EQ(open().size(), 3U);
    end(1, BlockStatus::failed);
    EXPECT_TRUE(rig.asker.ended.empty()) << "the device has the other parts still";
    end(1, BlockStatus::done);
    end(0, BlockStatus::done);
    ASSERT_EQ(rig.asker.ended.size(), 1U);
    EXPECT_EQ(rig.asker.ended[0].second, BlockStatus::failed);
}

TEST_F(OnFake, NothingNewBeginsBeforeWhatWasForgottenIsOver) {
    BlockRequest old_write = rig.request(BlockOperation::write, 0, one);
    begin(old_write);
    rig.disk.forget();
    BlockRequest new_write = rig.request(BlockOperation::write, 0, one);
    begin(new_write);
    EXPECT_EQ(open().size(), 1U) << "the old one";
    end(0, BlockStatus::done);
    EXPECT_TRUE(rig.asker.ended.empty());
    ASSERT_EQ(open().size(), 1U) << "the new one";
    end(0, BlockStatus::done);
    ASSERT_EQ(rig.asker.ended.size(), 1U);
    EXPECT_EQ(rig.asker.ended[0].first, &new_write);
}

TEST_F(OnFake, ADeviceThatGivesUpFailsEverythingFromThenOn) {
    BlockRequest read = rig.request(BlockOperation::read, 0, one);
    begin(read);
    rig.machine.device.function().needs_reset();
    rig.run();
    ASSERT_EQ(rig.asker.ended.size(), 1U);
    EXPECT_EQ(rig.asker.ended[0].second, BlockStatus::failed);
    EXPECT_EQ(rig.carry_out(read), BlockStatus::failed);
}

TEST_F(OnFake, AnAnswerToNothingIsAFailure) {
    BlockRequest read = rig.request(BlockOperation::read, 0, one);
    begin(read);
    // Used ring of 64 descriptors: behind 1024 bytes of them and 134 of the driver's ring, at a multiple of 4.
    constexpr u64 kUsed = kDriverRam + 1160;
    for (const u32 head : {1U, 3U, 64U, 0xffff'ffffU}) {
        SCOPED_TRACE(head);
        FakeRig other;
        BlockRequest asked = other.rig.request(BlockOperation::read, 0, one);
        other.begin(asked);
        EXPECT_TRUE(other.rig.machine.memory.store<u32>(Gpa{kUsed + 4}, head));
        EXPECT_TRUE(other.rig.machine.memory.store<u16>(Gpa{kUsed + 2}, 1));
        other.rig.disk.interrupt();
        other.rig.turns.run();
        ASSERT_EQ(other.rig.asker.ended.size(), 1U);
        EXPECT_EQ(other.rig.asker.ended[0].second, BlockStatus::failed);
    }
    EXPECT_TRUE(rig.machine.memory.store<u16>(Gpa{kUsed + 2}, 2)) << "two, where one was asked for";
    rig.disk.interrupt();
    rig.turns.run();
    EXPECT_EQ(rig.asker.ended.size(), 1U);
}

TEST_F(OnFake, RefusesWhatItHasNoRoomForAndTellsOfRoom) {
    std::vector<BlockRequest> requests(VirtioDisk::kMaxRequests + 1, rig.request(BlockOperation::read, 0, one));
    for (usize i = 0; i < requests.size(); ++i)
        EXPECT_EQ(rig.disk.submit(requests[i]), i < VirtioDisk::kMaxRequests) << i;
    rig.run();
    EXPECT_EQ(rig.asker.spaces, 0);
    while (!open().empty())
        end(0, BlockStatus::done);
    EXPECT_EQ(rig.asker.spaces, 1);
    EXPECT_EQ(rig.asker.ended.size(), usize{VirtioDisk::kMaxRequests});
}

} // namespace
} // namespace sel4vm::drivers
