// SPDX-License-Identifier: BSD-2-Clause
//
// Trapped system registers that are neither timer nor GIC: debug, ID space, and those that do nothing.
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/debug_registers.hpp>
#include <sel4vm/dev/arm/id_registers.hpp>
#include <sel4vm/dev/arm/ignored_registers.hpp>
#include <support/vm_fixture.hpp>

namespace sel4vm::dev {
namespace {

namespace sysreg = aarch64::sysreg;
using aarch64::sysreg_id;

struct TrappedRegistersTest : testing::Test {
    TrappedRegistersTest() {
        EXPECT_TRUE(debug.register_all(f.vm.system_registers()));
        EXPECT_TRUE(ignored.register_all(f.vm.system_registers()));
        EXPECT_TRUE(ids.register_all(f.vm.system_registers()));
        EXPECT_TRUE(f.vm.start());
    }
    Answer get(u32 id, u16 vcpu = 0) { return f.handle(Exit{SystemRegisterExit{id, false, 0}}, vcpu); }
    Answer set(u32 id, u64 value, u16 vcpu = 0) { return f.handle(Exit{SystemRegisterExit{id, true, value}}, vcpu); }
    test::VmFixture f{2};
    DebugRegisters debug;
    IgnoredRegisters ignored;
    IdRegisters ids{aarch64::GicVersion::v2};
};
const Answer kUndefined = Answer::inject(GuestFault::instruction);

// -- debug

TEST_F(TrappedRegistersTest, TheOsLockIsLockedAfterResetAndUnlocksPerVcpu) {
    EXPECT_EQ(get(sysreg::kOslsrEl1), Answer::complete(0xa));
    EXPECT_EQ(set(sysreg::kOslarEl1, 0), Answer::complete());
    EXPECT_EQ(get(sysreg::kOslsrEl1), Answer::complete(0x8));
    EXPECT_EQ(get(sysreg::kOslsrEl1, 1), Answer::complete(0xa));
    EXPECT_EQ(set(sysreg::kOslarEl1, 0xff), Answer::complete());
    EXPECT_EQ(get(sysreg::kOslsrEl1), Answer::complete(0xa));
    EXPECT_EQ(get(sysreg::kOslarEl1), kUndefined) << "write-only";
    EXPECT_EQ(set(sysreg::kOslsrEl1, 0), kUndefined) << "read-only";
}

TEST_F(TrappedRegistersTest, DoubleLockAndClaimTagsAreKept) {
    EXPECT_EQ(set(sysreg::kOsdlrEl1, 3), Answer::complete());
    EXPECT_EQ(get(sysreg::kOsdlrEl1), Answer::complete(1));
    EXPECT_EQ(get(sysreg::kDbgclaimsetEl1), Answer::complete(0xff));
    EXPECT_EQ(set(sysreg::kDbgclaimsetEl1, 0xf0f), Answer::complete());
    EXPECT_EQ(set(sysreg::kDbgclaimclrEl1, 0x3), Answer::complete());
    EXPECT_EQ(get(sysreg::kDbgclaimclrEl1), Answer::complete(0xc));
    f.vm.system_registers().for_each([&](SystemRegisterHandler &handler) { handler.reset_vcpu(f.vcpu()); });
    EXPECT_EQ(debug.state(VcpuId{0}), DebugRegisters::State{});
}

TEST_F(TrappedRegistersTest, AnyStateCanBeRestored) {
    debug.restore(VcpuId{0},
                  {.monitor_control = 5, .os_lock = 0xff, .os_double_lock = 0xfe, .claim_tags = 9, .reserved = 7});
    EXPECT_EQ(get(sysreg::kOslsrEl1), Answer::complete(0xa)) << "no bit but OSLK";
    EXPECT_EQ(get(sysreg::kOsdlrEl1), Answer::complete(0));
    EXPECT_EQ(get(sysreg::kDbgclaimclrEl1), Answer::complete(9));
    EXPECT_EQ(debug.state(VcpuId{0}), (DebugRegisters::State{.monitor_control = 5, .os_lock = 1, .claim_tags = 9}));
}

TEST_F(TrappedRegistersTest, TheHostHoldsMonitorControlAndBreakpointsWhereItCan) {
    EXPECT_EQ(set(sysreg::kMdscrEl1, 1), Answer::complete());
    EXPECT_EQ(*f.ports[0].system_register(sysreg::kMdscrEl1), 1u);
    EXPECT_EQ(get(sysreg::kMdscrEl1), Answer::complete(1));
    EXPECT_EQ(debug.state(VcpuId{0}).monitor_control, 0u);
    EXPECT_EQ(set(sysreg::dbgbvr_el1(3), 0x4000), Answer::complete());
    EXPECT_EQ(get(sysreg::dbgbvr_el1(3)), Answer::complete(0x4000));
    EXPECT_EQ(get(sysreg::dbgwcr_el1(15)), Answer::complete(0)) << "the host does not know this one: reads as zero";
}

TEST_F(TrappedRegistersTest, TheDebugChannelIsSilent) {
    for (const u32 id :
         {sysreg::kMdccintEl1, sysreg::kMdccsrEl0, sysreg::kDbgdtrEl0, sysreg::kDbgdtrrxEl0, sysreg::kOsdtrrxEl1,
          sysreg::kOsdtrtxEl1, sysreg::kOseccrEl1, sysreg::kMdrarEl1, sysreg::kDbgprcrEl1, sysreg::kDbgauthstatusEl1})
        EXPECT_EQ(get(id), Answer::complete(0)) << id;
    for (const u32 id : {sysreg::kMdccintEl1, sysreg::kDbgdtrEl0, sysreg::kDbgprcrEl1, sysreg::kOseccrEl1})
        EXPECT_EQ(set(id, ~u64{0}), Answer::complete()) << id;
    EXPECT_EQ(set(sysreg::kMdrarEl1, 0), kUndefined);
}

TEST_F(TrappedRegistersTest, WhatTheIdRegistersDenyDoesNotExist) {
    for (const u32 id : {sysreg_id(2, 1, 0, 0, 0), sysreg_id(2, 0, 7, 0, 0), sysreg::kPmcrEl0, sysreg::kPmccntrEl0,
                         sysreg::pmevcntr_el0(30), sysreg::kPmintensetEl1, sysreg::kErridrEl1, sysreg::kErxstatusEl1,
                         sysreg::kLoridEl1, sysreg::kLorcEl1}) {
        EXPECT_EQ(get(id), kUndefined) << id;
        EXPECT_EQ(set(id, 0), kUndefined) << id;
    }
}

// -- registers without effect

TEST_F(TrappedRegistersTest, ImplementationDefinedRegistersReadAsZeroAndIgnoreWrites) {
    for (const u32 id :
         {sysreg::kActlrEl1, sysreg_id(3, 0, 15, 1, 0), sysreg_id(3, 1, 15, 2, 1), sysreg_id(3, 7, 15, 15, 7),
          sysreg_id(3, 0, 11, 0, 0), sysreg_id(3, 1, 11, 0, 2), sysreg_id(3, 7, 11, 15, 7)}) {
        EXPECT_EQ(set(id, ~u64{0}), Answer::complete()) << id;
        EXPECT_EQ(get(id), Answer::complete(0)) << id;
    }
}

TEST_F(TrappedRegistersTest, SetAndWayMaintenanceDoesNothing) {
    for (const u32 id : {sysreg::kDcIsw, sysreg::kDcCsw, sysreg::kDcCisw}) {
        EXPECT_EQ(set(id, 0x42), Answer::complete());
        EXPECT_EQ(get(id), kUndefined);
    }
}

// -- identification

TEST_F(TrappedRegistersTest, IdRegistersComeFromTheHostThroughTheAllowList) {
    const u64 host = 0x0011'1111'1111'2222;
    ASSERT_TRUE(f.ports[0].set_system_register(sysreg::kIdAa64pfr0El1, host));
    EXPECT_EQ(get(sysreg::kIdAa64pfr0El1),
              Answer::complete(aarch64::guest_id_register(sysreg::kIdAa64pfr0El1, host, aarch64::GicVersion::v2)));
    EXPECT_NE(get(sysreg::kIdAa64pfr0El1).data(), 0u);
}

TEST_F(TrappedRegistersTest, TheWholeIdSpaceCanBeReadAndNoneWritten) {
    for (u32 id = sysreg_id(3, 0, 0, 1, 0); id <= sysreg_id(3, 0, 0, 7, 7); ++id) {
        EXPECT_EQ(get(id).kind(), AnswerKind::complete) << id;
        EXPECT_EQ(set(id, 0), kUndefined) << id;
    }
    EXPECT_EQ(get(sysreg_id(3, 0, 0, 7, 7)), Answer::complete(0)) << "reserved";
    EXPECT_EQ(get(sysreg_id(3, 0, 0, 0, 1)), kUndefined) << "outside";
}

TEST_F(TrappedRegistersTest, UnknownRegistersAreUndefined) {
    for (const u32 id : {sysreg_id(3, 3, 14, 2, 3), sysreg_id(3, 4, 1, 1, 0), u32{0}}) {
        EXPECT_EQ(get(id), kUndefined);
        EXPECT_EQ(set(id, 1), kUndefined);
    }
}

} // namespace
} // namespace sel4vm::dev
