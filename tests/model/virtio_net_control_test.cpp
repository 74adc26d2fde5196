// SPDX-License-Identifier: BSD-2-Clause
//
// The control queue of the network device (Virtio 1.2, 5.1.6.5): which frames a driver gets.
#include <gtest/gtest.h>
#include <sel4vm/dev/frame_switch/frame_switch.hpp>
#include <support/net_station.hpp>

namespace sel4vm::dev {
namespace {

using namespace test::net;
using namespace virtio_net;
using test::NetStation;
namespace virtio = test::virtio;

Bytes table(const std::vector<MacAddress> &first, const std::vector<MacAddress> &second) {
    Bytes bytes;
    for (const auto *macs : {&first, &second}) {
        const u32 count = static_cast<u32>(macs->size());
        for (u32 i = 0; i < 4; ++i)
            bytes.push_back(static_cast<u8>(count >> (8 * i)));
        for (const MacAddress &one : *macs)
            bytes.insert(bytes.end(), one.bytes.begin(), one.bytes.end());
    }
    return bytes;
}

struct VirtioNetControlTest : testing::Test {
    VirtioNetControlTest() {
        a.begin(0);
        b.begin(kCtrlVq | kCtrlRx | kCtrlMacAddr);
    }
    /// Whether b gets one for it.
    bool gets(const MacAddress &to) {
        a.send(frame(to, mac(1)));
        const bool any = !b.received().empty();
        if (b.came_back(0) > 8)
            refill();
        return any;
    }
    void refill() {
        const State state = b.device.model().state();
        b.begin(kCtrlVq | kCtrlRx | kCtrlMacAddr);
        b.device.model().restore(state);
    }
    using State = VirtioNet::State;
    static constexpr MacAddress kGroup{{0x01, 0, 0x5e, 0, 0, 7}};
    fake::Clock clock;
    FrameSwitch lan{clock};
    FrameSwitch::Port &port_a = *lan.join({mac(1)});
    FrameSwitch::Port &port_b = *lan.join({mac(2)});
    NetStation a{port_a, mac(1), clock};
    NetStation b{port_b, mac(2), clock};
};

TEST_F(VirtioNetControlTest, EveryFrameIsWantedUntilTheDriverSaysWhich) {
    EXPECT_TRUE(gets(mac(77)));
    EXPECT_TRUE(gets(kGroup));
    EXPECT_EQ(b.command(kClassRx, kRxPromiscuous, {0}), kOk);
    EXPECT_FALSE(gets(mac(77)));
    EXPECT_FALSE(gets(kGroup));
    EXPECT_TRUE(gets(mac(2)));
    EXPECT_TRUE(gets(kBroadcast));
    EXPECT_EQ(b.command(kClassRx, kRxAllMulticast, {1}), kOk);
    EXPECT_TRUE(gets(kGroup));
    EXPECT_FALSE(gets(mac(77)));
    b.begin(kCtrlVq | kCtrlRx);
    EXPECT_TRUE(gets(mac(77))) << "after a reset";
}

TEST_F(VirtioNetControlTest, ATableSaysWhichBesides) {
    EXPECT_EQ(b.command(kClassRx, kRxPromiscuous, {0}), kOk);
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, table({mac(77), mac(78)}, {kGroup})), kOk);
    EXPECT_TRUE(gets(mac(77)));
    EXPECT_TRUE(gets(mac(78)));
    EXPECT_FALSE(gets(mac(79)));
    EXPECT_TRUE(gets(kGroup));
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, table({}, {})), kOk);
    EXPECT_FALSE(gets(mac(77)));
    EXPECT_FALSE(gets(kGroup));
}

TEST_F(VirtioNetControlTest, ATableThatIsTooLongWantsAllOfItsKind) {
    EXPECT_EQ(b.command(kClassRx, kRxPromiscuous, {0}), kOk);
    std::vector<MacAddress> many;
    for (u8 n = 0; n <= MacFilter::kMaxAddresses; ++n)
        many.push_back(mac(n));
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, table(many, {})), kOk);
    EXPECT_TRUE(gets(mac(200)));
    EXPECT_FALSE(gets(kGroup));
    for (MacAddress &one : many)
        one.bytes[0] = 1;
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, table({}, many)), kOk);
    EXPECT_TRUE(gets(kGroup));
    EXPECT_FALSE(gets(mac(200)));
}

TEST_F(VirtioNetControlTest, ADriverMayHaveAnotherAddress) {
    EXPECT_EQ(b.command(kClassRx, kRxPromiscuous, {0}), kOk);
    EXPECT_EQ(b.command(kClassMac, kMacAddressSet, {2, 0, 0, 0, 0, 9}), kOk);
    EXPECT_EQ(*b.device.read(Access{virtio::config + 5, Width::b1, VcpuId{0}}), 9U);
    EXPECT_TRUE(gets(mac(9)));
    EXPECT_FALSE(gets(mac(2)));
    EXPECT_EQ(b.command(kClassMac, kMacAddressSet, {3, 0, 0, 0, 0, 9}), kError) << "a group's";
    EXPECT_EQ(b.command(kClassMac, kMacAddressSet, {0, 0, 0, 0, 0, 0}), kError);
    b.begin(kCtrlVq | kCtrlRx | kCtrlMacAddr);
    EXPECT_EQ(*b.device.read(Access{virtio::config + 5, Width::b1, VcpuId{0}}), 2U);
}

TEST_F(VirtioNetControlTest, WhereTheAddressIsFixedItCannotBeSet) {
    FrameSwitch::Port &port = *lan.join({mac(3)});
    NetStation c{port, mac(3), clock, {.fixed_mac = true}};
    EXPECT_EQ(c.device.model().features() & kCtrlMacAddr, 0U);
    c.begin(kCtrlVq | kCtrlRx);
    EXPECT_EQ(c.command(kClassMac, kMacAddressSet, {2, 0, 0, 0, 0, 9}), kError);
}

TEST_F(VirtioNetControlTest, WhatItDoesNotKnowOrCannotReadIsAnError) {
    EXPECT_EQ(b.command(7, 0, {}), kError);
    EXPECT_EQ(b.command(kClassRx, 9, {1}), kError);
    EXPECT_EQ(b.command(kClassRx, kRxPromiscuous, {}), kError);
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, {}), kError);
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, {1, 0, 0, 0, 2, 2, 2, 2, 2}), kError);
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, {0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2}), kError);
    EXPECT_EQ(b.command(kClassMac, kMacTableSet, {0, 0, 0, 0}), kError) << "one table only";
    EXPECT_EQ(b.command(kClassMac, kMacAddressSet, {2, 0, 0, 0, 0}), kError);
    EXPECT_TRUE(gets(mac(77))) << "nothing has changed";
    EXPECT_FALSE(b.needs_reset());
}

TEST_F(VirtioNetControlTest, WithoutRoomForAnAnswerThereIsNone) {
    b.put(2, 0, kCommand, 3, 0);
    b.offer(2, 0);
    b.notify(2);
    b.machine.work.run();
    EXPECT_TRUE(b.needs_reset());
}

} // namespace
} // namespace sel4vm::dev
