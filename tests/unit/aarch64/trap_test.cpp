// SPDX-License-Identifier: BSD-2-Clause
//
// The whole of both tables: every exception class, and every status of an abort.
#include <sel4vm/arch/aarch64/trap.hpp>

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

namespace sel4vm::aarch64 {
namespace {

EsrEl2 esr_of(unsigned ec, u32 iss = 0) { return EsrEl2{u64{ec} << 26 | 1U << 25 | iss}; }

/// Arm ARM, ESR_EL2: what a guest can cause, by number.
const std::map<unsigned, Trap> kClasses{
    {0x01, Trap::wait},       {0x07, Trap::fp},    {0x03, Trap::coprocessor},     {0x04, Trap::coprocessor},
    {0x16, Trap::hvc},        {0x17, Trap::smc},   {0x18, Trap::system_register}, {0x20, Trap::instruction_abort},
    {0x24, Trap::data_abort}, {0x30, Trap::debug}, {0x32, Trap::debug},           {0x34, Trap::debug},
    {0x38, Trap::debug},      {0x3a, Trap::debug}, {0x3c, Trap::debug},
};
const std::set<unsigned> kUndefined{0x00, 0x05, 0x06, 0x08, 0x09, 0x0a, 0x0c, 0x12, 0x13, 0x14, 0x19, 0x1a, 0x1d, 0x27};

TEST(Trap, EveryClassIsOneThing) {
    for (unsigned ec = 0; ec < 64; ++ec) {
        const auto found = kClasses.find(ec);
        const Trap expected = found != kClasses.end()   ? found->second
                              : kUndefined.contains(ec) ? Trap::undefined
                                                        : Trap::unknown;
        EXPECT_EQ(trap_of(static_cast<Ec>(ec)), expected) << ec;
        EXPECT_EQ(trap_of(esr_of(ec), 0x5), expected) << "AArch64 has no conditions " << ec;
    }
}

TEST(Trap, AnInstructionWhoseConditionFailsIsSkipped) {
    constexpr u64 kAarch32WithoutZ = 0x10;
    constexpr u64 kAarch32WithZ = 0x10 | u64{1} << 30;
    constexpr u32 kIfEqual = 1U << 24; // valid, EQ
    for (unsigned ec = 0; ec < 64; ++ec) {
        const Trap always = trap_of(static_cast<Ec>(ec));
        const bool conditional = always == Trap::undefined || always == Trap::coprocessor || always == Trap::wait;
        EXPECT_EQ(trap_of(esr_of(ec, kIfEqual), kAarch32WithoutZ), conditional ? Trap::skip : always) << ec;
        EXPECT_EQ(trap_of(esr_of(ec, kIfEqual), kAarch32WithZ), always) << ec;
        EXPECT_EQ(trap_of(esr_of(ec, 0), kAarch32WithoutZ), always) << "the condition has passed " << ec;
    }
}

Abort kind_of(unsigned status) {
    switch (status) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x03:
    case 0x29: // address size
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x2b: // translation
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x0b: // access flag
    case 0x0c:
    case 0x0d:
    case 0x0e:
    case 0x0f: // permission
        return Abort::access;
    case 0x30: return Abort::tlb_conflict;
    case 0x35: return Abort::unsupported;
    default: return Abort::external;
    }
}

constexpr u32 kIsv = 1U << 24;
constexpr u32 kCm = 1U << 8;
constexpr u32 kWalk = 1U << 7;

TEST(Trap, EveryStatusOfADataAbort) {
    for (unsigned status = 0; status < 64; ++status) {
        const Abort kind = kind_of(status);
        const bool translation = kind == Abort::access;
        const auto abort = [&](u32 bits) { return abort_of(IssDataAbort{bits | status}); };
        EXPECT_EQ(abort(kIsv), kind) << status;
        EXPECT_EQ(abort(0), translation ? Abort::opaque : kind) << status;
        EXPECT_EQ(abort(kCm), translation ? Abort::cache_maintenance : kind) << status;
        EXPECT_EQ(abort(kWalk), translation ? Abort::walk : kind) << status;
        EXPECT_EQ(abort(kWalk | kCm), translation ? Abort::walk : kind) << status;
    }
}

TEST(Trap, EveryStatusOfAFetch) {
    for (unsigned status = 0; status < 64; ++status) {
        const Abort kind = kind_of(status) == Abort::unsupported ? Abort::external : kind_of(status);
        EXPECT_EQ(abort_of(IssInstructionAbort{status}), kind) << status;
        EXPECT_EQ(abort_of(IssInstructionAbort{kWalk | status}), kind == Abort::access ? Abort::walk : kind) << status;
    }
}

TEST(Trap, OnlyPermissionFaultsLeaveTheAddressOut) {
    EXPECT_TRUE(reports_address(FaultStatus::translation) && reports_address(FaultStatus::access_flag) &&
                reports_address(FaultStatus::address_size));
    EXPECT_FALSE(reports_address(FaultStatus::permission));
    EXPECT_FALSE(reports_address(FaultStatus::external));
}

} // namespace
} // namespace sel4vm::aarch64
