// SPDX-License-Identifier: BSD-2-Clause
//
// Network devices of VMs on executors of their own, at one switch: they send to each other and to all, reset in between, and come and go. Each thread is
// the executor of a VM: its vCPU's accesses and its device's turns, and what others do to it from theirs.
#include <gtest/gtest.h>
#include <sel4vm/dev/frame_switch/frame_switch.hpp>
#include <support/net_station.hpp>

#include <thread>

namespace sel4vm::test {
namespace {

using namespace net;
using namespace dev::virtio_net;

/// One value all over behind the header: a frame of two halves shows.
Bytes even_frame(const MacAddress &to, const MacAddress &from, usize size_bytes, u8 value) {
    Bytes bytes = frame(to, from, size_bytes);
    std::fill(bytes.begin() + kEthernetHeaderBytes, bytes.end(), value);
    return bytes;
}

struct Talk {
    usize whole = 0;
    usize broken = 0;
};

void look_at(NetStation &station, Talk &talk) {
    for (const NetStation::Received &one : station.received(true)) {
        const bool whole =
            one.frame.size() >= 60 && std::all_of(one.frame.begin() + kEthernetHeaderBytes, one.frame.end(),
                                                  [&](u8 byte) { return byte == one.frame.back(); });
        ++(whole ? talk.whole : talk.broken);
    }
}

/// Sends bursts to `peer`, and now and then to all; resets its device every so often.
Talk talk(NetStation &station, const MacAddress &peer, u64 features, int rounds) {
    Talk said;
    station.begin(features);
    for (int round = 0; round < rounds; ++round) {
        if (round % 97 == 96)
            station.device.reset();
        if (round % 97 == 96 || station.needs_reset())
            station.begin(features);
        for (usize n = 0; n < 4; ++n)
            station.queue_frame(
                even_frame(round % 8 == 0 ? kBroadcast : peer, station.own, 60 + 300 * n, static_cast<u8>(round)));
        station.notify(1);
        station.machine.work.run();
        look_at(station, said);
    }
    return said;
}

class NetworkOnExecutors : public testing::TestWithParam<u64> {};
INSTANTIATE_TEST_SUITE_P(Features, NetworkOnExecutors,
                         testing::Values(u64{0}, kMrgRxbuf, kCsum | kGuestCsum | kCtrlVq | kCtrlRx));

TEST_P(NetworkOnExecutors, FramesAreWholeAndNoneIsUnaccountedFor) {
    fake::Clock clock;
    dev::FrameSwitch lan(clock);
    dev::FrameSwitch::Port *const ports[] = {lan.join({mac(1)}), lan.join({mac(2)})};
    Talk said[2];
    {
        NetStation a(*ports[0], mac(1), clock);
        NetStation b(*ports[1], mac(2), clock);
        std::thread first([&] { said[0] = talk(a, mac(2), GetParam(), 1500); });
        std::thread second([&] { said[1] = talk(b, mac(1), GetParam(), 1500); });
        first.join();
        second.join();
        EXPECT_FALSE(a.needs_reset());
        EXPECT_FALSE(b.needs_reset());
    }
    for (usize n = 0; n < 2; ++n) {
        const auto &mine = ports[n]->counters();
        const auto &others = ports[1 - n]->counters();
        EXPECT_EQ(mine.sent.value(), 6000U);
        EXPECT_EQ(mine.sent.value(), others.received.value() + others.no_room.value());
        EXPECT_GT(said[n].whole, 0U);
        EXPECT_LE(said[n].whole, mine.received.value());
        EXPECT_EQ(said[n].broken, 0U);
    }
}

TEST(NetworkOnExecutors, AVmThatComesAndGoesIsLeftAloneWhenItIsGone) {
    fake::Clock clock;
    dev::FrameSwitch lan(clock);
    dev::FrameSwitch::Port &port = *lan.join({mac(1)});
    NetStation a(port, mac(1), clock);
    Talk said;
    std::atomic<bool> over{false};
    std::thread visitor([&] {
        while (!over) {
            dev::FrameSwitch::Port &own = *lan.join({mac(2)});
            {
                NetStation b(own, mac(2), clock);
                static_cast<void>(talk(b, mac(1), 0, 5));
            }
            lan.leave(own);
        }
    });
    said = talk(a, mac(2), 0, 1500);
    over = true;
    visitor.join();
    EXPECT_GT(said.whole, 0U);
    EXPECT_EQ(said.broken, 0U);
}

} // namespace
} // namespace sel4vm::test
