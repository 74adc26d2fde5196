// SPDX-License-Identifier: BSD-2-Clause
//
// Networks in descriptions, and two whole machines at one switch.
#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/machine/validate.hpp>

#include <gtest/gtest.h>
#include <support/descriptions.hpp>
#include <support/machine_rig.hpp>

#include <string>

namespace sel4vm::machine {
namespace {

constexpr u64 kNet = 0x0a00'0000;

DeviceRecord card(std::string_view network, std::optional<MacAddress> mac = std::nullopt,
                  std::string_view name = "net1", u32 slot = 0) {
    DeviceRecord record{.kind = &dev::kVirtioNet,
                        .name = name,
                        .registers = {Gpa{kNet + u64{0x200} * slot}, 0x200},
                        .spi = 16 + slot,
                        .console = ConsoleRoute::none};
    record.net = NetRecord{.network = network, .mac = mac};
    return record;
}

SystemDescription two_vms(const DeviceRecord &first, const DeviceRecord &second) {
    SystemDescription system;
    (void)system.switches.emplace_back(SwitchRecord{"lan"});
    (void)system.vms.emplace_back(test::good_vm("one"))->devices.emplace_back(first);
    (void)system.vms.emplace_back(test::good_vm("two"))->devices.emplace_back(second);
    return system;
}

std::string all(const SystemDescription &system) {
    std::string text;
    for (const Problem &p : validate(system))
        text += std::string(p.key.view()) + " = " + std::string(p.value.view()) + ", expected " +
                std::string(p.expected.view()) + "\n";
    return text;
}

constexpr MacAddress kMac{{0x02, 0, 0, 0, 0, 0xab}};

TEST(Networks, AreGoodWhereTheirSwitchIsThereAndEachPortHasItsAddress) {
    EXPECT_EQ(all(two_vms(card("lan"), card("lan"))), "") << "addresses by default differ";
    EXPECT_EQ(all(two_vms(card("lan", kMac), card("lan"))), "");
}

TEST(Networks, WhatIsWrongIsSaid) {
    EXPECT_EQ(all(two_vms(card("lan", kMac), card("lan", kMac))),
              "vm[1].devices.net1.mac = 02:00:00:00:00:ab, expected an address of its own for each port of a switch\n");
    EXPECT_EQ(all(two_vms(card("lan"), card("wan"))),
              "vm[1].devices.net1.switch = wan, expected the name of a switch\n");
    EXPECT_EQ(all(two_vms(card("lan", MacAddress{{0x03}}), card("lan"))),
              "vm[0].devices.net1.mac = 03:00:00:00:00:00, expected an address of one station: the lowest bit of its "
              "first byte is 0\n");
    DeviceRecord lost = card("lan");
    lost.net.reset();
    EXPECT_EQ(all(two_vms(lost, card("lan"))), "vm[0].devices.net1.switch = none, expected the name of a switch\n");
    DeviceRecord strange = card("lan");
    strange.net->mtu = 67;
    strange.net->limit_bytes_per_second = 999;
    EXPECT_EQ(all(two_vms(strange, card("lan"))), "vm[0].devices.net1.mtu = 67, expected 68 to 9000\n"
                                                  "vm[0].devices.net1.limit = 999, expected at least 1000 bytes a "
                                                  "second\n");
    SystemDescription system = two_vms(card("lan"), card("lan"));
    (void)system.switches.emplace_back(SwitchRecord{"lan"});
    (void)system.switches.emplace_back(SwitchRecord{"1"});
    EXPECT_EQ(all(system), "switch[1].name = lan, expected a name of its own for each switch\n"
                           "switch[2].name = 1, expected a letter, then up to 30 letters, digits, '-' or '_'\n");
}

TEST(Networks, ASwitchHasSoManyPorts) {
    SystemDescription system;
    (void)system.switches.emplace_back(SwitchRecord{"lan"});
    for (u32 n = 0; n <= kMaxSwitchPorts; ++n) {
        if (n % 9 == 0)
            (void)system.vms.emplace_back(test::good_vm(n == 0 ? "one" : "two"));
        static constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
        MachineDescription &vm = system.vms[n / 9];
        (void)vm.devices.emplace_back(card("lan", {}, kNames[n % 9], n % 9));
    }
    EXPECT_EQ(all(system), "vm[1].devices.h.switch = lan, expected a switch with at most 16 ports\n");
}

TEST(Networks, SwitchesAreThereAsLongAsSomebodyIsAtThem) {
    fake::HeapAllocator allocator;
    fake::Clock clock;
    Networks networks(allocator, clock);
    auto first = networks.join("lan", {.mac = kMac});
    ASSERT_TRUE(first.has_value());
    const auto same = networks.join("lan", {.mac = kMac});
    ASSERT_FALSE(same.has_value());
    EXPECT_EQ(same.error(), NetworkError::no_port);
    EXPECT_TRUE(networks.join("wan", {.mac = kMac}).has_value()) << "another network";
    {
        std::vector<Networks::Member> members;
        for (usize n = 1; n < kMaxSwitches; ++n)
            members.push_back(*networks.join("n" + std::to_string(n), {.mac = kMac}));
        EXPECT_EQ(networks.join("more", {.mac = kMac}).error(), NetworkError::too_many);
    }
    EXPECT_TRUE(networks.join("more", {.mac = kMac}).has_value());
}

/// A machine and the driver of its card: receive and transmit queues in its RAM.
struct Station {
    static constexpr u64 kQueues = 0x4000'0000 + kMiB, kBuffer = kQueues + 0x8000, kFrame = kQueues + 0x9000;

