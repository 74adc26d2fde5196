// SPDX-License-Identifier: BSD-2-Clause
//
// examples/c-minimal and examples/cxx-minimal on the fake host, with a guest of a few instructions in place of Linux: it prints what is
// typed, touches memory where nothing is, reboots at an r and turns itself off at a full stop.
#include <bindings/fake/host.hpp>
#include <sel4vm/base/text.hpp>
#include <suite/a64.h>
#include <support/kernel_files.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" int c_minimal_main(void);
int cxx_minimal_main();

namespace sel4vm::test {
namespace {

/// An arm64 Image whose first instruction jumps over the header.
std::string image_of(const std::vector<u32> &code) {
    Bytes file = arm64_image(0x80000, 0x10000, 0, 64 + 4 * code.size());
    boot::store_le<u32>(file, 0, A64_B(16));
    usize at = 64;
    for (const u32 instruction : code) {
        boot::store_le<u32>(file, at, instruction);
        at += 4;
    }
    return {file.begin(), file.end()};
}

std::string echo_until_the_stop() {
    constexpr u32 kUart = 0x0900'0000;
    return image_of({
        A64_LOAD(1U, kUart),
        A64_LOAD(3U, 0x301U),
        A64_STR_W(3U, 1U, 0x30U / 4), // CR: on
        A64_LOAD(3U, 0x10U),
        A64_STR_W(3U, 1U, 0x38U / 4),  // IMSC: receive
        A64_LDR_W(5U, 1U, 0xfe0U / 4), // PL011's part number
        A64_LOAD(6U, 0x1000U),
        A64_STR_W(5U, 6U, 0U), // nothing is there
        // FR, until it says more than that nothing waits on either side; then DR
        A64_LDR_W(4U, 1U, 0x18U / 4),
        A64_SUB(4U, 4U, 0x90U),
        A64_CBZ(4U, -2),
        A64_LDR_W(4U, 1U, 0U),
        A64_SUB(5U, 4U, 0x72U), // r
        A64_CBZ(5U, 5),
        A64_SUB(5U, 4U, 0x2eU), // a full stop
        A64_CBZ(5U, 7),
        A64_STR_W(4U, 1U, 0U),
        A64_B(-9),
        A64_CALL(0x8400'0009U), // SYSTEM_RESET
        A64_B(0),
        A64_CALL(0x8400'0008U), // SYSTEM_OFF
        A64_B(0),
    });
}

struct Example {
    const char *name;
    int (*main)();
};

class Examples : public testing::TestWithParam<Example> {};
INSTANTIATE_TEST_SUITE_P(Minimal, Examples,
                         testing::Values(Example{"C", c_minimal_main}, Example{"Cxx", cxx_minimal_main}),
                         [](const auto &example) { return example.param.name; });

TEST_P(Examples, BootAGuestThatPrintsHearsRebootsAndEnds) {
    fake::Shared &shared = fake::shared();
    shared = {};
    shared.files["initrd"] = "0707";
    shared.files["kernel"] = echo_until_the_stop();
    // A reset loses what a UART or program has taken already.
    shared.console_input = "hir" + std::string(20, ' ') + "ok.";
    EXPECT_EQ(GetParam().main(), 0);
    // The C++ program ends the guest's last line.
    std::erase_if(shared.console_output, [](char c) { return c == ' ' || c == '\r' || c == '\n'; });
    EXPECT_EQ(shared.console_output, "hiok");
}

usize count_of(std::string_view what, std::string_view text) {
    usize count = 0;
    for (usize at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
        ++count;
    return count;
}

TEST_P(Examples, SayOnceThatTheInterpreterDoesNotKnowAnInstruction) {
    constexpr u32 kMultiply = 0x9b01'7c00; // mul x0, x0, x1
    std::vector<u32> code{A64_LOAD(1U, 0x4008'0000U), 0xd518'c001 /* msr vbar_el1, x1 */, kMultiply};
    const usize at = 0x4008'0000 + 64 + 4 * (code.size() - 1);
    code.resize((0x200 - 64) / 4, A64_B(0));
    for (const u32 instruction : {A64_CALL(0x8400'0008U), A64_B(0)}) // of the vector: SYSTEM_OFF
        code.push_back(instruction);
    fake::Shared &shared = fake::shared();
    shared = {};
    shared.files["initrd"] = "0707";
    shared.files["kernel"] = image_of(code);
    testing::internal::CaptureStderr();
    EXPECT_EQ(GetParam().main(), 0);
    Text<120> wanted;
    wanted << "fake host: the interpreter does not know the instruction 0x9b017c00 at " << Hex{at};
    EXPECT_EQ(count_of(wanted.view(), testing::internal::GetCapturedStderr()), 1U);
}

TEST_P(Examples, DoNotRepeatWhatALostGuestDoes) {
    std::vector<u32> code{A64_LOAD(6U, 0x1000U)};
    for (int i = 0; i < 200; ++i)
        code.push_back(A64_STR_W(5U, 6U, 0U)); // nothing is there
    for (const u32 instruction : {A64_CALL(0x8400'0008U), A64_B(0)})
        code.push_back(instruction);
    fake::Shared &shared = fake::shared();
    shared = {};
    shared.files["initrd"] = "0707";
    shared.files["kernel"] = image_of(code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(GetParam().main(), 0);
    const std::string said = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
    EXPECT_LT(count_of("\n", said), 30U) << said;
}

TEST_P(Examples, SayThatTheyCannotStartWithoutImages) {
    fake::shared() = {};
    EXPECT_EQ(GetParam().main(), 1);
}

} // namespace
} // namespace sel4vm::test
