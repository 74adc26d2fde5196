// SPDX-License-Identifier: BSD-2-Clause
//
// The syndrome that is put together for a client where the host does not tell the hardware's, on words written down by hand from the
// Arm ARM's diagrams of ESR_ELx.
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/capi/syndrome.hpp>

#include <gtest/gtest.h>

namespace sel4vm::capi {
namespace {

constexpr u32 kIl = u32{1} << 25;

Exit of_kind(ExitKind kind) {
    Exit exit;
    exit.kind = kind;
    return exit;
}

TEST(Syndrome, OfASystemRegisterHasEachPartOfItsNumber) {
    struct Row {
        u32 op0, op1, crn, crm, op2;
        u32 syndrome; ///< of a write
    };
    const Row rows[] = {
        {0, 0, 0, 0, 0, 0x18u << 26 | kIl | 31u << 5},
        {3, 0, 0, 0, 0, 0x18u << 26 | kIl | 31u << 5 | 3u << 20},
        {0, 7, 0, 0, 0, 0x18u << 26 | kIl | 31u << 5 | 7u << 14},
        {0, 0, 15, 0, 0, 0x18u << 26 | kIl | 31u << 5 | 15u << 10},
        {0, 0, 0, 15, 0, 0x18u << 26 | kIl | 31u << 5 | 15u << 1},
        {0, 0, 0, 0, 7, 0x18u << 26 | kIl | 31u << 5 | 7u << 17},
        {3, 3, 9, 12, 5, 0x623a'e7f8}, // PMSELR_EL0
    };
    for (const Row &row : rows)
        for (const bool write : {false, true}) {
            Exit exit = of_kind(ExitKind::system_register);
            exit.system_register.id = aarch64::sysreg_id(row.op0, row.op1, row.crn, row.crm, row.op2);
            exit.system_register.write = write;
            const u32 expected = write ? row.syndrome : row.syndrome | 1;
            EXPECT_EQ(syndrome_of(exit), expected) << std::hex << row.syndrome;
            EXPECT_EQ(transfer_register(syndrome_of(exit)), 31u);
        }
}

TEST(Syndrome, OfACallNamesTheInstructionAndItsImmediate) {
    for (const u16 immediate : {u16{0}, u16{1}, u16{0xffff}}) {
        Exit exit = of_kind(ExitKind::hypercall);
        exit.hypercall = aarch64::hypercall(0, immediate, aarch64::Conduit::hvc);
        EXPECT_EQ(syndrome_of(exit), 0x16u << 26 | kIl | immediate);
        exit.hypercall = aarch64::hypercall(0, immediate, aarch64::Conduit::smc);
        EXPECT_EQ(syndrome_of(exit), 0x17u << 26 | kIl | immediate);
    }
}

TEST(Syndrome, OfAWaitTellsWfiFromWfe) {
    Exit exit = of_kind(ExitKind::wait);
    exit.wait.event = false;
    EXPECT_EQ(syndrome_of(exit), 0x01u << 26 | kIl);
    exit.wait.event = true;
    EXPECT_EQ(syndrome_of(exit), 0x01u << 26 | kIl | 1u);
}

TEST(Syndrome, OfABreakpointIsThatOfBrk) { EXPECT_EQ(syndrome_of(of_kind(ExitKind::debug)), 0x3cu << 26 | kIl); }

TEST(Syndrome, OfAnythingElseIsWhatTheHostSays) {
    Exit exit = of_kind(ExitKind::unknown);
    exit.unknown.reason = 0x22;
    exit.unknown.syndrome = 0xffff'ffff;
    EXPECT_EQ(syndrome_of(exit), 0x22u << 26 | kIl | 0x1ff'ffffu);
    exit.unknown.syndrome = 0;
    EXPECT_EQ(syndrome_of(exit), 0x22u << 26 | kIl);
    EXPECT_EQ(syndrome_of(of_kind(ExitKind::memory)), kIl);
}

} // namespace
} // namespace sel4vm::capi