    Station(const MacAddress &mac, Networks &networks)
        : rig(description(mac), fake::ListRegisters::full(), {std::vector<u8>(kPageBytes, u8{0x11})},
              test::EventSource::script, {}, &networks) {}
    static MachineDescription description(const MacAddress &mac) {
        MachineDescription vm = test::small_machine(GicVersion::v3, 1);
        (void)vm.devices.emplace_back(card("lan", mac));
        return vm;
    }
    u64 access(u64 offset, u64 value, MemoryAccess how) {
        Vm &vm = rig.machine->vm();
        return vm.handle(vm.vcpu(VcpuId{0}), Exit{MemoryExit{Gpa{kNet + offset}, value, how, Width::b4, true}}).data();
    }
    void set(u64 offset, u64 value) { access(offset, value, MemoryAccess::write); }
    u64 get(u64 offset) { return access(offset, 0, MemoryAccess::read); }
    template <class T>
    void poke(u64 at, T value) {
        ASSERT_TRUE(rig.machine->vm().memory().put(Gpa{at}, value));
    }
    template <class T>
    T peek(u64 at) {
        return *rig.machine->vm().memory().fetch<T>(Gpa{at});
    }
    void begin() {
        for (const u64 value : {0U, 3U})
            set(0x70, value);
        set(0x24, 1);
        set(0x20, 1);
        set(0x70, 11);
        for (u64 queue = 0; queue < 2; ++queue) {
            const u64 at = kQueues + 0x4000 * queue;
            set(0x30, queue);
            set(0x38, 8);
            set(0x80, at);
            set(0x90, at + 0x1000);
            set(0xa0, at + 0x2000);
            poke(at + 0x1000, u64{0});
            poke(at + 0x2000, u64{0});
            set(0x44, 1);
        }
        set(0x70, 15);
        offer(0, kBuffer, 2048, 2);
    }
    /// Descriptor 0 of the queue, once.
    void offer(u64 queue, u64 at, u32 bytes, u32 flags) {
        const u64 place = kQueues + 0x4000 * queue;
        poke(place, at);
        poke(place + 8, bytes);
        poke(place + 12, flags);
        poke(place + 0x1002, u16{1});
    }
    void send(u64 to, u64 from) {
        for (u64 i = 0; i < 64; i += 8)
            poke(kFrame + i, 0x0101'0101'0101'0101 * (i + 1));
        poke(kFrame, u64{0});
        poke(kFrame + 8, u32{0});
        for (u64 i = 0; i < 6; ++i) {
            poke(kFrame + 12 + i, static_cast<u8>(to >> (8 * (5 - i))));
            poke(kFrame + 18 + i, static_cast<u8>(from >> (8 * (5 - i))));
        }
        offer(1, kFrame, 64 + 12, 0);
        set(0x50, 1);
    }
    test::MachineRig rig;
};

TEST(NetworkMachines, AFrameOfOneIsInTheOthersMemoryAtTheEndOfItsExitAndWakesIt) {
    fake::HeapAllocator allocator;
    fake::Clock clock;
    Networks networks(allocator, clock);
    Station a({{0x02, 0, 0, 0, 0, 1}}, networks);
    Station b({{0x02, 0, 0, 0, 0, 2}}, networks);
    ASSERT_TRUE(a.rig.start());
    ASSERT_TRUE(b.rig.start());
    EXPECT_EQ(a.get(0x08), 1U);
    a.begin();
    b.begin();
    a.send(0x0200'0000'0002, 0x0200'0000'0001);
    EXPECT_EQ(b.peek<u16>(Station::kQueues + 0x2002), 1U);
    EXPECT_EQ(b.peek<u32>(Station::kQueues + 0x2008), 64U + 12);
    EXPECT_EQ(b.peek<u16>(Station::kBuffer + 10), 1U) << "one buffer";
    EXPECT_EQ(b.peek<u64>(Station::kBuffer + 32), a.peek<u64>(Station::kFrame + 32));
    EXPECT_EQ(b.rig.vcpus[0].counts().kicks, 1U);
    EXPECT_EQ(b.get(0x60), 0U);
    EXPECT_EQ(b.get(0x60), 1U) << "at the end of its own exit";
    usize networks_seen = 0;
    b.rig.machine->for_each_network([&](std::string_view name, const auto &counters) {
        EXPECT_EQ(name, "net1");
        EXPECT_EQ(counters.received.value(), 1U);
        ++networks_seen;
    });
    EXPECT_EQ(networks_seen, 1U);
}

TEST(NetworkMachines, AVmThatWaitsForOthersIsNotGivenUpWhileSomebodyMaySend) {
    fake::HeapAllocator allocator;
    fake::Clock clock;
    Networks networks(allocator, clock);
    Station a({{0x02, 0, 0, 0, 0, 1}}, networks);
    ASSERT_TRUE(a.rig.start());
    EXPECT_TRUE(a.rig.machine->vm().is_rung_by_others());
}

TEST(NetworkMachines, WithoutNetworksThereIsNoSuchMachine) {
    test::MachineRig rig(Station::description(kMac));
    const auto built = rig.machine->build();
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().key.view(), "devices.net1");
}

} // namespace
} // namespace sel4vm::machine
