// SPDX-License-Identifier: BSD-2-Clause
//
// PL011 against DDI 0183: registers, FIFO, interrupts, loopback, and our own rules of the receive gate.
#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/pl011.hpp>
#include <support/recording_irqs.hpp>

#include <string>
#include <string_view>

namespace sel4vm::dev {
namespace {

enum : u64 {
    dr = 0x000,
    rsr = 0x004,
    fr = 0x018,
    ilpr = 0x020,
    ibrd = 0x024,
    fbrd = 0x028,
    lcr_h = 0x02c,
    cr = 0x030,
    ifls = 0x034,
    imsc = 0x038,
    ris = 0x03c,
    mis = 0x040,
    icr = 0x044,
    dmacr = 0x048,
};
constexpr u32 kIntid = 33;
constexpr u64 kFifoOn = 1U << 4;
constexpr u64 kEnabled = 0x301;
constexpr u64 kLoopback = 1U << 7;
constexpr u64 kRxm = 1U << 4;
constexpr u64 kTxm = 1U << 5;
constexpr u64 kRtm = 1U << 6;
constexpr u64 kOem = 1U << 10;
constexpr u64 kRxfe = 1U << 4;
constexpr u64 kTxff = 1U << 5;
constexpr u64 kRxff = 1U << 6;
constexpr u64 kTxfe = 1U << 7;
constexpr u64 kModemIdle = 0x7; // CTS, DSR, DCD

struct Pl011Test : testing::Test, ReceiveListener {
    Pl011Test() { uart.set_listener(this); }
    void receive_space() override {
        ++woken;
        if (!pending.empty())
            pending.erase(0, offer(pending));
    }
    u64 get(u64 offset, Width width = Width::b4) { return *uart.read(Access{offset, width, VcpuId{0}}); }
    void set(u64 offset, u64 value, Width width = Width::b4) {
        ASSERT_TRUE(uart.write(Access{offset, width, VcpuId{0}}, value));
    }
    usize offer(std::string_view text) {
        return uart.receive({reinterpret_cast<const u8 *>(text.data()), text.size()});
    }
    /// What Linux does when it opens the port, in its order.
    void open_like_linux() {
        set(cr, kEnabled);
        set(lcr_h, 0x70);
        set(icr, 0x7ff);
        for (int i = 0; i < 64 && (get(fr) & kRxfe) == 0; ++i)
            drained += static_cast<char>(get(dr));
        set(imsc, kRxm | kRtm);
    }
    std::string read_all() {
        std::string text;
        while ((get(fr) & kRxfe) == 0)
            text += static_cast<char>(get(dr));
        return text;
    }

