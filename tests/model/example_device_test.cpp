// SPDX-License-Identifier: BSD-2-Clause
//
// The example of docs/adding-a-device.md, tested the way a device is: alone on fake ports, then once on a VM's bus. And that of docs/gic.md.
#include <gtest/gtest.h>
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <support/example_device.hpp>
#include <support/example_gic.hpp>
#include <support/manual_timeouts.hpp>
#include <support/recording_irqs.hpp>
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
    test::RecordingIrqs chip;
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

// [docs/adding-a-device.md]
/// False when something else is there.
bool add_dice(Vm &vm, Dice &dice) {
    const auto range = GpaRange::make(Gpa{0x0a10'0000}, Dice::kRangeBytes);
    return range && vm.attach(*range, dice).has_value();
}
// [end]

TEST(DiceOnABus, AGuestFindsItAtItsAddress) {
    test::VmFixture f;
    fake::Entropy entropy;
    Dice dice(IrqLine{}, f.clock, f.executor.timeouts(), entropy);
    ASSERT_TRUE(add_dice(f.vm, dice));
    EXPECT_FALSE(add_dice(f.vm, dice)) << "it is there already";
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(test::read_exit(0x0a10'0000)), Answer::complete(0x6469'6365));
    EXPECT_EQ(f.handle(test::read_exit(0x0a10'0008, Width::b1)).kind(), AnswerKind::inject) << "no such width";
}

TEST(GicOnABus, BothVersionsAreAssembledAsThePageSays) {
    for (const auto version : {dev::GicVersion::v2, dev::GicVersion::v3}) {
        test::VmFixture f;
        fake::ListRegisters lists(fake::ListRegisters::full());
        fake::VirtualTimer timer;
        dev::GicConfig config;
        config.version = version;
        dev::Gic gic(config);
        ASSERT_TRUE(add_gic(f.vm, gic, f.allocator, f.vcpu(), lists, timer));
        ASSERT_TRUE(f.vm.start());
        EXPECT_EQ(f.handle(test::read_exit(0x0800'0004)).data() & 0x1f, 1u) << "64 INTIDs";
    }
}

std::string slurp(const std::string &path) {
    std::ifstream file(SEL4VM_TEST_DATA_DIR "/" + path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// What is between the marks of a page in a source.
std::string marked(const std::string &source, const std::string &page) {
    const std::string begin = "// [" + page + "]\n";
    const std::string text = slurp(source);
    const usize from = text.find(begin);
    if (from == std::string::npos)
        return {};
    return text.substr(from + begin.size(), text.find("// [end]", from) - from - begin.size());
}

/// The pages show this very code.
TEST(Documentation, ShowsTheCodeThatIsTestedHere) {
    const std::string page = slurp("../docs/adding-a-device.md");
    const std::string device = slurp("support/example_device.hpp");
    ASSERT_FALSE(device.empty());
    EXPECT_NE(page.find(device), std::string::npos)
        << "copy tests/support/example_device.hpp into docs/adding-a-device.md";
    const std::string adding = marked("model/example_device_test.cpp", "docs/adding-a-device.md");
    ASSERT_FALSE(adding.empty());
    EXPECT_NE(page.find(adding), std::string::npos) << "copy add_dice() into docs/adding-a-device.md";
    const std::string gic = marked("support/example_gic.hpp", "docs/gic.md");
    ASSERT_FALSE(gic.empty());
    EXPECT_NE(slurp("../docs/gic.md").find(gic), std::string::npos)
        << "copy tests/support/example_gic.hpp into docs/gic.md";
}

} // namespace
} // namespace sel4vm::example
