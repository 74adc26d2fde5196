// SPDX-License-Identifier: BSD-2-Clause
//
// The network device (Virtio 1.2, 5.1): two guests at one switch.
#include <gtest/gtest.h>
#include <sel4vm/dev/frame_switch/frame_switch.hpp>
#include <support/net_station.hpp>

namespace sel4vm::dev {
namespace {

using namespace test::net;
using namespace virtio_net;
using test::NetStation;
namespace virtio = test::virtio;

struct VirtioNetTest : testing::Test {
    NetStation::Received only(NetStation &station) {
        const auto all = station.received();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? NetStation::Received{} : all[0];
    }
    fake::Clock clock;
    FrameSwitch lan{clock};
    FrameSwitch::Port &port_a = *lan.join({mac(1)});
    FrameSwitch::Port &port_b = *lan.join({mac(2)});
    NetStation a{port_a, mac(1), clock};
    NetStation b{port_b, mac(2), clock};
};

TEST_F(VirtioNetTest, SaysWhatItIs) {
    EXPECT_EQ(a.get(0x008), 1U);
    EXPECT_EQ(a.get(virtio::config), 0x0000'0002U);
    EXPECT_EQ(*a.device.read(Access{virtio::config + 5, Width::b1, VcpuId{0}}), 1U);
    EXPECT_EQ(*a.device.read(Access{virtio::config + 6, Width::b2, VcpuId{0}}), 1U) << "the link is up";
    EXPECT_EQ(*a.device.read(Access{virtio::config + 10, Width::b2, VcpuId{0}}), 1500U);
    a.set(virtio::queue_sel, 2);
    EXPECT_EQ(a.get(virtio::queue_size_max), 256U);
    a.set(virtio::queue_sel, 3);
    EXPECT_EQ(a.get(virtio::queue_size_max), 0U);
    EXPECT_EQ(a.device.model().features(),
              kCsum | kGuestCsum | kMtu | kMac | kMrgRxbuf | kStatus | kCtrlVq | kCtrlRx | kCtrlMacAddr);
}

TEST_F(VirtioNetTest, CarriesFramesBothWays) {
    a.begin(0);
    b.begin(0);
    static_cast<void>(b.interrupted());
    const Bytes there = frame(mac(2), mac(1), 1514);
    a.send(there);
    EXPECT_TRUE(a.interrupted());
    EXPECT_EQ(a.came_back(1), 1U);
    EXPECT_EQ(b.came_back(0), 1U);
    EXPECT_FALSE(b.machine.chip.high(virtio::kIntid)) << "it hears in its own time";
    const NetStation::Received one = only(b);
    EXPECT_TRUE(b.interrupted());
    EXPECT_EQ(one.frame, there);
    EXPECT_EQ(one.header.buffers, 1U);
    EXPECT_EQ(one.header.flags, 0U);
    const Bytes back = frame(mac(1), mac(2), 60, 7);
    b.send(back);
    EXPECT_EQ(only(a).frame, back);
}

TEST_F(VirtioNetTest, ManyFramesComeInOrderAndAreToldOfOnce) {
    a.begin(0);
    b.begin(0);
    for (u8 n = 0; n < 8; ++n)
        a.queue_frame(frame(mac(2), mac(1), 100, n));
    a.notify(1);
    a.machine.work.run();
    const auto all = b.received();
    ASSERT_EQ(all.size(), 8U);
    for (u8 n = 0; n < 8; ++n)
        EXPECT_EQ(all[n].frame[14], n);
    EXPECT_FALSE(b.machine.work.any_wanted());
}

TEST_F(VirtioNetTest, AFrameMayGoOverSeveralBuffersThatTheDriverSeesAtOnce) {
    a.begin(0);
    b.begin(kMrgRxbuf, 256);
    const Bytes large = frame(mac(2), mac(1), 1514);
    a.send(large);
    const NetStation::Received one = only(b);
    EXPECT_EQ(one.header.buffers, 6U);
    EXPECT_EQ(one.frame, large);
    a.send(frame(mac(2), mac(1), 60));
    EXPECT_EQ(only(b).header.buffers, 1U);
}

TEST_F(VirtioNetTest, WithoutRoomForAllOfItAFrameIsDroppedAndTheBuffersStay) {
    a.begin(0);
    b.begin(kMrgRxbuf, 64); // 16 of them
    a.send(frame(mac(2), mac(1), 1514));
    EXPECT_EQ(b.came_back(0), 0U);
    EXPECT_EQ(port_b.counters().no_room.value(), 1U);
    EXPECT_EQ(a.came_back(1), 1U);
    const Bytes small = frame(mac(2), mac(1), 400);
    a.send(small);
    EXPECT_EQ(only(b).frame, small);
    b.begin(0, 256); // without MRG_RXBUF
    a.send(frame(mac(2), mac(1), 245));
    EXPECT_EQ(b.came_back(0), 0U);
    a.send(frame(mac(2), mac(1), 244));
    EXPECT_EQ(only(b).frame.size(), 244U);
}

TEST_F(VirtioNetTest, AReceiverThatDoesNotReadCostsItsFramesOnly) {
    a.begin(0);
    b.begin(0);
    for (int n = 0; n < 40; ++n)
        a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(a.came_back(1), 40U);
    EXPECT_EQ(b.came_back(0), kSize);
    EXPECT_EQ(port_b.counters().no_room.value(), 40U - kSize);
    static_cast<void>(b.received());
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_FALSE(b.machine.work.any_wanted()) << "there is nothing to tell";
}

TEST_F(VirtioNetTest, AChecksumThatIsToBeMadeIsPassedOnOrMade) {
    Header header{};
    header.flags = 1;
    header.checksum_from = 34;
    header.checksum_at = 6;
    Bytes datagram = frame(mac(2), mac(1), 61); // an odd number of bytes
    datagram[40] = 0x12;                        // what the sum begins with
    datagram[41] = 0x34;
    a.begin(kCsum);
    b.begin(kGuestCsum);
    a.send(datagram, header);
    NetStation::Received one = only(b);
    EXPECT_EQ(one.frame, datagram);
    EXPECT_EQ(one.header.flags, 1U);
    EXPECT_EQ(one.header.checksum_from, 34U);
    EXPECT_EQ(one.header.checksum_at, 6U);
    b.begin(0);
    a.send(datagram, header);
    one = only(b);
    EXPECT_EQ(one.header.flags, 0U);
    EXPECT_EQ(one.header.checksum_from, 0U);
    u32 sum = 0;
    for (usize i = 34; i < datagram.size(); ++i)
        sum += i % 2 == 0 ? u32{datagram[i]} << 8 : datagram[i];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16)) & 0xffff;
    datagram[40] = static_cast<u8>(sum >> 8);
    datagram[41] = static_cast<u8>(sum);
    EXPECT_EQ(one.frame, datagram);
}

TEST_F(VirtioNetTest, AChecksumGoesNeitherIntoTheAddressesNorOutOfTheFrame) {
    a.begin(kCsum);
    b.begin(0);
    const auto send = [&](u16 from, u16 at) {
        Header header{};
        header.flags = 1;
        header.checksum_from = from;
        header.checksum_at = at;
        a.send(frame(mac(2), mac(1), 64), header);
        return b.received().size();
    };
    EXPECT_EQ(send(0, 6), 0U);
    EXPECT_EQ(send(13, 10), 0U);
    EXPECT_EQ(send(34, 29), 0U);
    EXPECT_EQ(send(0xffff, 0xffff), 0U);
    EXPECT_EQ(send(14, 48), 1U);
    EXPECT_EQ(port_a.counters().malformed.value(), 4U);
    a.begin(0);
    EXPECT_EQ(send(14, 48), 0U) << "it was not agreed on";
}

TEST_F(VirtioNetTest, WhatIsNoFrameIsDroppedAndCounted) {
    a.begin(0);
    b.begin(0);
    a.send(frame(mac(2), mac(1), 13));
    a.send(frame(mac(2), mac(1), 1519));
    Header segments{};
    segments.gso_type = 1;
    a.send(frame(mac(2), mac(1), 100), segments);
    EXPECT_EQ(b.came_back(0), 0U);
    EXPECT_EQ(a.came_back(1), 3U);
    EXPECT_EQ(port_a.counters().malformed.value(), 3U);
    EXPECT_FALSE(a.needs_reset());
    a.send(frame(mac(2), mac(1), 1518));
    a.send(frame(mac(2), mac(1), 14));
    EXPECT_EQ(b.received().size(), 2U);
}

TEST_F(VirtioNetTest, ASenderThatMakesNoSenseIsAskedForAResetAndNobodyGetsAnything) {
    const auto broken = [&](u64 at, u32 bytes) {
        a.begin(0);
        b.begin(0);
        a.put(1, 0, at, bytes, 0);
        a.offer(1, 0);
        a.notify(1);
        a.machine.work.run();
        EXPECT_EQ(b.came_back(0), 0U);
        EXPECT_FALSE(b.needs_reset());
        return a.needs_reset();
    };
    EXPECT_TRUE(broken(kToSend, 11)) << "no room for a header";
    EXPECT_TRUE(broken(0x2000'0000, 100)) << "no memory";
    // Its end is no memory; its header is for b.
    a.machine.poke(virtio::kMoreRam + virtio::kRamBytes - 40, u64{0});
    a.machine.poke(virtio::kMoreRam + virtio::kRamBytes - 32, u32{0});
    const Bytes head = frame(mac(2), mac(1), 28);
    static_cast<void>(a.machine.memory.write(Gpa{virtio::kMoreRam + virtio::kRamBytes - 28}, head));
    EXPECT_TRUE(broken(virtio::kMoreRam + virtio::kRamBytes - 40, 100));
    a.begin(0);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.received().size(), 1U) << "b's buffers are as before";
}

TEST_F(VirtioNetTest, AReceiverThatMakesNoSenseIsAskedForAResetAndTheSenderGoesOn) {
    const auto broken = [&](u64 at, u32 bytes, u16 flags) {
        a.begin(0);
        b.begin(0);
        b.put(0, 0, at, bytes, flags);
        a.send(frame(mac(2), mac(1), 100));
        EXPECT_FALSE(a.needs_reset());
        EXPECT_EQ(a.came_back(1), 1U);
        EXPECT_EQ(b.came_back(0), 0U);
        EXPECT_FALSE(b.needs_reset()) << "in its own time";
        b.machine.work.run();
        EXPECT_TRUE(b.interrupted());
        return b.needs_reset();
    };
    EXPECT_TRUE(broken(kBuffers, 0, virtio::kWrite));
    EXPECT_TRUE(broken(kBuffers, 2048, 0)) << "to read";
    EXPECT_TRUE(broken(0x2000'0000, 2048, virtio::kWrite));
    EXPECT_TRUE(broken(virtio::kRom, 2048, virtio::kWrite));
    b.begin(0);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.received().size(), 1U);
}

TEST_F(VirtioNetTest, NothingComesInBeforeItsDriverIsReadyOrAfterAReset) {
    a.begin(0);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(port_b.counters().no_room.value(), 1U);
    b.begin(0);
    b.set(virtio::status, 0);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.came_back(0), 0U);
    b.begin(0);
    b.device.reset();
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.came_back(0), 0U);
    b.begin(virtio_feature::kRingReset);
    b.set(virtio::queue_sel, 0);
    b.set(virtio::queue_reset, 1);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.came_back(0), 0U);
    EXPECT_EQ(port_b.counters().no_room.value(), 4U);
    EXPECT_FALSE(b.needs_reset());
    b.place(0);
    for (u16 n = 0; n < kSize; ++n)
        b.offer(0, n);
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.received().size(), 1U);
}

