// SPDX-License-Identifier: BSD-2-Clause
//
// PL011's UARTICR (DDI 0183, 3.3.13): a one clears that interrupt, a zero leaves it.
#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/pl011/pl011.hpp>
#include <support/recording_irqs.hpp>

namespace sel4vm::dev {
namespace {

constexpr u64 kData = 0x000, kControl = 0x030, kMask = 0x038, kRaw = 0x03c, kClear = 0x044;
constexpr u64 kReceive = 1U << 4, kTransmit = 1U << 5, kOverrun = 1U << 10;

struct Pl011Clear : testing::Test {
    Pl011Clear() {
        set(kControl, 0x301);
        set(kMask, kReceive); // it wants input
        set(kData, 'x');      // sent at once
        const u8 byte = 'y';
        EXPECT_EQ(uart.receive({&byte, 1}), 1u);
        EXPECT_EQ(get(kRaw), kReceive | kTransmit);
    }
    u64 get(u64 offset) { return *uart.read(Access{offset, Width::b4, VcpuId{0}}); }
    void set(u64 offset, u64 value) { ASSERT_TRUE(uart.write(Access{offset, Width::b4, VcpuId{0}}, value)); }

    test::RecordingIrqs chip;
    fake::ByteSink sink;
    Pl011 uart{IrqLine(chip, 33), sink};
};

TEST_F(Pl011Clear, ClearsTheInterruptsThatAreNamedOnly) {
    set(kClear, kTransmit);
    EXPECT_EQ(get(kRaw), kReceive);
    set(kData, 'z');
    EXPECT_EQ(get(kRaw), kReceive | kTransmit);
    set(kClear, kReceive);
    EXPECT_EQ(get(kRaw), kTransmit);
}

TEST_F(Pl011Clear, IsNotMovedByZerosAndByBitsThatAreReserved) {
    for (const u64 value : {u64{0}, u64{kOverrun}, u64{0xf}, u64{0xffff'f800}}) {
        set(kClear, value);
        EXPECT_EQ(get(kRaw), kReceive | kTransmit) << value;
    }
}

} // namespace
} // namespace sel4vm::dev
