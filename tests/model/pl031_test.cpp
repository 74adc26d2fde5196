// SPDX-License-Identifier: BSD-2-Clause
//
// PL031 against DDI 0224: the counter, the alarm, and where its time comes from.
#include <gtest/gtest.h>
#include <sel4vm/dev/pl031/pl031.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>

namespace sel4vm::dev {
namespace {

enum : u64 { dr = 0x00, mr = 0x04, lr = 0x08, cr = 0x0c, imsc = 0x10, ris = 0x14, mis = 0x18, icr = 0x1c };
constexpr u32 kIntid = 34;
constexpr u64 kSecond = 62'500'000;
constexpr u32 kNow = 1'790'000'000;

struct Pl031Test : testing::Test {
    Pl031Test() {
        clock.set(12'345);
        clock.set_wall_clock(kNow);
    }
    u64 get(u64 offset) { return *rtc().read(Access{offset, Width::b4, VcpuId{0}}); }
    void set(u64 offset, u64 value) { ASSERT_TRUE(rtc().write(Access{offset, Width::b4, VcpuId{0}}, value)); }
    Pl031 &rtc() {
        if (!rtc_)
            rtc_.emplace(IrqLine(chip, kIntid), clock, timeouts.queue());
        return *rtc_;
    }
    fake::Clock clock;
    test::ManualTimeouts timeouts{clock};
    test::RecordingIrqs chip;
    std::optional<Pl031> rtc_;
};

TEST_F(Pl031Test, CountsSecondsFromTheHostsWallClock) {
    EXPECT_EQ(get(dr), kNow);
    timeouts.advance(kSecond - 1);
    EXPECT_EQ(get(dr), kNow);
    timeouts.advance(1);
    EXPECT_EQ(get(dr), kNow + 1);
    clock.set_wall_clock(5);
    EXPECT_EQ(get(dr), kNow + 1) << "a host whose time is set does not make the guest's jump";
}

TEST_F(Pl031Test, StartsAtTheFixedEpochWhereTheHostHasNoTime) {
    clock.set_wall_clock(0);
    EXPECT_EQ(get(dr), 1'767'225'600u);
}

TEST_F(Pl031Test, LoadSetsTheTimeAndSurvivesAReset) {
    set(lr, 1000);
    EXPECT_EQ(get(lr), 1000u);
    timeouts.advance(3 * kSecond);
    EXPECT_EQ(get(dr), 1003u);
    rtc().reset();
    EXPECT_EQ(get(dr), 1003u);
    EXPECT_EQ(get(lr), 0u);
}

TEST_F(Pl031Test, NarrowAccessesSeeTheirPartOfARegister) {
    set(lr, 0x1234'5678);
    EXPECT_EQ(*rtc().read(Access{lr, Width::b1, VcpuId{0}}), 0x78u);
    EXPECT_EQ(*rtc().read(Access{lr + 2, Width::b2, VcpuId{0}}), 0x1234u);
    ASSERT_TRUE(rtc().write(Access{imsc, Width::b1, VcpuId{0}}, 1));
    EXPECT_EQ(get(imsc), 1u);
    ASSERT_TRUE(rtc().write(Access{ris, Width::b1, VcpuId{0}}, 0xff));
    EXPECT_EQ(*rtc().read(Access{ris, Width::b1, VcpuId{0}}), 0u);
    EXPECT_FALSE(rtc().read(Access{dr, Width::b8, VcpuId{0}}));
}

TEST_F(Pl031Test, TheAlarmRaisesTheLineExactlyWhenTheCounterMatches) {
    set(imsc, 1);
    set(mr, kNow + 10);
    EXPECT_EQ(timeouts.earliest(), 12'345 + 10 * kSecond);
    timeouts.advance(10 * kSecond - 1);
    EXPECT_FALSE(chip.high(kIntid));
    timeouts.advance(1);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(dr), kNow + 10);
    EXPECT_EQ(get(ris), 1u);
    EXPECT_EQ(get(mis), 1u);
    set(icr, 0);
    EXPECT_TRUE(chip.high(kIntid));
    set(icr, 1);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(get(ris), 0u);
}

TEST_F(Pl031Test, AMaskedAlarmIsRememberedInTheRawStatus) {
    set(mr, kNow + 1);
    timeouts.advance(kSecond);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(get(ris), 1u);
    EXPECT_EQ(get(mis), 0u);
    set(imsc, 1);
    EXPECT_TRUE(chip.high(kIntid));
    set(imsc, 0);
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl031Test, AMatchWithThePresentFiresAtOnceAndOneInThePastAfterTheWrap) {
    set(imsc, 1);
    set(mr, kNow);
    EXPECT_TRUE(chip.high(kIntid));
    set(icr, 1);
    set(mr, kNow - 1);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(timeouts.earliest(), 12'345 + 0xffff'ffff * kSecond);
}

TEST_F(Pl031Test, SettingTheTimeMovesTheAlarm) {
    set(imsc, 1);
    set(mr, 2000);
    set(lr, 1999);
    timeouts.advance(kSecond);
    EXPECT_TRUE(chip.high(kIntid));
}

TEST_F(Pl031Test, TheCounterWrapsAtThirtyTwoBits) {
    set(lr, 0xffff'ffff);
    set(mr, 1);
    set(imsc, 1);
    timeouts.advance(kSecond);
    EXPECT_EQ(get(dr), 0u);
    EXPECT_FALSE(chip.high(kIntid));
    timeouts.advance(kSecond);
    EXPECT_TRUE(chip.high(kIntid));
}

TEST_F(Pl031Test, IsAlwaysStartedAndIdentifiesItself) {
    EXPECT_EQ(get(cr), 1u);
    set(cr, 0);
    EXPECT_EQ(get(cr), 1u);
    u64 id = 0;
    for (u64 i = 0; i < 8; ++i)
        id |= get(0xfe0 + 4 * i) << (8 * i);
    EXPECT_EQ(id, 0xb105'f00d'0014'1031u);
}

TEST_F(Pl031Test, ResetDropsAlarmMaskAndLine) {
    set(imsc, 1);
    set(mr, kNow);
    EXPECT_TRUE(chip.high(kIntid));
    set(mr, kNow + 5);
    rtc().reset();
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_FALSE(timeouts.earliest().has_value());
    EXPECT_EQ(get(mr), 0u);
    EXPECT_EQ(get(imsc), 0u);
}

TEST_F(Pl031Test, ASavedAlarmStillFires) {
    set(imsc, 1);
    set(mr, kNow + 3);
    const Pl031::State state = rtc().state();
    rtc().reset();
    rtc().restore(state);
    EXPECT_EQ(rtc().state(), state);
    timeouts.advance(3 * kSecond);
    EXPECT_TRUE(chip.high(kIntid));
}

TEST_F(Pl031Test, GoingAwayDisarmsItsTimeout) {
    set(mr, kNow + 3);
    ASSERT_TRUE(timeouts.earliest().has_value());
    rtc_.reset();
    EXPECT_FALSE(timeouts.earliest().has_value());
}

} // namespace
} // namespace sel4vm::dev
