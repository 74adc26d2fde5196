// SPDX-License-Identifier: BSD-2-Clause
//
// The machine makes, connects and describes a device of which it has only a kind: one that is in no table.
#include <sel4vm/dev/device_kind.hpp>

#include <gtest/gtest.h>
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/validate.hpp>
#include <support/device_tree.hpp>
#include <support/machine_rig.hpp>

namespace sel4vm::machine {
namespace {

/// A UART that is no PL011, with a button: register 0 sends what is written, and reads what came.
class SmallUart final : public MmioDevice, public SerialPort, public PowerButton {
public:
    SmallUart(IrqLine line, ByteSink &output) : line_(line), output_(output) {}
    const char *name() const override { return "small"; }
    Result<u64, BusFault> read(const Access &) override {
        line_.set(Level::low);
        return u64{std::exchange(held_, u8{0})};
    }
    Status<BusFault> write(const Access &, u64 value) override {
        const u8 byte = static_cast<u8>(value);
        output_.put({&byte, 1});
        return Ok{};
    }
    void reset() override { held_ = 0; }
    usize receive(std::span<const u8> bytes) override {
        held_ = bytes[0];
        line_.set(Level::high);
        return 1;
    }
    void set_listener(ReceiveListener *) override {}
    void press() override { held_ = 'P'; }

private:
    IrqLine line_;
    ByteSink &output_;
    u8 held_ = 0;
};

constexpr dev::DeviceKind kSmall{
    .type = "small",
    .role = dev::DeviceRole::serial,
    .node = {.name = "small",
             .compatible = "example,small",
             .add_properties = [](boot::FdtWriter &out, u32 phandle) { out.cell("phandle", phandle); },
             .add_nodes =
                 [](boot::FdtWriter &out, u32 phandle) {
                     out.begin_node("friend");
                     out.cell("of", phandle);
                     out.end_node();
                 }},
    .make = [](const dev::DeviceSite &site) {
        return dev::OwnedDevice::make<SmallUart>(site.allocator, site.line, site.output);
    }};

MachineDescription with_small() {
    MachineDescription vm = test::small_machine(GicVersion::v3, 1);
    vm.devices[0].kind = &kSmall;
    return vm;
}

Exit access(MemoryAccess what, u64 data = 0) {
    return Exit{MemoryExit{default_uart().registers.base, data, what, Width::b4, true}};
}

TEST(DeviceKind, OfNoTableIsMadeConnectedAndServesItsGuest) {
    test::MachineRig rig(with_small());
    ASSERT_TRUE(rig.start());
    rig.deliver(access(MemoryAccess::write, 'h'));
    EXPECT_EQ(rig.console.text, "h");
    ASSERT_NE(rig.machine->console_port(), nullptr);
    const u8 key = 'k';
    EXPECT_EQ(rig.machine->console_port()->receive({&key, 1}), 1U);
    Vm &vm = rig.machine->vm();
    EXPECT_EQ(vm.handle(vm.vcpu(VcpuId{0}), access(MemoryAccess::read)).data(), u64{'k'});
    ASSERT_NE(rig.machine->power_button(), nullptr);
    rig.machine->power_button()->press();
    EXPECT_EQ(vm.handle(vm.vcpu(VcpuId{0}), access(MemoryAccess::read)).data(), u64{'P'});
}

TEST(DeviceKind, SaysWhatItsNodeHoldsAndAddsNodesBesideIt) {
    const MachineDescription vm = with_small();
    std::vector<u64> buffer(kDeviceTreeBufferBytes / 8);
    const auto tree = write_device_tree(vm, {}, {reinterpret_cast<u8 *>(buffer.data()), buffer.size() * sizeof(u64)});
    ASSERT_TRUE(tree.has_value());
    test::TreeView view(*tree);
    EXPECT_EQ(view.texts("/small@9000000", "compatible"), "example,small|");
    EXPECT_EQ(view.texts("/chosen", "stdout-path"), "/small@9000000|");
    EXPECT_EQ(view.cells("/small@9000000", "phandle"), view.cells("/friend", "of"));
    EXPECT_NE(view.cells("/small@9000000", "phandle"), view.cells("/apb-pclk", "phandle"));
}

TEST(DeviceKind, ThatNobodyCanMakeIsRefusedByName) {
    MachineDescription vm = with_small();
    vm.devices[0].kind = &dev::kPl011Elsewhere;
    test::MachineRig rig(vm);
    const auto built = rig.machine->build();
    ASSERT_FALSE(built.has_value());
    EXPECT_EQ(built.error().key.view(), "devices.uart");
    EXPECT_EQ(built.error().message.view(), "there is no model of it");
}

TEST(DeviceKind, IsRequiredOfARecord) {
    MachineDescription vm = with_small();
    vm.devices[1].kind = nullptr;
    const Problems problems = validate(vm, 0);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].key.view(), "vm[0].devices.rtc.type");
}

TEST(DeviceKind, IsFoundByTheNameOfItsType) {
    for (const dev::DeviceKind *kind : virt_devices()) {
        EXPECT_EQ(dev::find_kind(virt_devices(), kind->type), kind) << kind->type; // no type twice
        EXPECT_NE(kind->make, nullptr) << kind->type;
    }
    EXPECT_EQ(dev::find_kind(virt_devices(), "ns16550a"), nullptr);
}

} // namespace
} // namespace sel4vm::machine
