// SPDX-License-Identifier: BSD-2-Clause
//
// One console, several guests: prefixes, unfinished lines, and where input goes.
#include <gtest/gtest.h>
#include <hosts/fake/services.hpp>
#include <sel4vm/dev/pl011/pl011.hpp>
#include <sel4vm/machine/console_switch.hpp>

#include <optional>
#include <string>
#include <vector>

namespace sel4vm::test {
namespace {

using machine::ConsoleOptions;
using machine::ConsoleSwitch;

struct Source final : ByteSource {
    usize read(std::span<u8> out) override {
        usize n = 0;
        while (n < out.size() && !text.empty()) {
            out[n++] = static_cast<u8>(text.front());
            text.erase(0, 1);
        }
        return n;
    }
    [[nodiscard]] InputFlow flow() const override { return kind; }
    std::string text;
    InputFlow kind = InputFlow::held;
};

struct ConsoleSwitchTest : testing::Test {
    void put(ByteSink *sink, std::string_view text) {
        sink->put({reinterpret_cast<const u8 *>(text.data()), text.size()});
    }
    /// As a driver does: receiver on, interrupt unmasked, so that the UART takes input.
    static void open(dev::Pl011 &uart) {
        ASSERT_TRUE(uart.write({0x30, Width::b4, VcpuId{0}}, 0x301));
        ASSERT_TRUE(uart.write({0x2c, Width::b4, VcpuId{0}}, 0x70));
        ASSERT_TRUE(uart.write({0x38, Width::b4, VcpuId{0}}, 0x50));
    }
    static std::string drain(dev::Pl011 &uart) {
        std::string text;
        while ((*uart.read({0x18, Width::b4, VcpuId{0}}) & 0x10) == 0)
            text += static_cast<char>(*uart.read({0x00, Width::b4, VcpuId{0}}) & 0xff);
        return text;
    }
    fake::ByteSink console;
    Source source;
    fake::ByteSink unused;
    dev::Pl011 a{IrqLine{}, unused};
    dev::Pl011 b{IrqLine{}, unused};
};

/// Counts what it is told.
struct Announced final : EventPort {
    void resume_and_wait(Answer, Event &) override {}
    void apply(Answer) override {}
    void set_timeout(u64) override {}
    void cancel_timeout() override {}
    void signal(u64 badge) override { badges.push_back(badge); }
    std::vector<u64> badges;
};

TEST_F(ConsoleSwitchTest, WithAnAnnouncerRoomForInputIsTakenWhenItSays) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{}, LockMode::spin);
    Announced announced;
    consoles.set_announcer(&announced, 8);
    ASSERT_NE(consoles.add("one"), nullptr);
    consoles.connect(0, a);
    open(a);
    source.text = std::string(40, 'x'); // more than the FIFO takes
    consoles.pump();
    const std::string first = drain(a); // makes room, inside the guest's accesses
    EXPECT_EQ(announced.badges, std::vector<u64>{8});
    EXPECT_LT(first.size(), 40u);
    EXPECT_EQ(drain(a), "") << "nothing comes by itself";
    consoles.pump();
    EXPECT_EQ(first + drain(a), std::string(40, 'x'));
}

TEST_F(ConsoleSwitchTest, OneVmHasNoPrefix) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    put(consoles.add("one"), "hello\nworld");
    EXPECT_EQ(console.text, "hello\nworld");
}

TEST_F(ConsoleSwitchTest, SeveralVmsAreTellable) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    ByteSink *one = consoles.add("one");
    ByteSink *two = consoles.add("two");
    put(one, "a\nb");
    put(two, "c\n");
    put(one, "d\n");
    EXPECT_EQ(console.text, "one| a\none| b\r\ntwo| c\none| d\n");
}

TEST_F(ConsoleSwitchTest, HostLineEndsAnUnfinishedGuestLine) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    put(consoles.add("one"), "login: ");
    consoles.interrupt_line();
    consoles.interrupt_line();
    EXPECT_EQ(console.text, "login: \r\n");
}

TEST_F(ConsoleSwitchTest, InputIsLeftWithItsSourceUntilTheGuestTakesIt) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    static_cast<void>(consoles.add("one"));
    consoles.connect(0, a);
    source.text = std::string(100, 'x');
    consoles.pump();
    EXPECT_EQ(source.text.size(), 99u) << "one byte ahead; the guest has not opened its UART";
    open(a);
    consoles.pump();
    std::string seen;
    for (int round = 0; round < 20; ++round)
        seen += drain(a);
    EXPECT_EQ(seen, std::string(100, 'x'));
    EXPECT_EQ(source.text, "");
}

TEST_F(ConsoleSwitchTest, EscapeMovesTheInput) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "two", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(a);
    open(b);
    source.text = "x\x14"
                  "1y\x14\x14z\x14"
                  "9";
    consoles.pump();
    EXPECT_EQ(drain(b), "x");
    EXPECT_EQ(drain(a), "y\x14z");
    EXPECT_NE(console.text.find("console input to one"), std::string::npos);
}

