// SPDX-License-Identifier: BSD-2-Clause
//
// examples/c-minimal on the fake host, with a guest of a few instructions in place of Linux: it prints, is interrupted by what is typed,
// touches memory where nothing is, reboots once and turns itself off.
#include <hosts/fake/capi/host.hpp>
#include <suite/a64.h>
#include <support/kernel_files.hpp>

#include <gtest/gtest.h>

extern "C" int c_minimal_main(void);

namespace sel4vm::test {
namespace {

/// An arm64 Image whose first instruction jumps over the header.
std::string image_of(std::initializer_list<u32> code) {
    Bytes file = arm64_image(0x80000, 0x10000, 0, 64 + 4 * code.size());
    boot::store_le<u32>(file, 0, A64_B(16));
    usize at = 64;
    for (const u32 instruction : code) {
        boot::store_le<u32>(file, at, instruction);
        at += 4;
    }
    return {file.begin(), file.end()};
}

constexpr u32 kUart = 0x0900'0000, kFlag = 0x4400'0000;

TEST(CMinimal, BootsItsGuestPrintsHearsRebootsAndEnds) {
    fake::Shared &shared = fake::shared();
    shared = {};
    shared.files["initrd"] = "0707";
    shared.files["kernel"] = image_of({
        A64_LOAD(1U, kUart),
        A64_LOAD(2U, kFlag),
        A64_LDR_X(7U, 2U, 0U),
        A64_CBNZ(7U, 20), // the second boot
        A64_LOAD(3U, 0x301U),
        A64_STR_W(3U, 1U, 0x30U / 4), // CR: on
        A64_LOAD(3U, 0x10U),
        A64_STR_W(3U, 1U, 0x38U / 4), // IMSC: receive
        A64_LDR_W(4U, 1U, 0U),        // DR: what was typed
        A64_STR_W(4U, 1U, 0U),        // and back
        A64_LDR_W(4U, 1U, 0U),
        A64_STR_W(4U, 1U, 0U),
        A64_LDR_W(5U, 1U, 0xfe0U / 4), // PL011's part number
        A64_LOAD(6U, 0x1000U),
        A64_STR_W(5U, 6U, 0U), // nothing is there
        A64_STR_X(1U, 2U, 0U),
        A64_CALL(0x8400'0009U), // SYSTEM_RESET
        A64_B(0),
        A64_LOAD(4U, 0x21U), // !
        A64_STR_W(4U, 1U, 0U),
        A64_CALL(0x8400'0008U), // SYSTEM_OFF
        A64_B(0),
    });
    shared.console_input = "hi";
    EXPECT_EQ(c_minimal_main(), 0);
    EXPECT_EQ(shared.console_output, "hi!");
}

TEST(CMinimal, SaysThatItCannotStartWithoutImages) {
    fake::shared() = {};
    EXPECT_EQ(c_minimal_main(), 1);
}

} // namespace
} // namespace sel4vm::test
