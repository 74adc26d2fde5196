// SPDX-License-Identifier: BSD-2-Clause
//
// PL011's receiver: our own rules of the receive gate, FIFO, trigger levels, loopback (DDI 0183).
#include "pl011_fixture.hpp"

namespace sel4vm::dev {
namespace {

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

} // namespace
} // namespace sel4vm::dev
