// SPDX-License-Identifier: BSD-2-Clause
//
// The flash bank against JESD68.01 and Intel's command set: what a driver that probes, programs and erases sees.
#include <sel4vm/dev/cfi_flash/cfi_flash.hpp>

#include <gtest/gtest.h>
#include <support/array_rom.hpp>

namespace sel4vm::dev {
namespace {

constexpr u64 kBank = 4 * CfiFlash::kBlockBytes;

struct CfiFlashTest : testing::Test {
    u64 get(u64 offset, Width width = Width::b4) { return *flash.read(Access{offset, width, VcpuId{0}}); }
    void set(u64 offset, u64 value, Width width = Width::b4) {
        ASSERT_TRUE(flash.write(Access{offset, width, VcpuId{0}}, value));
    }
    /// Both chips.
    void command(u64 offset, u32 code) { set(offset, code * 0x1'0001); }
    u64 status() {
        command(0, 0x70);
        return get(0);
    }
    void program(u64 offset, u32 value) {
        command(offset, 0x40);
        set(offset, value);
    }
    u32 cell(u64 offset) {
        command(0, 0xff);
        return static_cast<u32>(get(offset));
    }

    test::ArrayRom rom{kBank};
    CfiFlash flash{rom, CfiFlash::Writes::allowed};
};

constexpr u64 kReady = 0x0080'0080;

TEST_F(CfiFlashTest, ReadsItsMemoryAtEveryWidthUntilItIsToldOtherwise) {
    rom.bytes[8] = 0x11;
    rom.bytes[9] = 0x22;
    EXPECT_EQ(get(8, Width::b1), 0x11U);
    EXPECT_EQ(get(8, Width::b2), 0x2211U);
    EXPECT_EQ(get(8), 0xffff'2211U);
    EXPECT_EQ(get(8, Width::b8), 0xffff'ffff'ffff'2211U);
    set(8, 0x1234'5678); // no command
    EXPECT_EQ(get(8), 0xffff'2211U);
    EXPECT_TRUE(rom.shown);
    EXPECT_EQ(rom.changes, 0U);
}

TEST_F(CfiFlashTest, IsHiddenExactlyWhileReadsSeeSomethingElse) {
    for (const u32 code : {0x90U, 0x98U, 0x70U, 0x20U, 0x40U, 0x10U, 0x60U, 0xe8U}) {
        command(0, code);
        EXPECT_FALSE(rom.shown) << code;
        flash.reset();
        EXPECT_TRUE(rom.shown) << code;
    }
    rom.changes = 0;
    command(0, 0x90);
    command(0, 0x98);
    command(0, 0x70);
    command(0, 0xff);
    EXPECT_EQ(rom.changes, 2U);
}

TEST_F(CfiFlashTest, IsFoundByAProbe) {
    command(0x55 * 4, 0x98);
    EXPECT_EQ(get(0x10 * 4), u64{'Q'} * 0x1'0001);
    EXPECT_EQ(get(0x11 * 4), u64{'R'} * 0x1'0001);
    EXPECT_EQ(get(0x12 * 4), u64{'Y'} * 0x1'0001);
    const auto field = [this](u64 at, unsigned bytes) {
        u64 value = 0;
        for (unsigned i = 0; i < bytes; ++i)
            value |= (get((at + i) * 4) & 0xff) << (8 * i);
        return value;
    };
    EXPECT_EQ(field(0x13, 2), 1U) << "Intel's commands";
    EXPECT_EQ(u64{2} << field(0x27, 1), kBank) << "two chips";
    EXPECT_EQ(field(0x28, 2), 1U) << "16 bits wide";
    EXPECT_EQ(u64{2} << field(0x2a, 2), u64{CfiFlash::kBufferBytes});
    EXPECT_EQ(field(0x2c, 1), 1U) << "blocks of one size";
    EXPECT_EQ(field(0x2d, 2), kBank / CfiFlash::kBlockBytes - 1);
    EXPECT_EQ(field(0x2f, 2) * 256 * 2, CfiFlash::kBlockBytes);
    const u64 extended = field(0x15, 2);
    EXPECT_EQ(field(extended, 3), u64{'P'} | u64{'R'} << 8 | u64{'I'} << 16);
    EXPECT_EQ(get(0x10 * 4, Width::b1), u64{'Q'});
    EXPECT_EQ(get(0x10 * 4 + 1, Width::b1), 0U) << "the upper byte of a 16-bit chip";
    EXPECT_EQ(get(0x10 * 4 + 2, Width::b2), u64{'Q'});
    EXPECT_EQ(get(0x10 * 4, Width::b8), u64{'R'} << 48 | u64{'R'} << 32 | u64{'Q'} << 16 | u64{'Q'});
    EXPECT_EQ(get(kBank - 4), 0U);
}

TEST_F(CfiFlashTest, IdentifiesItselfAndItsUnlockedBlocks) {
    command(0, 0x90);
    EXPECT_EQ(get(0), 0x0089'0089U);
    EXPECT_EQ(get(4), 0x001d'001dU);
    EXPECT_EQ(get(CfiFlash::kBlockBytes + 8), 0U);
    command(0, 0xf0); // as a driver of the other command set leaves
    EXPECT_EQ(get(0), 0xffff'ffffU);
}

TEST_F(CfiFlashTest, ProgrammingClearsBitsAndErasingABlockSetsThem) {
    program(CfiFlash::kBlockBytes + 4, 0x00ff'ff00);
    EXPECT_EQ(get(0), kReady);
    program(CfiFlash::kBlockBytes + 4, 0xf0f0'f0f0);
    EXPECT_EQ(cell(CfiFlash::kBlockBytes + 4), 0x00f0'f000U);
    program(0, 0);
    command(CfiFlash::kBlockBytes + 0x100, 0x20);
    command(CfiFlash::kBlockBytes + 0x100, 0xd0);
    EXPECT_EQ(status(), kReady);
    EXPECT_EQ(cell(CfiFlash::kBlockBytes + 4), 0xffff'ffffU);
    EXPECT_EQ(cell(0), 0U) << "another block";
}

TEST_F(CfiFlashTest, ANarrowWriteProgramsItsBytes) {
    command(0, 0x10);
    set(2, 0x1234, Width::b2);
    EXPECT_EQ(cell(0), 0x1234'ffffU);
    command(0, 0x10);
    set(1, 0x56, Width::b1);
    EXPECT_EQ(cell(0), 0x1234'56ffU);
}

TEST_F(CfiFlashTest, AWideWriteIsTwoCyclesOfTheBus) {
    set(0, 0x0040'0040, Width::b4);
    set(0, 0x0070'0070'1234'5678, Width::b8);
    EXPECT_EQ(get(0), kReady) << "the second half was a command";
    EXPECT_EQ(cell(0), 0x1234'5678U);
    EXPECT_EQ(cell(4), 0xffff'ffffU);
}

TEST_F(CfiFlashTest, TheWriteBufferIsProgrammedWhenItIsConfirmed) {
    command(0x200, 0xe8);
    EXPECT_EQ(get(0x200), kReady) << "there is a buffer";
    command(0x200, 2); // three words
    set(0x200, 0x1111'1111);
    set(0x208, 0x3333'3333);
    set(0x204, 0x2222'2222);
    EXPECT_EQ(rom.bytes[0x200], 0xff) << "not yet";
    command(0x200, 0xd0);
    EXPECT_EQ(get(0), kReady);
    EXPECT_EQ(cell(0x200), 0x1111'1111U);
    EXPECT_EQ(cell(0x204), 0x2222'2222U);
    EXPECT_EQ(cell(0x208), 0x3333'3333U);
    EXPECT_EQ(cell(0x20c), 0xffff'ffffU);
}

TEST_F(CfiFlashTest, AWholeBufferFits) {
    command(0, 0xe8);
    command(0, CfiFlash::kBufferBytes / 4 - 1);
    for (u32 at = 0; at < CfiFlash::kBufferBytes; at += 4)
        set(at, at);
    command(0, 0xd0);
    EXPECT_EQ(get(0), kReady);
    EXPECT_EQ(cell(CfiFlash::kBufferBytes - 4), CfiFlash::kBufferBytes - 4);
    EXPECT_EQ(cell(CfiFlash::kBufferBytes), 0xffff'ffffU);
}

TEST_F(CfiFlashTest, AWrongSequenceChangesNothingAndIsSeenUntilItIsCleared) {
    constexpr u64 kError = 0x00b0'00b0;
    const auto expect_error = [&](const char *what) {
        EXPECT_EQ(get(0), kError) << what;
        EXPECT_EQ(status(), kError) << what;
        command(0, 0x50);
        EXPECT_EQ(status(), kReady) << what;
        EXPECT_EQ(rom.bytes, std::vector<u8>(kBank, 0xff)) << what;
    };
    command(0, 0x20);
    command(0, 0xff);
    expect_error("an erase that is not confirmed");
    command(0, 0xe8);
    command(0, CfiFlash::kBufferBytes / 4);
    expect_error("more words than the buffer has");
    command(0, 0xe8);
    command(0, 0);
    set(0, 0);
    command(0, 0xff);
    expect_error("a buffer that is not confirmed");
    command(0x100, 0xe8);
    command(0x100, 1);
    set(0x100, 0);
    set(0x108, 0);
    expect_error("a word outside of the buffer");
    command(CfiFlash::kBlockBytes - 4, 0xe8);
    command(CfiFlash::kBlockBytes - 4, 1);
    set(CfiFlash::kBlockBytes - 4, 0);
    set(CfiFlash::kBlockBytes, 0);
    expect_error("a buffer that leaves its block");
    command(kBank - 4, 0xe8);
    command(kBank - 4, 1);
    set(kBank - 4, 0);
    set(kBank - 8, 0);
    expect_error("a word before the buffer");
}

TEST_F(CfiFlashTest, ADriverOfOneChipOf16BitsFillsTheLastBufferOfABlock) {
    constexpr u64 kFrom = CfiFlash::kBlockBytes - 8;
    set(kFrom, 0xe8, Width::b2);
    set(kFrom, 3, Width::b2); // four halves
    for (u64 at = kFrom; at < CfiFlash::kBlockBytes; at += 2)
        set(at, at & 0xffff, Width::b2);
    set(kFrom, 0xd0, Width::b2);
    EXPECT_EQ(get(0), kReady);
    EXPECT_EQ(cell(kFrom), 0xfffa'fff8U);
    EXPECT_EQ(cell(kFrom + 4), 0xfffe'fffcU);
    EXPECT_EQ(cell(CfiFlash::kBlockBytes), 0xffff'ffffU);
}

TEST_F(CfiFlashTest, ALockedBankRefusesEveryChange) {
    CfiFlash locked{rom, CfiFlash::Writes::locked};
    const auto write = [&](u64 offset, u64 value) {
        ASSERT_TRUE(locked.write(Access{offset, Width::b4, VcpuId{0}}, value));
    };
    const auto read = [&](u64 offset) { return *locked.read(Access{offset, Width::b4, VcpuId{0}}); };
    write(0, 0x40);
    write(0, 0);
    EXPECT_EQ(read(0), 0x0092'0092U);
    write(0, 0x50);
    write(0, 0x20);
    write(0, 0xd0);
    EXPECT_EQ(read(0), 0x00a2'00a2U);
    write(0, 0x50);
    write(0, 0x60); // unlocked, it says, and is not
    write(0, 0xd0);
    EXPECT_EQ(read(0), kReady);
    write(0, 0x90);
    EXPECT_EQ(read(8), 0x0001'0001U);
    EXPECT_EQ(rom.bytes, std::vector<u8>(kBank, 0xff));
}

TEST_F(CfiFlashTest, AResetKeepsWhatItHolds) {
    program(0, 0x1234'5678);
    command(0, 0x20);
    flash.reset();
    EXPECT_EQ(flash.state(), CfiFlash::State{});
    EXPECT_EQ(get(0), 0x1234'5678U);
}

TEST_F(CfiFlashTest, AStateGoesOnAfterItsRestore) {
    command(0x200, 0xe8);
    command(0x200, 1);
    set(0x200, 0x1111'1111);
    const CfiFlash::State saved = flash.state();
    flash.reset();
    flash.restore(saved);
    EXPECT_FALSE(rom.shown);
    set(0x204, 0x2222'2222);
    command(0x200, 0xd0);
    EXPECT_EQ(cell(0x200), 0x1111'1111U);
    EXPECT_EQ(cell(0x204), 0x2222'2222U);
}

TEST_F(CfiFlashTest, NonsenseInASavedStateIsMadeValid) {
    CfiFlash::State state;
    state.mode = static_cast<CfiFlash::Mode>(200);
    state.status = 0xff;
    flash.restore(state);
    EXPECT_EQ(flash.state().mode, CfiFlash::Mode::array);
    EXPECT_EQ(flash.state().status, 0xb2);
    for (const auto mode : {CfiFlash::Mode::buffer_data, CfiFlash::Mode::buffer_confirm}) {
        state.mode = mode;
        state.words_left = state.buffer_words = state.buffer_from = 0xffff'ffff;
        flash.restore(state);
        set(kBank - 4, 0xd0);
        set(kBank - 4, 0xd0); // it stays in its memory, which says so otherwise
    }
    state.mode = CfiFlash::Mode::buffer_data;
    state.words_left = 0;
    flash.restore(state);
    EXPECT_EQ(flash.state().mode, CfiFlash::Mode::status);
}

} // namespace
} // namespace sel4vm::dev
