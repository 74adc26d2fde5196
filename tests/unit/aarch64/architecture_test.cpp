// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/arch/aarch64/architecture.hpp>

#include <gtest/gtest.h>
#include <hosts/fake/vcpu.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

namespace sel4vm::aarch64 {
namespace {

TEST(Architecture, NamesRegistersAsAnAssemblerWritesThem) {
    EXPECT_EQ(architecture().register_name(sysreg::kSctlrEl1).view(), "s3_0_c1_c0_0");
    EXPECT_EQ(architecture().register_name(sysreg::kCntpCtlEl0).view(), "s3_3_c14_c2_1");
}

TEST(Architecture, NamesCallsByTheirInstruction) {
    EXPECT_EQ(architecture().call_name(hypercall(1, 0, Conduit::hvc)).view(), "hvc #0");
    EXPECT_EQ(architecture().call_name(hypercall(1, 0xffff, Conduit::smc)).view(), "smc #65535");
}

TEST(Architecture, RefusesACallInItsWholeResultRegisterAndNoOther) {
    fake::Vcpu vcpu;
    vcpu.set_general_register(1, 5);
    architecture().refuse_call(vcpu);
    EXPECT_EQ(vcpu.general_register(0), ~u64{0});
    EXPECT_EQ(vcpu.general_register(1), 5U);
}

TEST(Architecture, ExceptionsOfItsOwnGoToTheFifthVector) {
    fake::Vcpu vcpu;
    vcpu.set_program_counter(0x8000'0200);
    EXPECT_FALSE(architecture().is_where_exceptions_go(vcpu)) << "a host that cannot tell";
    ASSERT_TRUE(vcpu.set_system_register(sysreg::kVbarEl1, 0x8000'0000));
    EXPECT_TRUE(architecture().is_where_exceptions_go(vcpu));
    vcpu.set_program_counter(0x8000'0280);
    EXPECT_FALSE(architecture().is_where_exceptions_go(vcpu));
}

TEST(Architecture, TheFunctionOfACallIsThirtyTwoBitsWide) {
    const HypercallExit call = hypercall(0xdead'beef'8400'0000, 7, Conduit::smc);
    EXPECT_EQ(call.function, 0x8400'0000U);
    EXPECT_EQ(conduit_of(call), Conduit::smc);
    EXPECT_EQ(immediate_of(call), 7U);
    EXPECT_EQ(conduit_of(hypercall(0, 0xffff, Conduit::hvc)), Conduit::hvc);
}

TEST(Architecture, TheCoresFaultsAreAbortAndUndefined) {
    EXPECT_EQ(exception_of(GuestFault::access), GuestException::external_abort);
    EXPECT_EQ(exception_of(GuestFault::instruction), GuestException::undefined);
}

} // namespace
} // namespace sel4vm::aarch64