TEST_F(VirtioNetTest, ADriverThatLooksByItselfIsNotTold) {
    a.begin(0);
    b.begin(virtio_feature::kEventIdx);
    static_cast<void>(b.interrupted());
    b.machine.poke(NetStation::driver(0) + 4 + 2 * kSize, u16{100}); // tell me at the 101st
    a.send(frame(mac(2), mac(1), 100));
    EXPECT_EQ(b.came_back(0), 1U);
    EXPECT_FALSE(b.machine.work.any_wanted());
    b.machine.work.run();
    EXPECT_FALSE(b.interrupted());
    b.machine.poke(NetStation::driver(0) + 4 + 2 * kSize, u16{1});
    a.send(frame(mac(2), mac(1), 100));
    b.machine.work.run();
    EXPECT_TRUE(b.interrupted());
}

TEST_F(VirtioNetTest, FramesBeyondTheLimitWait) {
    FrameSwitch::Port &port = *lan.join({mac(3)});
    NetStation c{port, mac(3), clock, {.limit_bytes_per_second = 1'000'000}};
    c.begin(0);
    b.begin(0);
    usize sent = 0;
    for (; sent < 1000 && c.came_back(1) == sent; ++sent) {
        c.send(frame(mac(2), mac(3), 1514));
        static_cast<void>(b.received());
    }
    const usize allowed = c.came_back(1);
    EXPECT_EQ(allowed, RateLimit::kLeastBurstBytes / 1514 + 1);
    ASSERT_TRUE(c.timeouts.earliest().has_value());
    c.machine.work.run();
    EXPECT_EQ(c.came_back(1), allowed);
    c.timeouts.advance(clock.ticks_per_second() * 1514 / 1'000'000 + 10);
    c.machine.work.run();
    EXPECT_EQ(c.came_back(1), allowed + 1);
    EXPECT_FALSE(c.needs_reset());
}

TEST_F(VirtioNetTest, AStepEndsWhenItsBytesAreUsedUp) {
    a.begin(0);
    b.begin(0);
    for (int n = 0; n < 8; ++n)
        a.queue_frame(frame(mac(2), mac(1), 1514));
    a.notify(1);
    EXPECT_EQ(a.machine.work.step(3000), 0U);
    EXPECT_EQ(a.came_back(1), 2U);
    EXPECT_TRUE(a.machine.work.any_wanted());
    EXPECT_EQ(b.received().size(), 2U);
    a.machine.work.run();
    EXPECT_EQ(b.received().size(), 6U);
}

} // namespace
} // namespace sel4vm::dev
