// SPDX-License-Identifier: BSD-2-Clause
//
// The example of docs/adding-a-device.md, tested the way a device is: alone on fake ports, then once on a VM's bus.
#include <gtest/gtest.h>
#include <support/example_device.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irq_chip.hpp>
#include <support/vm_fixture.hpp>

#include <fstream>
#include <sstream>
#include <string>

namespace sel4vm::example {
namespace {

constexpr u32 kIntid = 40;
constexpr u64 kSecond = 62'500'000;

struct DiceTest : testing::Test {
    u64 get(u64 offset) { return *dice.read(Access{offset, Width::b4, VcpuId{0}}); }
    void set(u64 offset, u64 value) { ASSERT_TRUE(dice.write(Access{offset, Width::b4, VcpuId{0}}, value)); }
    fake::Clock clock;
    fake::Entropy entropy;
    test::ManualTimeouts timeouts{clock};
    test::RecordingIrqChip chip;
    Dice dice{IrqLine(chip, kIntid), clock, timeouts.queue(), entropy};
};

TEST_F(DiceTest, ARollTakesASecondAndInterrupts) {
    set(0x04, 1);
    timeouts.advance(kSecond - 1);
    EXPECT_FALSE(chip.high(kIntid));
    timeouts.advance(1);
    EXPECT_TRUE(chip.high(kIntid));
    EXPECT_EQ(get(0x08), 2u);
    EXPECT_EQ(get(0x0c), 1u);
    set(0x0c, 1);
    EXPECT_FALSE(chip.high(kIntid));
}

TEST_F(DiceTest, ResetEndsARoll) {
    set(0x04, 1);
    dice.reset();
    timeouts.advance(2 * kSecond);
    EXPECT_EQ(dice.state(), Dice::State{});
}

TEST(DiceOnABus, AGuestFindsItAtItsAddress) {
    test::VmFixture f;
    fake::Entropy entropy;
    Dice dice(IrqLine{}, f.clock, f.executor.timeouts(), entropy);
    ASSERT_TRUE(f.vm.attach(test::range(0x0a10'0000, Dice::kRangeBytes), dice));
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(test::read_exit(0x0a10'0000)), Answer::complete(0x6469'6365));
    EXPECT_EQ(f.handle(test::read_exit(0x0a10'0008, Width::b1)).kind(), AnswerKind::inject) << "no such width";
}

/// The page shows this very code.
TEST(AddingADevice, ThePageShowsTheCodeThatIsTestedHere) {
    const auto slurp = [](const std::string &path) {
        std::ifstream file(path);
        std::stringstream text;
        text << file.rdbuf();
        return text.str();
    };
    const std::string code = slurp(SEL4VM_TEST_DATA_DIR "/support/example_device.hpp");
    const std::string page = slurp(SEL4VM_TEST_DATA_DIR "/../docs/adding-a-device.md");
    ASSERT_FALSE(code.empty());
    EXPECT_NE(page.find(code), std::string::npos)
        << "copy tests/support/example_device.hpp into docs/adding-a-device.md";
}

} // namespace
} // namespace sel4vm::example
