// SPDX-License-Identifier: BSD-2-Clause
//
// fw_cfg against QEMU's description of it: items by number and by name, through the register and by DMA.
#include <sel4vm/dev/fw_cfg/fw_cfg.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg_keys.hpp>

#include <gtest/gtest.h>
#include <sel4vm/vm/guest_dma.hpp>
#include <support/manual_work.hpp>
#include <support/vm_fixture.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sel4vm::dev {
namespace {

constexpr u64 kRam = 0x4000'0000;
constexpr u64 kDescriptor = kRam, kTarget = kRam + 0x1000;
constexpr u32 kError = 1, kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;

struct FwCfgTest : testing::Test {
    FwCfgTest() {
        EXPECT_TRUE(memory.add(test::range(kRam, 2 * kMiB), RegionKind::ram));
        EXPECT_TRUE(memory.add(test::range(0, 0x1000), RegionKind::rom));
        EXPECT_TRUE(device->connect());
        for (usize i = 0; i < large.size(); ++i)
            large[i] = static_cast<u8>(i * 7 + i / 256);
    }
    u64 get(u64 offset, Width width) { return *device->read(Access{offset, width, VcpuId{0}}); }
    void set(u64 offset, u64 value, Width width) {
        ASSERT_TRUE(device->write(Access{offset, width, VcpuId{0}}, value));
    }
    void select(u16 key) { set(8, __builtin_bswap16(key), Width::b2); }
    std::string bytes(usize count) {
        std::string out;
        for (usize i = 0; i < count; ++i)
            out += static_cast<char>(get(0, Width::b1));
        return out;
    }
    void describe(u32 control, u32 length, u64 target, u64 at = kDescriptor) {
        EXPECT_TRUE(memory.put(Gpa{at}, __builtin_bswap32(control)));
        EXPECT_TRUE(memory.put(Gpa{at + 4}, __builtin_bswap32(length)));
        EXPECT_TRUE(memory.put(Gpa{at + 8}, __builtin_bswap64(target)));
    }
    u32 control(u64 at = kDescriptor) { return __builtin_bswap32(*memory.fetch<u32>(Gpa{at})); }
    /// Asks for it, has it done, and gives what is left in the control word.
    u32 dma(u32 command, u32 length, u64 target = kTarget, u64 at = kDescriptor) {
        describe(command, length, target, at);
        set(0x10, __builtin_bswap64(at), Width::b8);
        work.run();
        return control(at);
    }
    std::vector<u8> target(usize count) {
        std::vector<u8> out(count);
        EXPECT_TRUE(memory.read(Gpa{kTarget}, out));
        return out;
    }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    GuestMemory memory{space, allocator, LockMode::none};
    GuestDma port{memory};
    test::ManualWork work;
    std::vector<u8> large = std::vector<u8>(300'000);
    std::optional<FwCfg> device{std::in_place, port, work, LockMode::none};
};

TEST_F(FwCfgTest, SaysWhatItIs) {
    select(fw_cfg_key::kSignature);
    EXPECT_EQ(bytes(6), std::string("QEMU\0\0", 6));
    select(fw_cfg_key::kInterfaces);
    EXPECT_EQ(get(0, Width::b4), 3U);
    EXPECT_EQ(get(0x10, Width::b8), 0x4746'4320'554d'4551U) << "QEMU CFG";
    EXPECT_EQ(get(0x14, Width::b4), 0x4746'4320U);
    EXPECT_EQ(get(8, Width::b2), 0U);
}

TEST_F(FwCfgTest, TheDataRegisterGoesOnFromAccessToAccess) {
    ASSERT_TRUE(device->add_number(fw_cfg_key::kCpuCount, 0x1234, 2));
    ASSERT_TRUE(device->add(fw_cfg_key::kKernelData, large));
    select(fw_cfg_key::kCpuCount);
    EXPECT_EQ(get(0, Width::b2), 0x1234U);
    EXPECT_EQ(get(0, Width::b8), 0U);
    select(fw_cfg_key::kKernelData);
    EXPECT_EQ(get(0, Width::b1), large[0]);
    EXPECT_EQ(get(0, Width::b4), u32{large[1]} | u32{large[2]} << 8 | u32{large[3]} << 16 | u32{large[4]} << 24);
    select(fw_cfg_key::kKernelData);
    EXPECT_EQ(get(0, Width::b1), large[0]) << "from its beginning";
    select(0x77);
    EXPECT_EQ(get(0, Width::b8), 0U) << "none of these";
    select(fw_cfg_key::kKernelData);
    set(0, 0x55, Width::b1);
    EXPECT_EQ(get(0, Width::b1), large[0]) << "a write changes nothing";
}

TEST_F(FwCfgTest, FilesAreInTheDirectory) {
    ASSERT_TRUE(device->add_file("opt/one", std::span(large).first(5)));
    ASSERT_TRUE(device->add_file("etc/two", large));
    EXPECT_FALSE(device->add_file(std::string(FwCfg::kMostNameBytes + 1, 'x'), large));
    select(fw_cfg_key::kDirectory);
    EXPECT_EQ(bytes(4), std::string("\0\0\0\2", 4));
    EXPECT_EQ(bytes(8), std::string("\0\0\0\5\0\x20\0\0", 8));
    EXPECT_EQ(bytes(56), "opt/one" + std::string(49, '\0'));
    EXPECT_EQ(bytes(8), std::string("\0\x04\x93\xe0\0\x21\0\0", 8));
    EXPECT_EQ(bytes(7), "etc/two");
    for (usize i = 2; i < FwCfg::kMostFiles; ++i)
        EXPECT_TRUE(device->add_file("f", large));
    EXPECT_FALSE(device->add_file("f", large));
    EXPECT_EQ(dma(fw_cfg_key::kFirstFile << 16 | kSelect | kRead, 5), 0U);
    EXPECT_EQ(target(5), std::vector<u8>(large.begin(), large.begin() + 5));
}

TEST_F(FwCfgTest, DmaReadsSkipsAndSelects) {
    ASSERT_TRUE(device->add(fw_cfg_key::kKernelData, large));
    EXPECT_EQ(dma(fw_cfg_key::kKernelData << 16 | kSelect, 0), 0U);
    EXPECT_EQ(dma(kSkip, 1000), 0U);
    EXPECT_EQ(dma(kRead, 100'000), 0U);
    EXPECT_EQ(target(100'000), std::vector<u8>(large.begin() + 1000, large.begin() + 101'000));
    EXPECT_EQ(get(0, Width::b1), large[101'000]) << "registers and DMA have one place";
    EXPECT_EQ(dma(fw_cfg_key::kKernelData << 16 | kSelect | kSkip, 299'999), 0U);
    EXPECT_EQ(dma(kRead, 4), 0U);
    EXPECT_EQ(target(4), (std::vector<u8>{large[299'999], 0, 0, 0})) << "zeros behind the end";
    EXPECT_EQ(dma(kSkip, 0xffff'ffff), 0U);
    EXPECT_EQ(dma(kRead, 2), 0U);
    EXPECT_EQ(target(2), (std::vector<u8>{0, 0}));
}

TEST_F(FwCfgTest, DmaIsAskedForByTwoHalvesToo) {
    describe(fw_cfg_key::kSignature << 16 | kSelect | kRead, 4, kTarget);
    set(0x10, 0, Width::b4);
    EXPECT_FALSE(work.any_wanted());
    set(0x14, __builtin_bswap32(static_cast<u32>(kDescriptor)), Width::b4);
    work.run();
    EXPECT_EQ(control(), 0U);
    EXPECT_EQ(target(4), (std::vector<u8>{'Q', 'E', 'M', 'U'}));
}

TEST_F(FwCfgTest, ALongDmaIsDoneInSteps) {
    ASSERT_TRUE(device->add(fw_cfg_key::kKernelData, large));
    const u32 command = fw_cfg_key::kKernelData << 16 | kSelect | kRead;
    describe(command, 300'000, kTarget);
    set(0x10, __builtin_bswap64(kDescriptor), Width::b8);
    EXPECT_EQ(work.step(1000), 0U);
    EXPECT_EQ(control(), command) << "not yet";
    set(0x10, __builtin_bswap64(kTarget), Width::b8); // another one meanwhile is lost
    work.run();
    EXPECT_EQ(control(), 0U);
    EXPECT_EQ(target(300'000), large);
    describe(kRead, 0xffff'ffff, kTarget); // zeros, up to the end of its memory
    set(0x10, __builtin_bswap64(kDescriptor), Width::b8);
    work.run();
    EXPECT_EQ(control(), kError);
}

TEST_F(FwCfgTest, NonsenseIsAnErrorInTheControlWordOrNothing) {
    EXPECT_EQ(dma(kWrite, 4), kError) << "no item may be written";
    EXPECT_EQ(dma(kRead, 4, 0x1000'0000), kError) << "no memory there";
    EXPECT_EQ(dma(kRead, 4, 0), kError) << "ROM";
    EXPECT_EQ(dma(kRead, 4, ~u64{0} - 1), kError);
    EXPECT_EQ(dma(0, 4), 0U) << "nothing to do";
    EXPECT_EQ(dma(fw_cfg_key::kSignature << 16 | kSelect | kRead, 4, kTarget, kDescriptor + 1), 0U) << "an odd address";
    set(0x10, __builtin_bswap64(0x1000'0000), Width::b8); // a descriptor that is nowhere
    set(0x10, 0, Width::b8);
    work.run();
    EXPECT_FALSE(device->state().busy);
    EXPECT_EQ(dma(fw_cfg_key::kSignature << 16 | kSelect | kRead, 4), 0U) << "and it goes on";
}

TEST_F(FwCfgTest, AResetForgetsWhatWasBegun) {
    ASSERT_TRUE(device->add(fw_cfg_key::kKernelData, large));
    describe(fw_cfg_key::kKernelData << 16 | kSelect | kRead, 300'000, kTarget);
    set(0x10, __builtin_bswap64(kDescriptor), Width::b8);
    EXPECT_EQ(work.step(1000), 0U);
    device->reset();
    EXPECT_FALSE(work.any_wanted());
    EXPECT_EQ(device->state(), FwCfg::State{});
    select(fw_cfg_key::kSignature);
    EXPECT_EQ(bytes(4), "QEMU");
}

TEST_F(FwCfgTest, SaysWhenThereAreTooMany) {
    while (device->add(0x40, large)) {
    }
    EXPECT_FALSE(device->add_number(0x41, 1, 4));
    work.room = 1;
    FwCfg other(port, work, LockMode::none);
    EXPECT_FALSE(other.connect());
}

TEST_F(FwCfgTest, RamAtFirstTouchComesAPartAStep) {
    constexpr u64 kDemand = 0x8000'0000;
    ASSERT_TRUE(memory.add(test::range(kDemand, 6 * kMiB), RegionKind::demand_ram));
    ASSERT_TRUE(device->add(0x77, large));
    describe(kRead | kSelect | 0x77u << 16, static_cast<u32>(large.size()), kDemand + 4 * kMiB - 0x1000);
    set(0x10, __builtin_bswap64(kDescriptor), Width::b8);
    u32 steps = 0;
    for (; work.any_wanted(); ++steps) {
        const u64 before = space.cleaned_bytes();
        work.step();
        ASSERT_LE(space.cleaned_bytes() - before, 256 * kKiB);
    }
    EXPECT_GT(steps, 2U * 8);
    EXPECT_EQ(control(), 0U);
    std::vector<u8> there(large.size());
    EXPECT_TRUE(memory.read(Gpa{kDemand + 4 * kMiB - 0x1000}, there));
    EXPECT_EQ(there, large);

    // Nor does its own control word come all at once.
    set(0x10, __builtin_bswap64(kDemand), Width::b8);
    for (steps = 0; work.any_wanted(); ++steps) {
        const u64 before = space.cleaned_bytes();
        work.step();
        ASSERT_LE(space.cleaned_bytes() - before, 256 * kKiB);
    }
    EXPECT_EQ(steps, 8U + 1);
}

} // namespace
} // namespace sel4vm::dev
