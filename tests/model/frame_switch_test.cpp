// SPDX-License-Identifier: BSD-2-Clause
//
// The switch between network devices: who gets which frame, with receivers that write down what they are given.
#include <sel4vm/dev/frame_switch/frame_switch.hpp>

#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <support/net_station.hpp>

namespace sel4vm::dev {
namespace {

using test::net::kBroadcast;
using test::net::mac;

struct Listener final : NetReceiver {
    NetTaken receive(const NetFrame &frame, u64 &left_bytes) override {
        left_bytes -= std::min<u64>(left_bytes, frame.size_bytes);
        if (answer == NetTaken::taken)
            from.push_back(frame.from());
        return answer;
    }
    void burst_ended() override { ++bursts; }
    void net_space() override {}
    std::vector<MacAddress> take() { return std::exchange(from, {}); }
    NetTaken answer = NetTaken::taken;
    std::vector<MacAddress> from;
    int bursts = 0;
};

struct FrameSwitchTest : testing::Test {
    FrameSwitch::Port &join(Listener &listener, SwitchPortOptions options) {
        FrameSwitch::Port *const port = lan.join(options);
        EXPECT_NE(port, nullptr);
        port->connect(&listener);
        return *port;
    }
    /// What it took.
    u64 send(FrameSwitch::Port &port, const MacAddress &to, const MacAddress &from) {
        NetFrame frame;
        for (usize i = 0; i < 6; ++i) {
            frame.header[i] = to.bytes[i];
            frame.header[6 + i] = from.bytes[i];
        }
        frame.size_bytes = 100;
        u64 left = 100'000;
        last = port.send(frame, left);
        port.end_burst();
        return 100'000 - left;
    }
    using Macs = std::vector<MacAddress>;
    fake::Clock clock;
    FrameSwitch lan{clock};
    Listener a, b, c;
    NetSent last = NetSent::done;
};

TEST_F(FrameSwitchTest, AFrameGoesToThePortWhoseAddressItHasAndToNoOther) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    join(c, {mac(3)});
    EXPECT_EQ(send(first, mac(2), mac(1)), 100U);
    EXPECT_EQ(b.take(), Macs{mac(1)});
    EXPECT_EQ(b.bursts, 1);
    EXPECT_TRUE(a.from.empty());
    EXPECT_TRUE(c.from.empty());
    EXPECT_EQ(c.bursts, 0);
    EXPECT_EQ(first.counters().sent.value(), 1U);
    EXPECT_EQ(second.counters().received.value(), 1U);
    send(first, mac(1), mac(1));
    EXPECT_TRUE(a.from.empty()) << "never back";
    EXPECT_EQ(first.counters().undelivered.value(), 1U);
}

TEST_F(FrameSwitchTest, GroupsAndStrangersGoToAllOthersAndAreCharged) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    join(b, {mac(2)});
    join(c, {mac(3)});
    for (const MacAddress &to : {kBroadcast, MacAddress{{0x33, 0x33, 0, 0, 0, 1}}, mac(9)}) {
        EXPECT_EQ(send(first, to, mac(1)), 200U);
        EXPECT_EQ(b.take(), Macs{mac(1)});
        EXPECT_EQ(c.take(), Macs{mac(1)});
    }
    send(first, {{0x01, 0x80, 0xc2, 0, 0, 0x0e}}, mac(1));
    EXPECT_TRUE(b.from.empty()) << "for the next bridge only";
    send(first, {{0x01, 0x80, 0xc2, 0, 0, 0x10}}, mac(1));
    EXPECT_EQ(b.take().size(), 1U);
}

TEST_F(FrameSwitchTest, AnAddressIsLearntWhereItSendsLast) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    FrameSwitch::Port &third = join(c, {mac(3)});
    send(second, mac(1), mac(20));
    EXPECT_EQ(a.take(), Macs{mac(20)});
    send(first, mac(20), mac(1));
    EXPECT_EQ(b.take().size(), 1U);
    EXPECT_TRUE(c.from.empty());
    send(third, mac(1), mac(20));
    send(first, mac(20), mac(1));
    EXPECT_EQ(c.take().size(), 1U);
    EXPECT_TRUE(b.from.empty());
}