struct Button final : PowerButton {
    void press() override { ++presses; }
    int presses = 0;
};

TEST_F(ConsoleSwitchTest, EscapeAndPPressThePowerButtonOfTheVmThatHasTheInput) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "two", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    Button one, two;
    consoles.connect(0, one);
    consoles.connect(1, two);
    source.text = "\x14p\x14p";
    consoles.pump();
    EXPECT_EQ(one.presses, 0);
    EXPECT_EQ(two.presses, 2);
    EXPECT_EQ(console.text, "power button pressed: two\r\npower button pressed: two\r\n");
    consoles.disconnect(1);
    console.text.clear();
    source.text = "\x14p";
    consoles.pump();
    EXPECT_EQ(two.presses, 2) << "it is gone with its VM";
    EXPECT_EQ(console.text, "VM two has stopped\r\n");
}

TEST_F(ConsoleSwitchTest, EscapeWorksWhileTheGuestTakesNothing) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(b);
    source.text = "\x14"
                  "2y";
    consoles.pump();
    EXPECT_EQ(drain(b), "y");
}

TEST_F(ConsoleSwitchTest, WhatIsTypedToAVmThatTakesNothingDoesNotHideTheEscape) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    Button button;
    consoles.connect(0, a);
    consoles.connect(0, button);
    consoles.connect(1, b);
    open(b);
    source.kind = InputFlow::typed;
    source.text = "ls\n\x14p\x14"
                  "2y";
    consoles.pump();
    EXPECT_EQ(button.presses, 1);
    EXPECT_EQ(drain(b), "y");
    open(a);
    consoles.pump();
    EXPECT_EQ(drain(a), "ls\n") << "it waited";
    EXPECT_EQ(console.text.find("lost"), std::string::npos);
}

TEST_F(ConsoleSwitchTest, WhatIsTypedWaitsUpToABoundAndBeyondItIsLostWithOneLine) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(b);
    source.kind = InputFlow::typed;
    const std::string kept(ConsoleSwitch::kAheadBytes, 'k');
    source.text = kept + "more\x14"
                         "2y";
    consoles.pump();
    EXPECT_EQ(drain(b), "y");
    EXPECT_EQ(console.text, "VM one takes no input: it is lost\r\nconsole input to two\r\n");
    open(a);
    consoles.pump();
    std::string seen;
    for (usize round = 0; round < kept.size(); ++round)
        seen += drain(a);
    EXPECT_EQ(seen, kept) << "also where the input is another's now";
    EXPECT_EQ(drain(b), "");
}

TEST_F(ConsoleSwitchTest, PipedInputIsNeverLostNorReadAhead) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(b);
    const std::string first(2 * ConsoleSwitch::kAheadBytes, 'k');
    source.text = first + "\x14"
                          "2y";
    consoles.pump();
    EXPECT_EQ(source.text.size(), first.size() - 1 + 3);
    open(a);
    consoles.pump();
    std::string seen;
    for (usize round = 0; round < first.size(); ++round)
        seen += drain(a);
    EXPECT_EQ(seen, first);
    EXPECT_EQ(drain(b), "y");
}

TEST_F(ConsoleSwitchTest, InputDoesNotMoveToAVmThatHasStopped) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "two", 0x14});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(a);
    open(b);
    consoles.disconnect(0);
    source.text = "\x14"
                  "1x";
    consoles.pump();
    EXPECT_EQ(console.text, "VM one has stopped\r\n");
    EXPECT_EQ(drain(b), "x");
}

TEST_F(ConsoleSwitchTest, AVmThatRunsAgainHasItsInputAgainWhenItWasChosen) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
    source.kind = InputFlow::typed;
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    Button button;
    consoles.connect(0, a);
    consoles.connect(1, b);
    consoles.connect(1, button);
    open(a);
    open(b);
    consoles.disconnect(1);
    source.text = "x";
    consoles.pump();
    consoles.reconnect(1);
    source.text = "y";
    consoles.pump();
    EXPECT_EQ(drain(a), "xy") << "nobody chose it";
    consoles.disconnect(1);
    source.text = "\x14"
                  "2z\x14"
                  "p";
    consoles.pump();
    EXPECT_EQ(drain(a), "z") << "it has stopped";
    EXPECT_EQ(button.presses, 0);
    consoles.reconnect(1);
    consoles.reconnect(1);
    source.text = "w\x14"
                  "p";
    consoles.pump();
    EXPECT_EQ(drain(a), "");
    EXPECT_EQ(drain(b), "w");
    EXPECT_EQ(button.presses, 1);
}

TEST_F(ConsoleSwitchTest, TheOnlyVmThatRunsAgainHasTheInputThatWaited) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    static_cast<void>(consoles.add("one"));
    consoles.connect(0, a);
    open(a);
    consoles.disconnect(0);
    source.text = "xy";
    consoles.pump();
    EXPECT_EQ(drain(a), "");
    consoles.reconnect(0);
    EXPECT_EQ(drain(a), "xy");
}