    test::RecordingIrqs chip;
    fake::ByteSink sink;
    Pl011 uart{IrqLine(chip, kIntid), sink};
    int woken = 0;
    std::string pending;
    std::string drained;
};

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

// -- receive gate

TEST_F(Pl011Test, InputBeforeTheGuestIsReadyIsRefusedAndComesCompleteAfterTheDrivesStart) {
    pending = "uname -a\n";
    EXPECT_EQ(offer(pending), 0u);
    open_like_linux();
    EXPECT_EQ(drained, "");
    EXPECT_EQ(woken, 1);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(read_all(), "uname -a\n");
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl011Test, TheGateNeedsUartReceiverAndOneReceiveInterrupt) {
    const auto open = [&](u64 control, u64 mask) {
        set(cr, control);
        set(imsc, mask);
        return uart.receive_space() > 0;
    };
    EXPECT_FALSE(open(0x300, kRxm));
    EXPECT_FALSE(open(0x101, kRxm));
    EXPECT_FALSE(open(0x301, kTxm | kOem));
    EXPECT_TRUE(open(0x301, kRxm));
    EXPECT_TRUE(open(0x301, kRtm));
    EXPECT_TRUE(open(0x201, kRtm));
    EXPECT_FALSE(open(0x301, 0)) << "closes again when the driver masks";
    EXPECT_FALSE(open(0x301 | kLoopback, kRxm)) << "the outside is disconnected in loopback";
}

TEST_F(Pl011Test, PollingOpensTheGateAfterSixtyFourEmptyReads) {
    pending = "go";
    EXPECT_EQ(offer(pending), 0u);
    for (int i = 0; i < 63; ++i)
        EXPECT_NE(get(fr) & kRxfe, 0u);
    EXPECT_EQ(uart.receive_space(), 0u);
    get(fr);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(read_all(), "go") << "one character after the other without FIFO";
    EXPECT_EQ(woken, 2);
}

TEST_F(Pl011Test, OutputBetweenPollsStartsTheCountAgain) {
    for (int i = 0; i < 63; ++i)
        get(fr);
    set(dr, '.');
    for (int i = 0; i < 63; ++i)
        get(fr);
    EXPECT_EQ(uart.receive_space(), 0u);
    get(fr);
    EXPECT_GT(uart.receive_space(), 0u);
}

TEST_F(Pl011Test, ADriverThatTakesOverFromAPollingLoaderClosesTheGate) {
    for (int i = 0; i < 64; ++i)
        get(fr);
    ASSERT_GT(uart.receive_space(), 0u);
    set(imsc, 0);
    EXPECT_EQ(uart.receive_space(), 0u);
    for (int i = 0; i < 64; ++i)
        get(fr);
    ASSERT_GT(uart.receive_space(), 0u);
    set(cr, kEnabled);
    EXPECT_EQ(uart.receive_space(), 0u);
}

// -- receiver

struct Pl011Receiver : Pl011Test {
    Pl011Receiver() {
        open_like_linux();
        set(ifls, 0x12); // half
    }
};

TEST_F(Pl011Receiver, NothingIsLostWhenTheGuestIsSlow) {
    std::string sent;
    for (int i = 0; i < 1000; ++i)
        sent += static_cast<char>('!' + i % 90);
    pending = sent;
    pending.erase(0, offer(pending));
    EXPECT_EQ(pending.size(), sent.size() - 32);
    EXPECT_NE(get(fr) & kRxff, 0u);
    EXPECT_EQ(offer("z"), 0u) << "full";
    EXPECT_EQ(read_all(), sent);
    EXPECT_LT(woken, 80) << "the source is woken per half FIFO, not per byte";
}

TEST_F(Pl011Receiver, TheLevelInterruptFollowsTheTrigger) {
    set(imsc, kRxm);
    EXPECT_EQ(offer("0123456789abcde"), 15u);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(offer("f"), 1u);
    EXPECT_TRUE(chip.high(kIntid));
    get(dr);
    EXPECT_FALSE(chip.high(kIntid)) << "below the trigger again";
}

TEST_F(Pl011Receiver, AClearedLevelInterruptNeedsANewTransition) {
    set(imsc, kRxm);
    EXPECT_EQ(offer("0123456789abcdef"), 16u);
    get(ris);
    set(icr, kRxm);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(offer("g"), 1u);
    EXPECT_FALSE(chip.high(kIntid)) << "17 bytes: no transition through 16";
    get(dr);
    get(dr);
    EXPECT_EQ(offer("h"), 1u);
    EXPECT_TRUE(chip.high(kIntid));
}

TEST_F(Pl011Receiver, TriggerLevelsAreEighths) {
    set(imsc, kRxm);
    const std::array<usize, 8> kLevels{4, 8, 16, 24, 28, 28, 28, 28};
    for (usize select = 0; select < kLevels.size(); ++select) {
        set(ifls, select << 3);
        EXPECT_EQ(offer(std::string(kLevels[select] - 1, 'x')), kLevels[select] - 1);
        EXPECT_FALSE(chip.high(kIntid)) << select;
        EXPECT_EQ(offer("x"), 1u);
        EXPECT_TRUE(chip.high(kIntid)) << select;
        read_all();
    }
}

TEST_F(Pl011Receiver, RaisingTheTriggerAboveTheFillLevelTakesTheInterruptBack) {
    set(imsc, kRxm);
    set(ifls, 0);
    EXPECT_EQ(offer("1234"), 4u);
    EXPECT_TRUE(chip.high(kIntid));
    set(ifls, 1 << 3);
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl011Receiver, TheTimeoutInterruptStaysUntilTheFifoIsEmpty) {
    set(imsc, kRtm);
    EXPECT_EQ(offer("ab"), 2u);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(dr), u64{'a'});
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(dr), u64{'b'});
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(get(dr), 0u) << "an empty FIFO reads as zero";
}

TEST_F(Pl011Receiver, AHandlerThatClearsFirstAndReadsLaterIsNotAskedAgain) {
    EXPECT_EQ(offer("a"), 1u);
    EXPECT_NE(get(mis), 0u);
    set(icr, kRxm | kRtm);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(read_all(), "a");
}

