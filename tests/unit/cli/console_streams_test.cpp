// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/console_streams.hpp>

#include <gtest/gtest.h>

namespace sel4vm::cli {
namespace {

using namespace std::string_literals;

/// Feeds in parts of every size, because a stream may be cut anywhere.
LineDemux::Output feed_in_parts(std::string_view bytes, usize part) {
    LineDemux demux;
    LineDemux::Output all;
    for (usize at = 0; at < bytes.size(); at += part) {
        const auto out = demux.feed(bytes.substr(at, part));
        all.guest += out.guest;
        all.host_lines.insert(all.host_lines.end(), out.host_lines.begin(), out.host_lines.end());
    }
    return all;
}

TEST(LineDemux, TakesHostLinesOutOfTheMiddleOfAGuestsLine) {
    const std::string stream = "hel\x1esel4vm: info: host: up\r\nlo\n";
    for (usize part = 1; part <= stream.size(); ++part) {
        const auto out = feed_in_parts(stream, part);
        EXPECT_EQ(out.guest, "hello\n");
        ASSERT_EQ(out.host_lines.size(), 1U);
        EXPECT_EQ(out.host_lines[0], "info: host: up");
    }
}

TEST(LineDemux, PassesEveryByteOfAGuest) {
    std::string all;
    std::string on_the_line;
    for (int value = 0; value < 256; ++value) {
        all += static_cast<char>(value);
        on_the_line += static_cast<char>(value);
        if (static_cast<char>(value) == LineDemux::kMark)
            on_the_line += LineDemux::kMark;
    }
    for (const usize part : {usize{1}, usize{2}, usize{7}, on_the_line.size()}) {
        const auto out = feed_in_parts(on_the_line, part);
        EXPECT_EQ(out.guest, all);
        EXPECT_TRUE(out.host_lines.empty());
    }
}

TEST(LineDemux, EndsAHostLineThatNeverEnds) {
    LineDemux demux;
    const auto out = demux.feed("\x1e" + std::string(10'000, 'x'));
    EXPECT_EQ(out.host_lines.size(), 1U);
    EXPECT_FALSE(out.guest.empty());
}

TEST(LineDemux, ReturnsWhatTheHostSaidLast) {
    LineDemux demux;
    EXPECT_TRUE(demux.feed("\x1esel4vm: error: host: dat").host_lines.empty());
    EXPECT_EQ(demux.finish(), "error: host: dat");
    EXPECT_EQ(demux.finish(), std::nullopt);
}

TEST(EscapeKeys, PassEverythingButCtrlA) {
    EscapeKeys keys;
    const std::string bytes = "ab\x03\x04\x1a\xff\0c"s;
    const auto input = keys.feed(bytes);
    EXPECT_EQ(input.bytes, bytes);
    EXPECT_EQ(input.action, std::nullopt);
}

TEST(EscapeKeys, KnowTheirOwnKeysEvenInTwoReads) {
    EscapeKeys keys;
    EXPECT_EQ(keys.feed("x\x01").bytes, "x");
    EXPECT_EQ(keys.feed("x").action, EscapeKeys::Action::quit);
    EXPECT_EQ(keys.feed("\x01h").action, EscapeKeys::Action::help);
    EXPECT_EQ(keys.feed("\x01z").action, EscapeKeys::Action::suspend);
}

TEST(EscapeKeys, SendCtrlAWhenAsked) {
    EscapeKeys keys;
    EXPECT_EQ(keys.feed("\x01\x61").bytes, "\x01");
    EXPECT_EQ(keys.feed("\x01\x01").bytes, "\x01");
    EXPECT_EQ(keys.feed("\x01q").bytes, "q");
}

TEST(InputEnd, IsSentAgainWhenTheGuestHasSaidSomethingAndIsQuiet) {
    using namespace std::chrono_literals;
    const InputEnd::Clock::time_point start{};
    InputEnd end;
    end.heard(start);
    EXPECT_EQ(end.due(), std::nullopt) << "the input goes on";
    EXPECT_EQ(end.send(), "\x04");
    EXPECT_EQ(end.due(), std::nullopt) << "nothing was heard since";
    end.heard(start + 10s);
    EXPECT_EQ(end.due(), start + 12s);
    end.heard(start + 11s);
    EXPECT_EQ(end.due(), start + 13s) << "it was not quiet";
    EXPECT_EQ(end.send(), "\x04");
    EXPECT_EQ(end.due(), std::nullopt);
}

TEST(InputEnd, EndsTheLastLineBeforeTheSecond) {
    InputEnd end;
    end.fed("one\ntwo");
    end.fed("");
    EXPECT_EQ(end.send(), "\x04") << "what was piped in is what comes out";
    EXPECT_EQ(end.send(), "\n\x04");
    EXPECT_EQ(end.send(), "\x04");
    InputEnd complete;
    complete.fed("one");
    complete.fed(" two\n");
    EXPECT_EQ(complete.send(), "\x04");
    EXPECT_EQ(complete.send(), "\x04");
}

TEST(InputEnd, IsSentAHundredTimesAtMost) {
    InputEnd end;
    for (unsigned i = 0; i < InputEnd::kMost; ++i) {
        EXPECT_EQ(end.send(), "\x04");
        end.heard({});
        EXPECT_EQ(end.due().has_value(), i + 1 < InputEnd::kMost) << i;
    }
}

} // namespace
} // namespace sel4vm::cli
