// SPDX-License-Identifier: BSD-2-Clause
//
// The `virt` machine with devices of the machine below: registers as pages or one access at a time, interrupts under their numbers, and what does not go
// together.
#include <support/machine_rig.hpp>

#include <functional>
#include <gtest/gtest.h>
#include <map>

namespace sel4vm::machine {
namespace {

using aarch64::PassedPages;
using aarch64::PhysicalTrigger;

/// The registers, and the interrupt controller.
struct Board final : aarch64::PassedRegisterPort, aarch64::PhysicalIrqPort {
    [[nodiscard]] std::optional<u64> read(HostPhys at, Width width) override {
        return at.value() == fails_at ? std::nullopt : std::optional(at.value() << 4 | bytes_of(width));
    }
    [[nodiscard]] bool write(HostPhys at, Width width, u64 value) override {
        if (at.value() == fails_at)
            return false;
        written[at.value()] = {width, value};
        return true;
    }

    void connect(u32 intid, PhysicalTrigger, aarch64::PhysicalIrqSink &its_sink) override {
        connected.push_back(intid);
        sink = &its_sink;
    }
    void enable(u32 intid) override { enabled = intid; }
    void disable(u32) override { enabled = 0; }
    void set_trigger(u32, PhysicalTrigger) override {}
    void route(u32, VcpuId) override {}
    void end(u32) override { ++ends; }

