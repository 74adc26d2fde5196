// SPDX-License-Identifier: BSD-2-Clause
//
// Exception entry into EL1 against what the Arm ARM's AArch64.TakeException does.
#include <sel4vm/arch/aarch64/exception.hpp>

#include <gtest/gtest.h>

namespace sel4vm::aarch64 {
namespace {

constexpr u64 kVbar = 0xffff'8000'0801'0800;
constexpr u64 kPc = 0xffff'8000'0812'3450;
constexpr u64 kFar = 0xffff'8000'0a00'0f08;
constexpr u64 kOldFar = 0x1234;

EsrEl2 data_abort_exit(u32 iss) {
    return EsrEl2{}.with<EsrEl2::Ec>(Ec::data_abort_lower).with<EsrEl2::Il>(true).with<EsrEl2::Iss>(iss);
}
EsrEl2 fetch_abort_exit(u32 iss) {
    return EsrEl2{}.with<EsrEl2::Ec>(Ec::instruction_abort_lower).with<EsrEl2::Il>(true).with<EsrEl2::Iss>(iss);
}

ExceptionContext context(u64 pstate, u64 sctlr = 0) {
    return {.pstate = pstate, .pc = kPc, .vbar_el1 = kVbar, .sctlr_el1 = sctlr, .far_el1 = kOldFar};
}

struct VectorRow {
    const char *name;
    u64 pstate;
    u64 offset;
};

TEST(ExceptionEntry, PicksTheVectorOfTheOrigin) {
    const VectorRow rows[] = {
        {"EL1t", 0x4, 0x000},          {"EL1h", 0x5, 0x200},        {"EL0t", 0x0, 0x400},
        {"AArch32 User", 0x10, 0x600}, {"Thumb User", 0x30, 0x600}, {"EL1h, masked", 0x3c5, 0x200},
    };
    for (const auto &row : rows) {
        const auto entry = enter_el1(context(row.pstate), {}, {});
        EXPECT_EQ(entry.pc, kVbar + row.offset) << row.name;
        EXPECT_EQ(entry.spsr_el1, row.pstate) << row.name;
        EXPECT_EQ(entry.elr_el1, kPc) << row.name;
    }
}

TEST(ExceptionEntry, IgnoresTheReservedBitsOfVbar) {
    auto from = context(0x5);
    from.vbar_el1 = kVbar | 0x7ff;
    EXPECT_EQ(enter_el1(from, {}, {}).pc, kVbar + 0x200);
}

struct PstateRow {
    const char *name;
    u64 pstate;
    u64 sctlr;
    PstateFeatures features;
    u64 expected;
};

TEST(ExceptionEntry, ComputesPstate) {
    constexpr u64 kMasked = 0x3c5;
    constexpr u64 kSpan = u64{1} << 23;
    constexpr u64 kDssbs = u64{1} << 44;
    constexpr u64 kSpintmask = u64{1} << 62;
    const PstateRow rows[] = {
        {"masks and selects SP_EL1", 0, 0, {}, kMasked},
        {"keeps NZCV", 0xf000'0000, 0, {}, 0xf000'0000 | kMasked},
        {"clears SS, IL, BTYPE, UAO", 0x0030'0c05 | 1U << 23, 0, {.uao = true}, kMasked},
        {"sets PAN without SPAN", 0, 0, {.pan = true}, 1U << 22 | kMasked},
        {"keeps PAN clear with SPAN", 0, kSpan, {.pan = true}, kMasked},
        {"keeps PAN set with SPAN", 1U << 22, kSpan, {.pan = true}, 1U << 22 | kMasked},
        {"no PAN on a CPU without it", 0, 0, {}, kMasked},
        {"SSBS from DSSBS, set", 0, kDssbs, {.ssbs = true}, 1U << 12 | kMasked},
        {"SSBS from DSSBS, clear", 1U << 12, 0, {.ssbs = true}, kMasked},
        {"no SSBS on a CPU without it", 1U << 12, kDssbs, {}, kMasked},
        {"TCO with MTE", 0, 0, {.mte = true}, 1U << 25 | kMasked},
        {"keeps DIT", 1U << 24, 0, {.dit = true}, 1U << 24 | kMasked},
        {"ALLINT set without SPINTMASK", 0, 0, {.nmi = true}, 1U << 13 | kMasked},
        {"ALLINT clear with SPINTMASK", 1U << 13, kSpintmask, {.nmi = true}, kMasked},
        {"AArch32: DIT and PAN stay; Q, IT, SS, T and E go",
         0xf000'0000 | 1U << 27 | 3U << 25 | 1U << 24 | 1U << 22 | 1U << 21 | 0xfe30,
         kSpan,
         {.pan = true, .dit = true},
         0xf000'0000 | 1U << 24 | 1U << 22 | kMasked},
    };
    for (const auto &row : rows)
        EXPECT_EQ(enter_el1(context(row.pstate, row.sctlr), row.features, {}).pstate, row.expected) << row.name;
}

struct SyndromeRow {
    const char *name;
    GuestException fault;
    EsrEl2 exit;
    u64 pstate;
    u64 esr;
    u64 far;
    unsigned walk_level = 0;
};

TEST(FaultSyndrome, DescribesTheFaultToEl1) {
    // A store of w3 with a valid syndrome: nothing but WnR may reach the guest.
    const auto store = data_abort_exit(0x0183'0047);
    const auto load = data_abort_exit(0x0183'0007);
    const SyndromeRow rows[] = {
        {"load at EL1", GuestException::external_abort, load, 0x5, 0x9600'0010, kFar},
        {"store at EL1", GuestException::external_abort, store, 0x5, 0x9600'0050, kFar},
        {"store at EL0", GuestException::external_abort, store, 0x0, 0x9200'0050, kFar},
        {"store at AArch32 EL0", GuestException::external_abort, store, 0x10, 0x9200'0050, kFar},
        {"FAR not valid", GuestException::external_abort, data_abort_exit(0x0000'0407), 0x5, 0x9600'0410, kOldFar},
        {"cache maintenance", GuestException::external_abort, data_abort_exit(0x0000'0147), 0x5, 0x9600'0150, kFar},
        {"stage 1 walk", GuestException::external_abort, data_abort_exit(0x0000'0087), 0x5, 0x9600'0014, kFar},
        {"walk, level 1", GuestException::external_abort, data_abort_exit(0x0000'0087), 0x5, 0x9600'0015, kFar, 1},
        {"walk for a store, level 3", GuestException::external_abort, data_abort_exit(0x0000'00cf), 0x0, 0x9200'0057,
         kFar, 3},
        {"fetch, walk, level 2", GuestException::external_abort, fetch_abort_exit(0x8f), 0x5, 0x8600'0016, kFar, 2},
        {"fetch, walk, FAR not valid", GuestException::external_abort, fetch_abort_exit(0x487), 0x5, 0x8600'0014,
         kOldFar},
        {"no walk, so no level", GuestException::external_abort, load, 0x5, 0x9600'0010, kFar, 3},
        {"alignment", GuestException::alignment, store, 0x5, 0x9600'0061, kFar},
        {"unsupported exclusive", GuestException::unsupported_access, load, 0x5, 0x9600'0035, kFar},
        {"fetch at EL1", GuestException::external_abort, fetch_abort_exit(0x07), 0x5, 0x8600'0010, kFar},
        {"fetch at EL0", GuestException::external_abort, fetch_abort_exit(0x07), 0x0, 0x8200'0010, kFar},
        {"fetch, stage 1 walk", GuestException::external_abort, fetch_abort_exit(0x87), 0x5, 0x8600'0014, kFar},
        {"undefined after an abort", GuestException::undefined, load, 0x5, 0x0200'0000, kOldFar},
        {"undefined system register", GuestException::undefined, EsrEl2{0x6232'1234}, 0x5, 0x0200'0000, kOldFar},
        {"abort without an access", GuestException::external_abort, EsrEl2{0x5a00'0000}, 0x5, 0x9600'0410, kOldFar},
    };
    for (const auto &row : rows) {
        const auto entry =
            enter_el1(context(row.pstate), {}, fault_syndrome(row.fault, row.exit, kFar, row.pstate, row.walk_level));
        EXPECT_EQ(entry.esr_el1, row.esr) << row.name;
        EXPECT_EQ(entry.far_el1, row.far) << row.name;
    }
}

TEST(ReflectedSyndrome, KeepsClassAndIss) {
    const EsrEl2 fp_access{0x1fe0'0000};
    EXPECT_EQ(enter_el1(context(0x5), {}, reflected_syndrome(fp_access, kFar, 0x5)).esr_el1, fp_access.raw());
    EXPECT_EQ(enter_el1(context(0x5), {}, reflected_syndrome(fp_access, kFar, 0x5)).far_el1, kOldFar);
}

TEST(ReflectedSyndrome, ShowsTheLevelAsEl1SeesIt) {
    const auto exit = data_abort_exit(0x01c3'80e1);
    const auto at_el1 = enter_el1(context(0x5), {}, reflected_syndrome(exit, kFar, 0x5));
    EXPECT_EQ(at_el1.esr_el1, 0x9600'0061U);
    EXPECT_EQ(at_el1.far_el1, kFar);
    const auto at_el0 = enter_el1(context(0x0), {}, reflected_syndrome(exit, kFar, 0x0));
    EXPECT_EQ(at_el0.esr_el1, 0x9200'0061U);
    const auto step = EsrEl2{}.with<EsrEl2::Ec>(Ec::step_lower).with<EsrEl2::Il>(true).with<EsrEl2::Iss>(0x22);
    EXPECT_EQ(reflected_syndrome(step, kFar, 0x5).ec, Ec::step_same);
    EXPECT_EQ(reflected_syndrome(step, kFar, 0x0).ec, Ec::step_lower);
    const auto watch = EsrEl2{}.with<EsrEl2::Ec>(Ec::watchpoint_lower).with<EsrEl2::Iss>(0x22);
    EXPECT_TRUE(reflected_syndrome(watch, kFar, 0x5).sets_far);
}

TEST(ReflectedSyndrome, OfAFetchHasItsAddressAndNothingOfStageTwo) {
    const auto fetch = enter_el1(context(0x5), {}, reflected_syndrome(fetch_abort_exit(0xa1), kFar, 0x5));
    EXPECT_EQ(fetch.esr_el1, 0x8600'0021U);
    EXPECT_EQ(fetch.far_el1, kFar);
    const auto without = enter_el1(context(0x0), {}, reflected_syndrome(fetch_abort_exit(0x421), kFar, 0x0));
    EXPECT_EQ(without.esr_el1, 0x8200'0421U);
    EXPECT_EQ(without.far_el1, kOldFar) << "FAR is not valid";
    for (const Ec ec : {Ec::watchpoint_lower, Ec::watchpoint_same, Ec::pc_alignment})
        EXPECT_EQ(reflected_syndrome(EsrEl2{}.with<EsrEl2::Ec>(ec), kFar, 0x5).far, kFar);
}

} // namespace
} // namespace sel4vm::aarch64
