// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/arch/aarch64/pmu_registers.hpp>

#include <gtest/gtest.h>

#include <set>

namespace sel4vm::aarch64 {
namespace {

TEST(PmuRegisters, EachHasOneName) {
    // All of op0 3: op1, CRn, CRm and op2 are the lower 14 bits.
    std::set<std::pair<PmuRegister, u8>> found;
    for (u32 id = 0xc000; id < 0x10000; ++id) {
        const PmuName name = pmu_register(id);
        if (name.which == PmuRegister::none)
            continue;
        EXPECT_TRUE(found.emplace(name.which, name.number).second) << id;
        const u32 crn = sysreg_crn(id);
        EXPECT_TRUE(crn == 9 || crn == 14) << id;
    }
    EXPECT_EQ(found.size(), 16U + 31 + 32) << "and one for each event counter, and types with the cycle counter's";
    EXPECT_EQ(pmu_register(sysreg::pmevcntr_el0(30)), (PmuName{PmuRegister::count, 30}));
    EXPECT_EQ(pmu_register(sysreg::pmevtyper_el0(9)), (PmuName{PmuRegister::type, 9}));
    EXPECT_EQ(pmu_register(sysreg::kPmccfiltrEl0), (PmuName{PmuRegister::type, kCycleCounter}));
    EXPECT_EQ(pmu_register(sysreg_id(3, 0, 9, 14, 5)), PmuName{}) << "PMECR_EL1 is newer";
    EXPECT_EQ(pmu_register(sysreg_id(3, 3, 9, 13, 4)), PmuName{}) << "and so is PMZR_EL0";
}

TEST(PmuRegisters, TheSelectionNamesACounterThatIsThere) {
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_count, 3, 4), (PmuName{PmuRegister::count, 3}));
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_type, 3, 4), (PmuName{PmuRegister::type, 3}));
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_count, 4, 4), PmuName{});
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_type, 30, 4), PmuName{});
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_type, 31, 4), (PmuName{PmuRegister::type, kCycleCounter}));
    EXPECT_EQ(selected_pmu_register(PmuRegister::selected_count, 31, 31), PmuName{})
        << "PMCCNTR_EL0 has a name of its own";
}

TEST(PmuRegisters, TheInterruptNeedsAnOverflowThatMayInterruptAndTheSwitch) {
    EXPECT_TRUE(pmu_interrupt_asserted(1, 4, 6));
    EXPECT_FALSE(pmu_interrupt_asserted(0x40, 4, 6)) << "off";
    EXPECT_FALSE(pmu_interrupt_asserted(1, 1, 6));
    EXPECT_FALSE(pmu_interrupt_asserted(1, 0, 6));
    EXPECT_TRUE(pmu_interrupt_asserted(1, u64{1} << kCycleCounter, u64{1} << kCycleCounter));
}

TEST(PmuRegisters, SoftwareIncrementsAreFilteredByTheLevelThatWrites) {
    constexpr u64 kP = u64{1} << 31;
    constexpr u64 kU = u64{1} << 30;
    constexpr u64 kNsk = u64{1} << 29;
    constexpr u64 kNsu = u64{1} << 28;
    for (const unsigned level : {0U, 1U}) {
        EXPECT_TRUE(counts_software_increment(0, level));
        EXPECT_FALSE(counts_software_increment(8, level)) << "another event";
        EXPECT_TRUE(counts_software_increment(level == 0 ? kU | kNsu : kP | kNsk, level));
        EXPECT_FALSE(counts_software_increment(level == 0 ? kU : kP, level));
        EXPECT_FALSE(counts_software_increment(level == 0 ? kNsu : kNsk, level));
        EXPECT_TRUE(counts_software_increment(level == 0 ? kP : kU, level)) << "the other level's";
    }
}

TEST(PmuRegisters, CountersOverflowAt32BitsOrWhereTheGuestSays) {
    constexpr u64 kLong = 0x80;
    EXPECT_EQ(pmu_increment(7, 0, false), (PmuStep{8, false}));
    EXPECT_EQ(pmu_increment(0xffff'ffff, kLong, false), (PmuStep{0, true}));
    EXPECT_EQ(pmu_increment(0xffff'ffff, 0, true), (PmuStep{0x1'0000'0000, true}));
    EXPECT_EQ(pmu_increment(0xffff'ffff, kLong, true), (PmuStep{0x1'0000'0000, false}));
    EXPECT_EQ(pmu_increment(~u64{0}, kLong, true), (PmuStep{0, true}));
}

} // namespace
} // namespace sel4vm::aarch64
