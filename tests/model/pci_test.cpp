// SPDX-License-Identifier: BSD-2-Clause
//
// The PCI host bridge and virtio over PCI, on the entropy device: configuration space, BARs that move, the pin, MSI-X, a function's own reset, and the
// structures of Virtio 1.2, 4.1. What a driver does over it leaves the device as the same over MMIO does.
#include <sel4vm/dev/pci/pci_host.hpp>
#include <sel4vm/dev/virtio/virtio_pci.hpp>
#include <sel4vm/dev/virtio/virtio_rng.hpp>

#include <gtest/gtest.h>
#include <support/virtio_driver.hpp>

namespace sel4vm::dev {
namespace {

using namespace test::virtio;
using namespace virtio_feature;

constexpr u8 kSlot = 5;
constexpr u64 kFunctionConfig = u64{kSlot} << 15;
constexpr Gpa kWindow{0x1000'0000};
constexpr Gpa kHighWindow{0x80'0000'0000};
constexpr u64 kDoorbell = 0x0808'0040;
constexpr u64 kBarAt = 0x80'0010'0000;
constexpr u64 kMsixAt = 0x1000'2000;
constexpr u64 kIsr = kBarAt + 0x1000, kDeviceConfig = kBarAt + 0x2000, kNotify = kBarAt + 0x3000;
constexpr VirtioPciType kType{.device_id = 4, .queues = 1, .class_code = 0xff'0000};

struct Messages final : MsiTarget {
    void send(u32 device, u32 data) override { sent.push_back({device, data}); }
    std::vector<std::pair<u32, u32>> sent;
};

struct PciTest : testing::Test {
    PciTest() { host.add(rng); }

    u64 read(MmioDevice &device, u64 offset, Width width = Width::b4) {
        const auto value = device.read({offset, width, VcpuId{0}});
        EXPECT_TRUE(value) << offset;
        return value ? *value : 0xdead;
    }
    u64 config(u32 offset, Width width = Width::b4) {
        return read(host.configuration(), kFunctionConfig + offset, width);
    }
    void set_config(u32 offset, u64 value, Width width = Width::b4) {
        EXPECT_TRUE(host.configuration().write({kFunctionConfig + offset, width, VcpuId{0}}, value));
    }
    MmioDevice &window_of(u64 at) { return at >= kHighWindow.value() ? high : low; }
    u64 base_of(u64 at) { return at >= kHighWindow.value() ? kHighWindow.value() : kWindow.value(); }
    u64 get(u64 at, Width width = Width::b4) { return read(window_of(at), at - base_of(at), width); }
    void set(u64 at, u64 value, Width width = Width::b4) {
        EXPECT_TRUE(window_of(at).write({at - base_of(at), width, VcpuId{0}}, value));
    }
    bool refuses(u64 at, Width width) { return !window_of(at).read({at - base_of(at), width, VcpuId{0}}); }

    void place() {
        set_config(0x10, kBarAt & 0xffff'ffff);
        set_config(0x14, kBarAt >> 32);
        set_config(0x18, kMsixAt);
        set_config(0x04, 6, Width::b2); // memory, bus master
    }
    /// Where the capability of this kind, and of this type of virtio's, is.
    u32 capability(u8 id, u8 type = 0) {
        for (u32 at = static_cast<u32>(config(0x34, Width::b1)); at != 0;
             at = static_cast<u32>(config(at + 1, Width::b1)))
            if (config(at, Width::b1) == id && (type == 0 || config(at + 3, Width::b1) == type))
                return at;
        ADD_FAILURE() << "no capability " << int{id};
        return 0;
    }
    void turn_msix(u16 control) { set_config(capability(0x11) + 2, control, Width::b2); }
    void set_vector(u32 vector, u64 address, u32 data, u32 masked) {
        set(kMsixAt + 16 * vector, address & 0xffff'ffff);
        set(kMsixAt + 16 * vector + 4, address >> 32);
        set(kMsixAt + 16 * vector + 8, data);
        set(kMsixAt + 16 * vector + 12, masked);
    }
    /// Brings it to DRIVER_OK with one queue.
    void begin() {
        for (const u64 status : {0U, 1U, 3U})
            set(kBarAt + 0x14, status, Width::b1);
        for (const u64 half : {0U, 1U}) {
            set(kBarAt + 0x08, half);
            set(kBarAt + 0x0c, half); // VERSION_1 is bit 0 of the upper half
        }
        set(kBarAt + 0x14, 11, Width::b1);
        set(kBarAt + 0x16, 0, Width::b2);
        set(kBarAt + 0x18, 16, Width::b2);
        set(kBarAt + 0x20, kDescriptors, Width::b8);
        set(kBarAt + 0x28, kDriver);
        set(kBarAt + 0x2c, 0);
        set(kBarAt + 0x30, kDevice, Width::b8);
        set(kBarAt + 0x1c, 1, Width::b2);
        set(kBarAt + 0x14, 15, Width::b1);
    }
    void ask_for_bytes() {
        machine.poke(kDescriptors, kData);
        machine.poke(kDescriptors + 8, u32{32});
        machine.poke(kDescriptors + 12, u32{kWrite});
        machine.poke(kDriver + 4 + 2 * asked, u16{0});
        machine.poke(kDriver + 2, static_cast<u16>(++asked));
        set(kNotify, 0, Width::b2);
        machine.work.run();
    }
    bool wire() { return machine.chip.high(kIntid + kSlot % 4); }

    test::VirtioMachine machine;
    fake::Entropy entropy;
    Messages messages;
    PciHost host{{.wires = {IrqLine{machine.chip, kIntid}, IrqLine{machine.chip, kIntid + 1},
                            IrqLine{machine.chip, kIntid + 2}, IrqLine{machine.chip, kIntid + 3}},
                  .msi = {Gpa{kDoorbell}, &messages},
                  .dma = machine.dma}};
    PciHost::Window low{host, kWindow};
    PciHost::Window high{host, kHighWindow};
    VirtioOnPci<VirtioRng> rng{host.place(kSlot), machine.site(), kType, entropy};
    u16 asked = 0;
};

TEST_F(PciTest, EmptySlotsAndOtherFunctionsReadAsAllOnes) {
    EXPECT_EQ(config(0), 0x1044'1af4U);
    EXPECT_EQ(read(host.configuration(), 0), 0x0008'1b36U) << "the bridge";
    EXPECT_EQ(read(host.configuration(), 0x0a, Width::b2), 0x0600U);
    EXPECT_EQ(read(host.configuration(), 6 << 15), 0xffff'ffffU);
    EXPECT_EQ(read(host.configuration(), 6 << 15, Width::b2), 0xffffU);
    EXPECT_EQ(read(host.configuration(), kFunctionConfig + 0x1000), 0xffff'ffffU) << "function 1";
    EXPECT_EQ(config(0x100), 0U) << "no extended capability";
    EXPECT_FALSE(host.configuration().read({kFunctionConfig, Width::b8, VcpuId{0}}));
    EXPECT_FALSE(host.configuration().read({kFunctionConfig + 1, Width::b2, VcpuId{0}}));
    EXPECT_TRUE(host.configuration().write({6 << 15, Width::b4, VcpuId{0}}, 1));
    EXPECT_TRUE(host.configuration().write({0, Width::b4, VcpuId{0}}, 1));
}

TEST_F(PciTest, BarsTellTheirSizeAndMove) {
    set_config(0x10, 0xffff'ffff);
    set_config(0x14, 0xffff'ffff);
    set_config(0x18, 0xffff'ffff);
    EXPECT_EQ(config(0x10), 0xffff'c00cU) << "16 KiB, 64 bits, prefetchable";
    EXPECT_EQ(config(0x14), 0xffff'ffffU);
    EXPECT_EQ(config(0x18), 0xffff'e000U);
    for (const u32 bar : {0x1cU, 0x20U, 0x24U, 0x30U}) {
        set_config(bar, 0xffff'ffff);
        EXPECT_EQ(config(bar), 0U) << bar;
    }
    place();
    EXPECT_EQ(get(kBarAt + 0x12, Width::b2), 1U) << "the number of queues";
    EXPECT_EQ(get(kBarAt - 4), 0xffff'ffffU);
    EXPECT_EQ(get(kBarAt + 0x4000), 0xffff'ffffU);
    set_config(0x10, (kBarAt + 0x4000) & 0xffff'ffff);
    EXPECT_EQ(get(kBarAt + 0x12, Width::b2), 0xffffU);
    EXPECT_EQ(get(kBarAt + 0x4012, Width::b2), 1U);
    set_config(0x04, 4, Width::b2);
    EXPECT_EQ(get(kBarAt + 0x4012, Width::b2), 0xffffU) << "memory is off";
}

TEST_F(PciTest, WhatIsReadOnlyStays) {
    for (const u32 offset : {0x00U, 0x08U, 0x2cU, 0x34U, capability(0x11), capability(9, 1), capability(9, 1) + 8}) {
        const u64 before = config(offset);
        set_config(offset, ~before & 0xffff'ffff & (offset == capability(0x11) ? 0xffff : 0xffff'ffff));
        EXPECT_EQ(config(offset), before) << offset;
    }
    set_config(0x3c, 0xffff'ffff);
    EXPECT_EQ(config(0x3c), 0x0000'01ffU) << "the line is software's, the pin is A";
}

TEST_F(PciTest, FieldsTakeTheirOwnWidth) {
    place();
    EXPECT_TRUE(refuses(kBarAt + 0x14, Width::b4)) << "status and generation";
    EXPECT_TRUE(refuses(kBarAt + 0x00, Width::b2));
    EXPECT_TRUE(refuses(kBarAt + 0x20, Width::b2));
    EXPECT_TRUE(refuses(kBarAt + 0x22, Width::b4));
    EXPECT_TRUE(refuses(kDeviceConfig, Width::b8));
    EXPECT_TRUE(refuses(kMsixAt, Width::b2));
    EXPECT_TRUE(refuses(kMsixAt + 4, Width::b8));
    EXPECT_EQ(get(kBarAt + 0x100), 0U) << "behind the structure";
    EXPECT_EQ(get(kMsixAt + 16 * 2), 0U) << "no such vector";
}

TEST_F(PciTest, ServesAQueueAndDrivesThePinUntilTheIsrIsRead) {
    place();
    EXPECT_EQ(get(kBarAt + 0x18, Width::b2), 64U) << "the largest, before one is set";
    begin();
    EXPECT_EQ(get(kBarAt + 0x1c, Width::b2), 1U);
    EXPECT_EQ(get(kBarAt + 0x20, Width::b8), kDescriptors);
    EXPECT_EQ(get(kBarAt + 0x30), kDevice & 0xffff'ffff);
    ask_for_bytes();
    EXPECT_EQ(machine.peek<u16>(kDevice + 2), 1U);
    EXPECT_TRUE(wire());
    EXPECT_EQ(config(0x06, Width::b2) & 8, 8U);
    EXPECT_EQ(get(kIsr, Width::b1), 1U);
    EXPECT_FALSE(wire());
    EXPECT_EQ(config(0x06, Width::b2) & 8, 0U);
    EXPECT_EQ(get(kIsr, Width::b1), 0U);
    set_config(0x04, 0x406, Width::b2);
    ask_for_bytes();
    EXPECT_FALSE(wire()) << "software has switched it off";
    set_config(0x04, 6, Width::b2);
    EXPECT_TRUE(wire());
}

TEST_F(PciTest, FunctionsThatShareAWireKeepItHighTogether) {
    VirtioOnPci<VirtioRng> other{host.place(kSlot + 4), machine.site(), kType, entropy};
    host.add(other);
    place();
    begin();
    ask_for_bytes();
    other.function().change_config(); // it does not run: nothing
    EXPECT_TRUE(wire());
    {
        LockGuard guard(other.lock());
        other.function().set_driver_features(kVersion1);
        other.function().set_status(15);
        other.function().change_config();
    }
    get(kIsr, Width::b1);
    EXPECT_TRUE(wire()) << "the other's";
    host.configuration().reset();
    EXPECT_FALSE(wire());
}

TEST_F(PciTest, MessagesGoToTheDoorbellWithTheirFunctionsNumber) {
    place();
    begin();
    turn_msix(0x8000);
    set_vector(0, kDoorbell, 7, 0);
    set_vector(1, kDoorbell, 9, 0);
    set(kBarAt + 0x10, 0, Width::b2);
    set(kBarAt + 0x1a, 1, Width::b2);
    EXPECT_EQ(get(kBarAt + 0x1a, Width::b2), 1U);
    ask_for_bytes();
    ASSERT_EQ(messages.sent.size(), 1U);
    EXPECT_EQ(messages.sent[0], (std::pair<u32, u32>{kSlot << 3, 9}));
    EXPECT_FALSE(wire());
    {
        LockGuard guard(rng.lock());
        rng.function().change_config();
    }
    EXPECT_EQ(messages.sent.back().second, 7U);
    set(kBarAt + 0x1a, 2, Width::b2);
    EXPECT_EQ(get(kBarAt + 0x1a, Width::b2), 0xffffU) << "there is no such vector";
    ask_for_bytes();
    EXPECT_EQ(messages.sent.size(), 2U);
    set(kBarAt + 0x1a, 1, Width::b2);
    set_config(0x04, 2, Width::b2);
    ask_for_bytes();
    EXPECT_EQ(messages.sent.size(), 2U) << "no bus master";
    set(kMsixAt + 16 + 12, 1);
    set(kMsixAt + 16 + 12, 0);
    EXPECT_EQ(messages.sent.size(), 2U) << "unmasking is none";
    set_config(0x04, 6, Width::b2);
    EXPECT_EQ(messages.sent.size(), 3U);
}

TEST_F(PciTest, AMaskedVectorIsPendingAndSentOnceLater) {
    place();
    begin();
    turn_msix(0x8000);
    set_vector(1, kDoorbell, 9, 1);
    set(kBarAt + 0x1a, 1, Width::b2);
    ask_for_bytes();
    ask_for_bytes();
    EXPECT_TRUE(messages.sent.empty());
    EXPECT_EQ(get(kMsixAt + 0x1000), 2U) << "pending";
    turn_msix(0xc000);
    set(kMsixAt + 16 + 12, 0);
    EXPECT_TRUE(messages.sent.empty()) << "the function is masked";
    turn_msix(0x8000);
    EXPECT_EQ(messages.sent.size(), 1U);
    EXPECT_EQ(get(kMsixAt + 0x1000), 0U);
}

TEST_F(PciTest, AMessageToMemoryIsAWrite) {
    place();
    begin();
    turn_msix(0x8000);
    set_vector(1, kData + 0x100, 0x1234'5678, 0);
    set(kBarAt + 0x1a, 1, Width::b2);
    ask_for_bytes();
    EXPECT_EQ(machine.peek<u32>(kData + 0x100), 0x1234'5678U);
    set_vector(1, 0x1234'0000'0000, 1, 0);
    ask_for_bytes();
    EXPECT_TRUE(messages.sent.empty());
}

TEST_F(PciTest, AResetOfTheFunctionIsPowerOn) {
    place();
    begin();
    turn_msix(0x8000);
    const u32 express = capability(0x10);
    EXPECT_NE(config(express + 4) & 1U << 28, 0U);
    set_config(express + 8, 0x8000, Width::b2);
    EXPECT_EQ(config(0x10), 0xcU);
    EXPECT_EQ(config(0x04, Width::b2), 0U);
    EXPECT_EQ(config(capability(0x11) + 2, Width::b2), 1U) << "off, two vectors";
    EXPECT_EQ(get(kBarAt + 0x12, Width::b2), 0xffffU);
    place();
    EXPECT_EQ(get(kBarAt + 0x14, Width::b1), 0U);
    EXPECT_EQ(get(kBarAt + 0x1c, Width::b2), 0U);
}

TEST_F(PciTest, ADriversResetLeavesPciAsItIs) {
    place();
    begin();
    turn_msix(0x8000);
    set(kBarAt + 0x10, 1, Width::b2);
    set(kBarAt + 0x14, 0, Width::b1);
    EXPECT_EQ(get(kBarAt + 0x14, Width::b1), 0U);
    EXPECT_EQ(get(kBarAt + 0x10, Width::b2), 0xffffU);
    EXPECT_EQ(config(capability(0x11) + 2, Width::b2), 0x8001U);
}

TEST_F(PciTest, TheWindowInConfigurationSpaceReachesTheBar) {
    const u32 at = capability(9, 5);
    set_config(at + 4, 0, Width::b1);
    set_config(at + 8, 0x14);
    set_config(at + 12, 1);
    set_config(at + 16, 3, Width::b1);
    EXPECT_EQ(config(at + 16, Width::b1), 3U) << "status";
    set_config(at + 8, 0x4000);
    EXPECT_EQ(config(at + 16), 3U) << "outside of the BAR nothing is reached";
    set_config(at + 12, 3);
    set_config(at + 16, 1);
    set_config(at + 8, 0xffff'ffff);
    set_config(at + 12, 4);
    static_cast<void>(config(at + 16));
    set_config(at + 8, 0x14);
    set_config(at + 12, 1);
    EXPECT_EQ(config(at + 16, Width::b1), 3U);
}

TEST_F(PciTest, NonsenseAsksForAReset) {
    place();
    begin();
    set(kNotify, 3, Width::b2);
    EXPECT_EQ(get(kBarAt + 0x14, Width::b1), 15U | 64U);
    EXPECT_TRUE(wire());
    EXPECT_EQ(get(kIsr, Width::b1), 2U);
}

TEST_F(PciTest, LeavesTheDeviceAsTheSameOverMmioDoes) {
    place();
    begin();
    ask_for_bytes();
    test::VirtioMachine elsewhere;
    VirtioOnMmio<VirtioRng> over_mmio{elsewhere.line, elsewhere.site(), entropy};
    test::VirtioDriver driver{elsewhere, over_mmio};
    driver.begin();
    driver.run(driver.chain({{kData, 32, kWrite}}));
    EXPECT_EQ(rng.function().state(), over_mmio.function().state());
}

TEST_F(PciTest, AStateIsPutBack) {
    place();
    begin();
    turn_msix(0x8000);
    set_vector(1, kDoorbell, 9, 1);
    set(kBarAt + 0x1a, 1, Width::b2);
    ask_for_bytes();
    const auto pci = rng.state();
    const auto transport = rng.transport_state();
    const auto function = rng.function().state();
    host.configuration().reset();
    rng.function().restore(function);
    rng.restore(pci);
    rng.restore_transport(transport);
    EXPECT_EQ(get(kMsixAt + 0x1000), 2U);
    set(kMsixAt + 16 + 12, 0);
    EXPECT_EQ(messages.sent.size(), 1U);
    asked = 1;
    ask_for_bytes();
    EXPECT_EQ(messages.sent.size(), 2U);
}

} // namespace
} // namespace sel4vm::dev
