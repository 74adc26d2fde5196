// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/host_gic.hpp>

#include <gtest/gtest.h>
#include <string>

namespace sel4vm::machine {
namespace {

struct RecordingPort final : aarch64::GicPort {
    void set_wire(u32 intid, aarch64::Wire wire) override {
        calls += std::to_string(intid) + (wire == aarch64::Wire::high ? "+ " : "- ");
    }
    void set_private_wire(VcpuId vcpu, u32 intid, aarch64::Wire wire) override {
        calls += std::to_string(vcpu.value()) + ":";
        set_wire(intid, wire);
    }
    void reset() override { calls += "reset "; }
    std::string calls;
};

TEST(HostGic, DrivesTheHostsWires) {
    RecordingPort port;
    HostGic gic(port, 64);
    const IrqLine line{gic, 33};
    line.set(Level::high);
    line.set(Level::low);
    gic.set_private_level(VcpuId{2}, 30, Level::high);
    gic.reset();
    EXPECT_EQ(port.calls, "33+ 33- 2:30+ reset ");
}

TEST(HostGic, HasWhatTheHostWasAskedFor) {
    RecordingPort port;
    const HostGic gic(port, 64);
    EXPECT_TRUE(gic.has(16));
    EXPECT_TRUE(gic.has(95));
    EXPECT_FALSE(gic.has(96));
}

TEST(HostGic, NeitherPendsNorTellsEnds) {
    struct Listener final : EoiListener {
        void interrupt_ended(VcpuId, u32) override {}
    } listener;
    RecordingPort port;
    HostGic gic(port, 64);
    EXPECT_FALSE(gic.inject(VcpuId{0}, 33));
    EXPECT_FALSE(gic.set_eoi_listener(33, &listener));
    EXPECT_EQ(port.calls, "");
}

} // namespace
} // namespace sel4vm::machine