TEST_F(FrameSwitchTest, WhatWasNotSeenForLongIsUnknown) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    join(c, {mac(3)});
    send(second, mac(1), mac(20));
    clock.advance(AddressTable::kMaxAgeSeconds * clock.ticks_per_second());
    send(first, mac(20), mac(1));
    EXPECT_TRUE(c.take().empty());
    clock.advance(1);
    send(first, mac(20), mac(1));
    EXPECT_EQ(c.take().size(), 1U);
}

TEST_F(FrameSwitchTest, ManyAddressesPushOutOldOnesAndNoPortsOwn) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    join(c, {mac(3)});
    send(second, mac(1), mac(20));
    for (u32 n = 0; n < 4000; ++n) {
        clock.advance(1);
        send(second, mac(1), {{0x06, 0, 0, static_cast<u8>(n >> 8), static_cast<u8>(n), 7}});
    }
    a.take();
    send(first, mac(20), mac(1));
    EXPECT_EQ(c.take().size(), 1U) << "forgotten: to all";
    b.take();
    send(first, mac(3), mac(1));
    EXPECT_EQ(c.take().size(), 1U);
    EXPECT_TRUE(b.from.empty());
}

TEST_F(FrameSwitchTest, NobodySendsWithAnotherPortsAddressOrAGroups) {
    join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    FrameSwitch::Port &third = join(c, {mac(3)});
    for (const MacAddress &from : {mac(1), kBroadcast, MacAddress{}})
        send(second, mac(3), from);
    EXPECT_TRUE(c.from.empty());
    EXPECT_EQ(second.counters().refused.value(), 3U);
    send(third, mac(1), mac(3));
    EXPECT_EQ(a.take(), Macs{mac(3)}) << "the address is the port's still";
    EXPECT_TRUE(b.from.empty());
}

TEST_F(FrameSwitchTest, APortWithAFilterSendsWithItsOwnAddressOnly) {
    FrameSwitch::Port &first = join(a, {.mac = mac(1), .mac_filter = true});
    join(b, {mac(2)});
    send(first, mac(2), mac(20));
    EXPECT_TRUE(b.from.empty());
    EXPECT_EQ(first.counters().refused.value(), 1U);
    send(first, mac(2), mac(1));
    EXPECT_EQ(b.take().size(), 1U);
}

TEST_F(FrameSwitchTest, IsolatedPortsReachOnlyThoseThatAreNot) {
    FrameSwitch::Port &first = join(a, {.mac = mac(1), .isolated = true});
    join(b, {.mac = mac(2), .isolated = true});
    FrameSwitch::Port &third = join(c, {mac(3)});
    send(first, mac(2), mac(1));
    EXPECT_TRUE(b.from.empty());
    send(first, kBroadcast, mac(1));
    EXPECT_TRUE(b.from.empty());
    EXPECT_EQ(c.take().size(), 1U);
    send(third, kBroadcast, mac(3));
    EXPECT_EQ(a.take().size(), 1U);
    EXPECT_EQ(b.take().size(), 1U);
}

TEST_F(FrameSwitchTest, WhoHasNoRoomLosesTheFrameAndItIsCounted) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    b.answer = NetTaken::no_room;
    send(first, mac(2), mac(1));
    EXPECT_EQ(last, NetSent::done);
    EXPECT_EQ(second.counters().no_room.value(), 1U);
    EXPECT_EQ(first.counters().undelivered.value(), 1U);
    b.answer = NetTaken::bad_memory;
    send(first, mac(2), mac(1));
    EXPECT_EQ(last, NetSent::bad_memory);
}

TEST_F(FrameSwitchTest, WhoLeavesGetsNothingAndItsPlaceIsFreeForAnother) {
    FrameSwitch::Port &first = join(a, {mac(1)});
    FrameSwitch::Port &second = join(b, {mac(2)});
    send(second, mac(1), mac(20));
    EXPECT_EQ(lan.join({mac(2)}), nullptr) << "its address is in use";
    lan.leave(second);
    a.take();
    join(c, {mac(3)});
    send(first, mac(2), mac(1));
    send(first, mac(20), mac(1));
    EXPECT_TRUE(b.from.empty());
    EXPECT_EQ(c.take().size(), 2U) << "both are unknown";
    EXPECT_FALSE(lan.empty());
}

TEST_F(FrameSwitchTest, HasSoManyPortsAndNoMore) {
    for (u8 n = 0; n < FrameSwitch::kMaxPorts; ++n)
        EXPECT_NE(lan.join({mac(n)}), nullptr);
    EXPECT_EQ(lan.join({mac(99)}), nullptr);
}

} // namespace
} // namespace sel4vm::dev
