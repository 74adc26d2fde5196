// SPDX-License-Identifier: BSD-2-Clause
//
// A kernel that gives up: which lines say so, and what becomes of its VM.
#include <gtest/gtest.h>
#include <sel4vm/machine/panic_watch.hpp>
#include <string>
#include <support/manual_timeouts.hpp>
#include <support/vm_fixture.hpp>

namespace sel4vm::machine {
namespace {

std::span<const u8> bytes(std::string_view text) { return {reinterpret_cast<const u8 *>(text.data()), text.size()}; }

std::optional<std::string> reason_in(PanicLine &line, std::string_view text) {
    const auto reason = line.feed(bytes(text));
    return reason ? std::optional(std::string(*reason)) : std::nullopt;
}
std::optional<std::string> reason_in(std::string_view text) {
    PanicLine line;
    return reason_in(line, text);
}

TEST(PanicLine, IsFoundInPieces) {
    PanicLine line;
    EXPECT_EQ(reason_in(line, "booting\r\n[    1.234567] Kernel panic - not sync"), std::nullopt);
    EXPECT_EQ(reason_in(line, "ing: VFS: Unable to mount root fs\r"), std::nullopt);
    EXPECT_EQ(reason_in(line, "\n"), "VFS: Unable to mount root fs");
    EXPECT_EQ(reason_in(line, "Kernel panic - not syncing: again\n"), "again");
}

TEST(PanicLine, IsFoundBehindStamps) {
    EXPECT_EQ(reason_in("Kernel panic - not syncing: a\n"), "a");
    EXPECT_EQ(reason_in("[   12.000001] [    T1] Kernel panic - not syncing: b\n"), "b");
    EXPECT_EQ(reason_in("[    0.5][C0] Kernel panic - not syncing: c\n"), std::nullopt);
    EXPECT_EQ(reason_in("Kernel panic - not syncing\n"), "");
}

TEST(PanicLine, IsNotFoundInsideALine) {
    for (const auto text :
         {"~ # echo Kernel panic - not syncing: joke\n", "[hello] Kernel panic - not syncing: joke\n",
          "---[ end Kernel panic - not syncing: joke ]---\n", "other| Kernel panic - not syncing: joke\n",
          "[ Kernel panic - not syncing: joke\n", "[", "[1] \n", "Kernel panic - not syncin\n"})
        EXPECT_EQ(reason_in(text), std::nullopt) << text;
}

TEST(PanicLine, ForgetsWhatIsTooLong) {
    PanicLine line;
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(reason_in(line, std::string(1000, 'x')), std::nullopt);
    EXPECT_EQ(reason_in(line, "\nKernel panic - not syncing: c" + std::string(1000, 'x') + "\n"),
              "c" + std::string(PanicLine::kLongestLine - 29, 'x'));
    line.clear();
    EXPECT_EQ(reason_in(line, "Kernel panic - not "), std::nullopt);
    line.clear();
    EXPECT_EQ(reason_in(line, "syncing: d\n"), std::nullopt);
}

struct PanicWatchTest : testing::Test {
    PanicWatch &watch(PanicPolicy policy) {
        if (!f.vm.start())
            ADD_FAILURE();
        return watch_.emplace(f.vm, policy, screen, f.clock, timeouts.queue());
    }
    static constexpr auto kPanic = "Kernel panic - not syncing: why\x1b[2J\n";
    const u64 grace = PanicWatch::kGraceSeconds * fake::Clock{}.ticks_per_second();
    test::VmFixture f;
    test::ManualTimeouts timeouts{f.clock};
    fake::ByteSink screen;
    std::optional<PanicWatch> watch_;
};

TEST_F(PanicWatchTest, StopsItsVmWhenTheGraceIsOver) {
    watch(PanicPolicy::stop).put(bytes(kPanic));
    EXPECT_EQ(screen.text, kPanic) << "and everything reaches the console as it is";
    timeouts.advance(grace - 1);
    EXPECT_EQ(f.vm.state(), VmState::running);
    timeouts.advance(1);
    EXPECT_EQ(f.vm.state(), VmState::stopping);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::guest_crash);
    EXPECT_EQ(f.vm.stop_detail(), "kernel panic: why\\x1b[2J");
}

TEST_F(PanicWatchTest, RestartsItsVmAndSaysSo) {
    watch(PanicPolicy::restart).put(bytes("Kernel panic - not syncing\n"));
    timeouts.advance(grace);
    EXPECT_EQ(f.vm.state(), VmState::resetting);
    ASSERT_EQ(f.log.lines.size(), 1U);
    EXPECT_EQ(f.log.lines[0].level, LogLevel::warning);
    EXPECT_EQ(f.log.lines[0].text, "kernel panic: no reason given; restarting");
}

TEST_F(PanicWatchTest, IgnoresWhenToldTo) {
    watch(PanicPolicy::ignore).put(bytes(kPanic));
    timeouts.advance(10 * grace);
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(screen.text, kPanic);
}

TEST_F(PanicWatchTest, ForgetsAKernelThatRebootedByItself) {
    watch(PanicPolicy::stop).put(bytes(kPanic));
    timeouts.advance(grace - 1);
    watch_->put(bytes("Kernel panic"));
    watch_->forget();
    watch_->put(bytes(" - not syncing: the rest of a line from before\n"));
    timeouts.advance(10 * grace);
    EXPECT_EQ(f.vm.state(), VmState::running);
    watch_->put(bytes(kPanic));
    timeouts.advance(grace);
    EXPECT_EQ(f.vm.state(), VmState::stopping) << "and judges it anew";
}

TEST_F(PanicWatchTest, CountsTheGraceFromTheFirstLine) {
    watch(PanicPolicy::stop).put(bytes(kPanic));
    timeouts.advance(grace - 1);
    watch_->put(bytes("Kernel panic - not syncing: again and again\n"));
    timeouts.advance(1);
    EXPECT_EQ(f.vm.stop_detail(), "kernel panic: why\\x1b[2J");
}

TEST_F(PanicWatchTest, LeavesNoTimeoutBehind) {
    watch(PanicPolicy::stop).put(bytes(kPanic));
    watch_.reset();
    EXPECT_EQ(timeouts.earliest(), std::nullopt);
}

} // namespace
} // namespace sel4vm::machine