TEST_F(Pl011Receiver, BytesThatCameBetweenTheLastLookAndTheClearAreStillAnnounced) {
    EXPECT_EQ(offer("a"), 1u);
    EXPECT_EQ(read_all(), "a");
    EXPECT_EQ(offer("b"), 1u);
    set(icr, kRxm | kRtm);
    EXPECT_TRUE(chip.high(kIntid));
    set(icr, kRxm | kRtm);
    EXPECT_FALSE(chip.high(kIntid)) << "but a handler that never looks is not asked for ever";
}

TEST_F(Pl011Receiver, WithoutFifoEachCharacterInterrupts) {
    set(lcr_h, 0x60);
    EXPECT_EQ(offer("ab"), 1u);
    EXPECT_EQ(get(ris) & (kRxm | kRtm), kRxm);
    EXPECT_NE(get(fr) & kRxff, 0u);
    EXPECT_EQ(get(dr), u64{'a'});
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl011Receiver, SwitchingTheFifoEmptiesIt) {
    EXPECT_EQ(offer("abc"), 3u);
    set(lcr_h, 0x60);
    EXPECT_NE(get(fr) & kRxfe, 0u);
    EXPECT_FALSE(chip.high(kIntid));
    set(lcr_h, 0x60);
    EXPECT_EQ(offer("d"), 1u);
    set(lcr_h, 0x62);
    EXPECT_EQ(get(dr), u64{'d'}) << "other bits do not";
}

TEST_F(Pl011Receiver, TheSmallFifoHoldsSixteen) {
    Pl011 small{IrqLine{}, sink, Pl011Fifo::bytes16};
    const auto write = [&](u64 offset, u64 value) {
        ASSERT_TRUE(small.write(Access{offset, Width::b4, VcpuId{0}}, value));
    };
    write(cr, kEnabled);
    write(lcr_h, kFifoOn);
    write(imsc, kRxm);
    EXPECT_EQ(small.receive_space(), 16u);
}

// -- loopback

struct Pl011Loopback : Pl011Test {
    Pl011Loopback() {
        set(lcr_h, kFifoOn);
        set(cr, kEnabled | kLoopback);
    }
};

TEST_F(Pl011Loopback, BytesComeBackAndStayInside) {
    for (const char c : std::string_view("loop"))
        set(dr, static_cast<u64>(c));
    EXPECT_EQ(sink.text, "");
    EXPECT_EQ(read_all(), "loop");
    EXPECT_EQ(offer("x"), 0u);
}

TEST_F(Pl011Loopback, AFullFifoOverruns) {
    set(imsc, kOem);
    for (u64 i = 0; i < 32; ++i)
        set(dr, 'a' + i % 26);
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(get(rsr), 0u);
    set(dr, 'Z');
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(rsr), 1u << 3);
    EXPECT_EQ(get(dr), (1U << 11) | 'a') << "the contents stay valid, and the error shows with the next character";
    set(dr, 'b');
    EXPECT_EQ(get(dr), u64{'b'}) << "a character fitted in again";
    EXPECT_EQ(get(rsr), 1u << 3) << "sticky";
    set(rsr, 0xff);
    EXPECT_EQ(get(rsr), 0u);
    set(icr, kOem);
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(Pl011Loopback, NothingComesBackWhileATransmitterOrReceiverIsOff) {
    for (const u64 control : {0x300u, 0x201u, 0x101u}) {
        set(cr, control | kLoopback);
        set(dr, 'x');
        EXPECT_NE(get(fr) & kRxfe, 0u) << control;
    }
}

TEST_F(Pl011Loopback, ModemOutputsAreModemInputs) {
    set(icr, 0x7ff);
    struct Pin {
        unsigned control_bit, flag_bit, interrupt_bit;
    };
    for (const Pin pin : {Pin{11, 0, 1}, Pin{10, 1, 3}, Pin{12, 2, 2}, Pin{13, 8, 0}}) {
        set(cr, kEnabled | kLoopback | 1U << pin.control_bit);
        EXPECT_EQ(get(fr) & 0x107, 1U << pin.flag_bit);
        EXPECT_EQ(get(ris) & 0xf, 1U << pin.interrupt_bit);
        set(cr, kEnabled | kLoopback);
        set(icr, 0xf);
    }
}

// -- state

TEST_F(Pl011Receiver, ASavedStateComesBackWithItsLine) {
    EXPECT_EQ(offer("saved"), 5u);
    const Pl011::State state = uart.state();
    uart.reset();
    EXPECT_FALSE(chip.high(kIntid));
    EXPECT_EQ(uart.state(), Pl011::State{});
    uart.restore(state);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(read_all(), "saved");
}

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