    u64 fails_at = 0;
    std::map<u64, std::pair<Width, u64>> written;
    std::vector<u32> connected;
    aarch64::PhysicalIrqSink *sink = nullptr;
    u32 enabled = 0;
    unsigned ends = 0;
};

aarch64::PassedDevice device(u64 base, u64 size, PassedPages pages, u32 intid) {
    aarch64::PassedDevice one;
    (void)one.ranges.emplace_back(aarch64::PassedRange{*HostPhysRange::make(HostPhys{base}, size), pages});
    (void)one.irqs.emplace_back(aarch64::PassedIrq{intid, PhysicalTrigger::level});
    return one;
}

struct VirtPassthrough : testing::Test {
    void make(GicVersion gic = GicVersion::v3) {
        MachineDescription vm = test::small_machine(gic, 1);
        if (change)
            change(vm);
        for (usize i = 0; i < devices.size(); ++i)
            (void)vm.passthrough.emplace_back(PassthroughRecord{"/device"});
        parts.devices = devices;
        rig = std::make_unique<test::MachineRig>(vm, fake::ListRegisters::full(),
                                                 std::vector<std::vector<u8>>{std::vector<u8>(kPageBytes, u8{0x11})},
                                                 test::EventSource::script, parts);
    }
    [[nodiscard]] std::string refusal() {
        make();
        const auto built = rig->machine->build();
        if (built)
            return "";
        return std::string(built.error().key.view()) + ": " + std::string(built.error().message.view());
    }
    Answer access(u64 at, Width width, bool write, u64 value = 0) {
        MemoryExit exit{};
        exit.gpa = Gpa{at};
        exit.emulatable = true;
        exit.width = width;
        exit.access = write ? MemoryAccess::write : MemoryAccess::read;
        exit.data = value;
        return rig->machine->vm().handle(rig->machine->vm().vcpu(VcpuId{0}), Exit{exit});
    }
    Board board;
    PassedParts parts{.devices = {}, .host_tree = {}, .registers = &board, .irqs = &board};
    std::vector<aarch64::PassedDevice> devices{device(0x0a00'3e00, 0x200, PassedPages::shared, 79)};
    std::function<void(MachineDescription &)> change;
    std::unique_ptr<test::MachineRig> rig;
};

TEST_F(VirtPassthrough, RegistersInASharedPageAreReachedOneAccessAtATime) {
    make();
    ASSERT_TRUE(rig->start());
    EXPECT_EQ(rig->space.page(Gpa{0x0a00'3000}), nullptr);
    EXPECT_EQ(access(0x0a00'3e08, Width::b4, false).data(), 0x0a00'3e08ULL << 4 | 4);
    EXPECT_EQ(access(0x0a00'3fff, Width::b1, false).data(), 0xf1u);
    static_cast<void>(access(0x0a00'3e70, Width::b2, true, 0xabcd));
    EXPECT_EQ(board.written[0x0a00'3e70], (std::pair{Width::b2, u64{0xabcd}}));
    // Not the neighbour's, not across the end, and not misaligned.
    EXPECT_EQ(access(0x0a00'3c70, Width::b4, true, 1).kind(), AnswerKind::complete) << "an empty slot of the VM's own";
    EXPECT_EQ(access(0x0a00'3c08, Width::b4, false).data(), 0u);
    EXPECT_EQ(access(0x0a00'3dfe, Width::b4, true, 1).kind(), AnswerKind::inject);
    EXPECT_EQ(access(0x0a00'3e71, Width::b2, true, 1).kind(), AnswerKind::inject);
    EXPECT_EQ(board.written.size(), 1u);
}

TEST_F(VirtPassthrough, WhatTheDeviceAnswersWithAnErrorIsAnAbortOfTheGuest) {
    board.fails_at = 0x0a00'3e40;
    make();
    ASSERT_TRUE(rig->start());
    const Answer read = access(0x0a00'3e40, Width::b4, false);
    EXPECT_EQ(read.kind(), AnswerKind::inject);
    EXPECT_EQ(read.fault(), GuestFault::access);
    EXPECT_EQ(access(0x0a00'3e40, Width::b1, true, 1).kind(), AnswerKind::inject);
    EXPECT_TRUE(board.written.empty());
    EXPECT_EQ(access(0x0a00'3e44, Width::b4, false).data(), 0x0a00'3e44ULL << 4 | 4) << "the next one is none";
}

TEST_F(VirtPassthrough, RegistersInPagesOfTheirOwnAreTheGuests) {
    devices[0] = device(0x0b00'0100, 0x1000, PassedPages::own, 79);
    (void)devices[0].ranges.emplace_back(
        aarch64::PassedRange{*HostPhysRange::make(HostPhys{0x0b00'1200}, 0x10), PassedPages::own});
    make();
    ASSERT_TRUE(rig->start());
    ASSERT_NE(rig->space.page(Gpa{0x0b00'0000}), nullptr);
    EXPECT_NE(rig->space.page(Gpa{0x0b00'1000}), nullptr) << "two ranges are in it";
    EXPECT_EQ(rig->space.page(Gpa{0x0b00'2000}), nullptr);
}

TEST_F(VirtPassthrough, ItsInterruptIsTheHardwaresUntilTheVmStops) {
    make(GicVersion::v2);
    ASSERT_TRUE(rig->start());
    EXPECT_EQ(board.connected, std::vector<u32>{79});
    const u64 gicd = 0x0800'0000;
    static_cast<void>(access(gicd, Width::b4, true, 1));
    static_cast<void>(access(gicd + 0x100 + 8, Width::b4, true, 1u << (79 - 64)));
    EXPECT_EQ(board.enabled, 79u);
    const unsigned before = board.ends;
    rig->machine->vm().stop(StopReason::client);
    rig->deliver(Exit{ExitKind::kicked});
    EXPECT_EQ(rig->machine->vm().state(), VmState::stopped);
    EXPECT_EQ(board.enabled, 0u);
    EXPECT_GT(board.ends, before);
}

TEST_F(VirtPassthrough, TwoDevicesOfAVmMayShareAnInterrupt) {
    devices.push_back(device(0x0b00'0000, 0x1000, PassedPages::own, 79));
    make();
    ASSERT_TRUE(rig->start());
    EXPECT_EQ(board.connected, std::vector<u32>{79});
}

TEST_F(VirtPassthrough, WhatDoesNotGoTogetherIsRefused) {
    devices[0] = device(0x0900'0000, 0x1000, PassedPages::own, 79);
    EXPECT_EQ(refusal(), "passthrough[0]: its registers at 0x9000000 are where the VM has something else");
    devices[0] = device(0x4000'0000, 0x200, PassedPages::shared, 79);
    EXPECT_EQ(refusal(), "passthrough[0]: its registers at 0x40000000 are where the VM has something else");
    devices[0] = device(0x0b00'0000, 0x1000, PassedPages::own, 33);
    EXPECT_EQ(refusal(), "passthrough[0]: its interrupt 1 is that of another device of the VM");
    devices[0] = device(0x0b00'0000, 0x1000, PassedPages::own, 32 + 224);
    EXPECT_EQ(refusal(), "passthrough[0]: its interrupt 224 is beyond gic.spis");
    change = [](MachineDescription &vm) { vm.gic.msi.kind = MsiKind::mbi; };
    devices[0] = device(0x0b00'0000, 0x1000, PassedPages::own, 32 + 48);
    EXPECT_EQ(refusal(), "passthrough[0]: its interrupt 48 is one of gic.msi");
}

TEST_F(VirtPassthrough, AHostThatGivesNothingAwaySaysSo) {
    parts.registers = nullptr;
    EXPECT_EQ(refusal(), "passthrough: this host gives no devices away");
    devices.clear();
    change = [](MachineDescription &vm) { vm.memory[0].one_to_one = true; };
    EXPECT_EQ(refusal(), "memory[0]: this host gives no memory at its own address");
}

} // namespace
} // namespace sel4vm::machine
