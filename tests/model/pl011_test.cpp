// SPDX-License-Identifier: BSD-2-Clause
//
// PL011 against DDI 0183: registers, transmitter, state that is saved and forged. The receiver is in pl011_receiver_test.cpp.
#include "pl011_fixture.hpp"

namespace sel4vm::dev {
namespace {

// -- registers

struct Stored {
    const char *name;
    u64 offset;
    u64 reset;
    u64 writable;
};
class Pl011StoredRegister : public Pl011Test, public testing::WithParamInterface<Stored> {};

TEST_P(Pl011StoredRegister, HasItsResetValueKeepsItsBitsAndIsReset) {
    const Stored row = GetParam();
    EXPECT_EQ(get(row.offset), row.reset);
    set(row.offset, 0xffff'ffff);
    EXPECT_EQ(get(row.offset), row.writable);
    set(row.offset, 0);
    EXPECT_EQ(get(row.offset), 0u);
    uart.reset();
    EXPECT_EQ(get(row.offset), row.reset);
}
INSTANTIATE_TEST_SUITE_P(All, Pl011StoredRegister,
                         testing::Values(Stored{"ILPR", ilpr, 0, 0xff}, Stored{"IBRD", ibrd, 0, 0xffff},
                                         Stored{"FBRD", fbrd, 0, 0x3f}, Stored{"LCR_H", lcr_h, 0, 0xff},
                                         Stored{"CR", cr, 0x300, 0xff87}, Stored{"IFLS", ifls, 0x12, 0x3f},
                                         Stored{"IMSC", imsc, 0, 0x7ff}, Stored{"DMACR", dmacr, 0, 0x7}),
                         [](const auto &test) { return test.param.name; });

TEST_F(Pl011Test, FlagsAfterResetSayEmptyAndConnected) { EXPECT_EQ(get(fr), kTxfe | kRxfe | kModemIdle); }

TEST_F(Pl011Test, IdentifiesItselfWithTheRevisionOfItsFifo) {
    const auto id = [](Pl011 &device) {
        u64 value = 0;
        for (u64 i = 0; i < 8; ++i)
            value |= *device.read(Access{0xfe0 + 4 * i, Width::b4, VcpuId{0}}) << (8 * i);
        return value;
    };
    Pl011 shallow{IrqLine{}, sink, Pl011Fifo::bytes16};
    EXPECT_EQ(id(uart), 0xb105'f00d'0034'1011u);
    EXPECT_EQ(id(shallow), 0xb105'f00d'0024'1011u);
}

TEST_F(Pl011Test, ReservedOffsetsReadAsZeroAndWideAccessesAreRefused) {
    EXPECT_EQ(get(0x080), 0u);
    set(0x080, ~u64{0} >> 32);
    EXPECT_EQ(get(0x010), 0u);
    EXPECT_EQ(uart.read(Access{dr, Width::b8, VcpuId{0}}).error(), BusFault::width);
    EXPECT_EQ(uart.read(Access{0x01a, Width::b4, VcpuId{0}}).error(), BusFault::alignment);
}

TEST_F(Pl011Test, NarrowStoresWriteTheWholeRegister) {
    set(ibrd, 0xffff);
    set(ibrd, 0x12, Width::b1);
    EXPECT_EQ(get(ibrd), 0x12u);
    EXPECT_EQ(get(cr, Width::b2), 0x300u);
    EXPECT_EQ(get(cr + 1, Width::b1), 0x3u);
}

// -- transmitter

TEST_F(Pl011Test, BytesLeaveAtOnceWhateverTheWidthAndAlsoBeforeTheUartIsEnabled) {
    set(cr, 0);
    set(dr, 'a', Width::b1);
    set(dr, 'b', Width::b2);
    set(dr, 0xf00 | 'c');
    EXPECT_EQ(sink.text, "abc");
    EXPECT_EQ(get(fr) & (kTxff | kTxfe), kTxfe);
}

TEST_F(Pl011Test, TheTransmitInterruptComesWithATransitionOnly) {
    set(imsc, kTxm);
    EXPECT_FALSE(chip.high(kIntid)) << "empty from the start is not a transition";
    set(dr, 'x');
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(mis), kTxm);
    set(icr, kTxm);
    EXPECT_FALSE(chip.high(kIntid)) << "cleared, although the FIFO is still empty";
    set(dr, 'y');
    EXPECT_TRUE(chip.high(kIntid));
    set(imsc, 0);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(get(ris), kTxm);
    EXPECT_EQ(get(mis), 0u);
}

TEST_F(Pl011Test, ABreakIsIgnored) {
    set(lcr_h, 1);
    EXPECT_EQ(sink.text, "");
    EXPECT_EQ(get(lcr_h), 1u);
}

// -- state

TEST_F(Pl011Test, AForgedStateCannotReachOutsideTheFifo) {
    Pl011::State state = uart.state();
    state.head = 255;
    state.count = 255;
    state.line_control = kFifoOn;
    uart.restore(state);
    EXPECT_EQ(read_all().size(), 32u);
}

TEST_F(Pl011Test, ALineThatIsConnectedToNothingIsFine) {
    Pl011 alone{IrqLine{}, sink};
    ASSERT_TRUE(alone.write(Access{imsc, Width::b4, VcpuId{0}}, 0x7ff));
    ASSERT_TRUE(alone.write(Access{dr, Width::b4, VcpuId{0}}, 'x'));
    EXPECT_EQ(sink.text, "x");
}

} // namespace
} // namespace sel4vm::dev
