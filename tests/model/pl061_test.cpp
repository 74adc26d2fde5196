// SPDX-License-Identifier: BSD-2-Clause
//
// PL061 against DDI 0190: registers, pins and interrupts, and the power button.
#include <sel4vm/dev/pl061/pl061.hpp>

#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <optional>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>

namespace sel4vm::dev {
namespace {

constexpr u32 kIntid = 39;
constexpr u64 dir = 0x400, is = 0x404, ibe = 0x408, iev = 0x40c, ie = 0x410, ris = 0x414, mis = 0x418, ic = 0x41c,
              afsel = 0x420;
constexpr u64 kButton = 1U << Pl061::kButtonPin;

/// Where an access to the pins of `mask` goes.
constexpr u64 data(u64 mask) { return mask << 2; }

struct Pl061Test : testing::Test {
    u64 get(u64 offset, Width width = Width::b4) { return *gpio->read(Access{offset, width, VcpuId{0}}); }
    void set(u64 offset, u64 value, Width width = Width::b4) {
        ASSERT_TRUE(gpio->write(Access{offset, width, VcpuId{0}}, value));
    }
    /// As whoever presses, and then the executor.
    void press() {
        gpio->press();
        timeouts.advance(0);
    }
    u64 ms(u64 count) { return clock.ticks_per_second() / 1000 * count; }
    test::RecordingIrqs chip;
    fake::Clock clock;
    test::ManualTimeouts timeouts{clock};
    std::optional<Pl061> gpio{std::in_place, IrqLine(chip, kIntid), clock, timeouts.queue()};
};

TEST_F(Pl061Test, RegistersKeepEightBitsAndAreZeroAfterReset) {
    for (const u64 offset : {dir, is, ibe, iev, ie, afsel}) {
        EXPECT_EQ(get(offset), 0U) << offset;
        set(offset, 0xfff);
        EXPECT_EQ(get(offset), 0xffU) << offset;
    }
    gpio->reset();
    EXPECT_EQ(gpio->state(), Pl061::State{});
}

TEST_F(Pl061Test, IdentifiesItself) {
    const u64 expected[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (u64 i = 0; i < 8; ++i)
        EXPECT_EQ(get(0xfe0 + 4 * i), expected[i]) << i;
}

TEST_F(Pl061Test, AWriteOfDataChangesTheChosenOutputsAndNothingElse) {
    set(dir, 0xf0);
    set(data(0xff), 0xff);
    EXPECT_EQ(get(data(0xff)), 0xf0U) << "inputs are not written";
    set(data(0x30), 0x10);
    EXPECT_EQ(get(data(0xff)), 0xd0U);
    EXPECT_EQ(get(data(0x50)), 0x50U);
    EXPECT_EQ(get(data(0)), 0U);
}

TEST_F(Pl061Test, NarrowAccessesSeeTheirPart) {
    set(dir, 0xff, Width::b1);
    set(data(0xff), 0xa5, Width::b2);
    EXPECT_EQ(get(data(0xff), Width::b1), 0xa5U);
    EXPECT_EQ(get(data(0xff) + 2, Width::b2), 0U);
    EXPECT_FALSE(gpio->read(Access{dir, Width::b8, VcpuId{0}}));
}

TEST_F(Pl061Test, APressIsSeenAtThePinForAHundredMilliseconds) {
    press();
    EXPECT_EQ(get(data(0xff)), kButton);
    timeouts.advance(ms(99));
    EXPECT_EQ(get(data(kButton)), kButton);
    timeouts.advance(ms(1));
    EXPECT_EQ(get(data(0xff)), 0U);
}

TEST_F(Pl061Test, APressDuringAPressHoldsItLonger) {
    press();
    timeouts.advance(ms(60));
    press();
    timeouts.advance(ms(60));
    EXPECT_EQ(get(data(0xff)), kButton);
    timeouts.advance(ms(40));
    EXPECT_EQ(get(data(0xff)), 0U);
}

// As Linux's gpio-keys: an interrupt on both edges, each cleared by its handler.
TEST_F(Pl061Test, BothEdgesInterruptUntilTheyAreCleared) {
    set(ibe, kButton);
    set(ie, kButton);
    press();
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(mis), kButton);
    set(ic, kButton);
    EXPECT_FALSE(chip.high(kIntid));
    timeouts.advance(ms(100));
    EXPECT_TRUE(chip.high(kIntid));
    set(ic, static_cast<u64>(~kButton));
    EXPECT_TRUE(chip.high(kIntid)) << "only what is named is cleared";
    set(ic, kButton);
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl061Test, OneEdgeIsChosenByTheEventRegister) {
    press();
    EXPECT_EQ(get(ris), 0U) << "falling after reset";
    timeouts.advance(ms(100));
    EXPECT_EQ(get(ris), kButton);
    set(ic, 0xff);
    set(iev, 0xff);
    press();
    EXPECT_EQ(get(ris), kButton);
    set(ic, 0xff);
    timeouts.advance(ms(100));
    EXPECT_EQ(get(ris), 0U);
}

TEST_F(Pl061Test, ALevelInterruptFollowsThePinAndIsNotCleared) {
    set(is, kButton);
    set(iev, kButton);
    set(ie, kButton);
    press();
    EXPECT_TRUE(chip.high(kIntid));
    set(ic, 0xff);
    EXPECT_TRUE(chip.high(kIntid));
    timeouts.advance(ms(100));
    EXPECT_FALSE(chip.high(kIntid));
    set(iev, 0);
    EXPECT_TRUE(chip.high(kIntid)) << "a low level";
}

TEST_F(Pl061Test, AMaskedInterruptIsRememberedInTheRawStatus) {
    set(ibe, kButton);
    press();
    EXPECT_EQ(get(ris), kButton);
    EXPECT_EQ(get(mis), 0U);
    EXPECT_FALSE(chip.high(kIntid));
    set(ie, kButton);
    EXPECT_TRUE(chip.high(kIntid));
}

TEST_F(Pl061Test, AnOutputHidesTheButton) {
    set(dir, kButton);
    set(ibe, kButton);
    set(is, 0);
    press();
    EXPECT_EQ(get(data(kButton)), 0U);
    EXPECT_EQ(get(ris), 0U);
}

TEST_F(Pl061Test, AResetLetsTheButtonGoAndLowersTheLine) {
    set(ibe, kButton);
    set(ie, kButton);
    press();
    gpio->reset();
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_FALSE(timeouts.earliest());
    EXPECT_EQ(get(data(0xff)), 0U);
}

TEST_F(Pl061Test, ASavedPressEndsAndPinsThatDoNotExistAreDropped) {
    set(ibe, kButton);
    set(ie, kButton);
    press();
    Pl061::State state = gpio->state();
    gpio->reset();
    state.inputs = 0xff;
    gpio->restore(state);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(data(0xff)), kButton);
    timeouts.advance(ms(100));
    EXPECT_EQ(get(data(0xff)), 0U);
    gpio->restore(Pl061::State{});
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl061Test, AResetTakesBackAPressThatWasNotCarriedOut) {
    gpio->press();
    gpio->reset();
    timeouts.advance(ms(1));
    EXPECT_EQ(get(data(0xff)), 0U);
}

TEST_F(Pl061Test, GoingAwayDisarmsItsTimeout) {
    press();
    gpio.reset();
    EXPECT_FALSE(timeouts.earliest());
}

} // namespace
} // namespace sel4vm::dev