TEST_F(ConsoleSwitchTest, AByteThatAVmDidNotTakeBeforeItStoppedGoesToTheNextWhenItIsPiped) {
    for (const InputFlow kind : {InputFlow::held, InputFlow::typed}) {
        ConsoleSwitch consoles(console, source, ConsoleOptions{machine::LinePrefix::never, "", 0x14});
        dev::Pl011 first{IrqLine{}, unused};
        dev::Pl011 second{IrqLine{}, unused};
        static_cast<void>(consoles.add("one"));
        static_cast<void>(consoles.add("two"));
        consoles.connect(0, first);
        consoles.connect(1, second);
        open(second);
        source.kind = kind;
        source.text = "q";
        consoles.pump();
        consoles.disconnect(0);
        EXPECT_EQ(drain(second), kind == InputFlow::held ? "q" : "") << "a person meant the other";
    }
}

TEST_F(ConsoleSwitchTest, InputOfAVmThatIsGoneMovesOn) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    static_cast<void>(consoles.add("one"));
    static_cast<void>(consoles.add("two"));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(b);
    source.text = "q";
    consoles.disconnect(0);
    EXPECT_EQ(drain(b), "q");
}

// Not a PL011: one byte at a time, as a UART without a FIFO would have it.
struct OneByte final : SerialPort {
    usize receive(std::span<const u8> bytes) override {
        if (held || bytes.empty())
            return 0;
        held = bytes[0];
        return 1;
    }
    void set_listener(ReceiveListener *to) override { listener = to; }
    char take() {
        const char byte = static_cast<char>(held.value_or(0));
        held.reset();
        listener->receive_space();
        return byte;
    }
    std::optional<u8> held;
    ReceiveListener *listener = nullptr;
};

TEST_F(ConsoleSwitchTest, AnyModelOfASerialPortReceivesWithoutLosingAByte) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    static_cast<void>(consoles.add("one"));
    OneByte port;
    consoles.connect(0, port);
    source.text = "abc";
    consoles.pump();
    std::string seen;
    while (port.held)
        seen += port.take();
    EXPECT_EQ(seen, "abc");
}

TEST_F(ConsoleSwitchTest, AVmThatWasRemovedMakesRoomForAnother) {
    ConsoleSwitch consoles(console, source, ConsoleOptions{});
    ByteSink *one = consoles.add("one");
    EXPECT_EQ(consoles.index_of(*one), 0U);
    for (usize i = 0; i < 2 * machine::kMaxVms; ++i) {
        ByteSink *two = consoles.add("two");
        ASSERT_NE(two, nullptr);
        EXPECT_EQ(consoles.index_of(*two), 1U);
        consoles.connect(1, b);
        put(two, "x");
        consoles.remove(1);
    }
    console.text.clear();
    put(one, "alone\n");
    EXPECT_EQ(console.text, "alone\n");
}

/// What was asked for, as text.
struct Asked final : machine::ConsoleCommands {
    void asked(machine::ConsoleCommand command, usize vm) override {
        text += std::to_string(static_cast<int>(command)) + "@" + std::to_string(vm) + " ";
    }
    std::string text;
};

TEST_F(ConsoleSwitchTest, KeysBehindTheEscapeGoToWhoeverRunsTheVms) {
    ConsoleSwitch consoles(console, source,
                           ConsoleOptions{.prefix = machine::LinePrefix::when_several, .input = "", .escape = 2});
    Asked commands;
    consoles.set_commands(&commands);
    for (const char *name : {"one", "two"})
        static_cast<void>(consoles.add(name));
    consoles.connect(0, a);
    consoles.connect(1, b);
    open(a);
    open(b);
    source.text = "\x02l\x02h\x02g\x02r\x02k\x02i\x02q\x02"
                  "2\x02h"
                  "x\x02\x02";
    consoles.pump();
    EXPECT_EQ(commands.text, "0@0 1@0 2@0 3@0 4@0 5@0 6@0 1@1 ");
    EXPECT_EQ(drain(a), "");
    EXPECT_EQ(drain(b), "x\x02") << "of the guest's input nothing is lost";
}

TEST_F(ConsoleSwitchTest, AnotherKeyShowsThemAndWithoutCommandsTheyMeanNothing) {
    ConsoleSwitch consoles(console, source,
                           ConsoleOptions{.prefix = machine::LinePrefix::when_several, .input = "", .escape = 2});
    static_cast<void>(consoles.add("one"));
    consoles.connect(0, a);
    open(a);
    source.text = "\x02h\x02?";
    consoles.pump();
    EXPECT_EQ(console.text, "");
    Asked commands;
    consoles.set_commands(&commands);
    source.text = "\x02?";
    consoles.pump();
    EXPECT_EQ(console.text,
              "a number: input to that VM; l: list VMs; q: quit. Of VM one: p power button, h hold, g go on, r "
              "reset, k stop, i statistics\r\n");
    EXPECT_EQ(commands.text, "");
    EXPECT_EQ(drain(a), "");
}

} // namespace
} // namespace sel4vm::test
