// SPDX-License-Identifier: BSD-2-Clause
//
// PSCI 1.1 over a real Vm with several vCPUs: every function, every error code, both widths, both conduits.
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/dev/arm/psci.hpp>
#include <support/firmware_fixture.hpp>

namespace sel4vm::dev {
namespace {

namespace psci = aarch64::psci;
constexpr u64 kEntry = 0x4000'1000;

struct PsciTest : testing::Test, test::FirmwareFixture {
    explicit PsciTest(usize vcpus = 3, ResetPolicy on_reset = ResetPolicy::restart) : FirmwareFixture(vcpus, on_reset) {
        EXPECT_TRUE(service.register_all(f.vm.hypercalls()));
        EXPECT_TRUE(f.vm.start());
    }
    i64 cpu_on(u64 target, u64 entry = kEntry, u64 context = 0, u32 function = psci::kCpuOn64) {
        return result(function, {.x1 = target, .x2 = entry, .x3 = context});
    }
    i64 affinity(u64 target, u64 level = 0) { return result(psci::kAffinityInfo64, {.x1 = target, .x2 = level}); }
    Psci service;
};

// -- what there is

struct Known {
    u32 id;
    i64 features;
};
class PsciFeatures : public PsciTest, public testing::WithParamInterface<Known> {};

TEST_P(PsciFeatures, SaysWhatIsImplementedInThatWidth) {
    EXPECT_EQ(result(psci::kFeatures, {.x1 = GetParam().id}), GetParam().features);
    EXPECT_EQ(result(psci::kFeatures, {.x1 = 0xdead'0000'0000'0000 | GetParam().id}), GetParam().features)
        << "the upper half of an argument of a 32-bit call is ignored";
}
INSTANTIATE_TEST_SUITE_P(
    All, PsciFeatures,
    testing::Values(Known{psci::kVersion, 0}, Known{psci::kCpuSuspend32, 0}, Known{psci::kCpuSuspend64, 0},
                    Known{psci::kCpuOff, 0}, Known{psci::kCpuOn32, 0}, Known{psci::kCpuOn64, 0},
                    Known{psci::kAffinityInfo32, 0}, Known{psci::kAffinityInfo64, 0}, Known{psci::kMigrateInfoType, 0},
                    Known{psci::kSystemOff, 0}, Known{psci::kSystemReset, 0}, Known{psci::kFeatures, 0},
                    Known{psci::kSystemReset2_32, 0}, Known{psci::kSystemReset2_64, 0},
                    Known{aarch64::smccc::kVersion, 0}, Known{0xc400'0000, -1}, Known{0xc400'0002, -1},
                    Known{0xc400'0008, -1}, Known{psci::kMigrate32, -1}, Known{psci::kMigrate64, -1},
                    Known{psci::kMigrateInfoUpCpu32, -1}, Known{psci::kCpuFreeze, -1},
                    Known{psci::kCpuDefaultSuspend64, -1}, Known{psci::kNodeHwState64, -1},
                    Known{psci::kSystemSuspend32, 0}, Known{psci::kSystemSuspend64, 0},
                    Known{psci::kSetSuspendMode, -1}, Known{psci::kStatResidency64, -1}, Known{psci::kStatCount64, -1},
                    Known{psci::kMemProtect, -1}, Known{0, -1}, Known{0xffff'ffff, -1}));

TEST_F(PsciTest, VersionIsOnePointOneOverBothConduits) {
    EXPECT_EQ(result(psci::kVersion, {.conduit = aarch64::Conduit::hvc}), 0x1'0001);
    EXPECT_EQ(result(psci::kVersion, {.conduit = aarch64::Conduit::smc}), 0x1'0001);
    EXPECT_EQ(result(psci::kVersion, {.upper = 0xffff'ffff}), 0x1'0001) << "the function identifier has 32 bits";
}

TEST_F(PsciTest, UnsupportedFunctionsReturnMinusOneInBothWidths) {
    for (const u32 id :
         {psci::kMigrate32, psci::kMigrate64, psci::kMigrateInfoUpCpu32, psci::kMigrateInfoUpCpu64, psci::kCpuFreeze,
          psci::kCpuDefaultSuspend32, psci::kNodeHwState32, psci::kSetSuspendMode, psci::kStatResidency64,
          psci::kStatCount32, psci::kMemProtect, u32{0x8400'001f}, u32{0xc400'0000}}) {
        EXPECT_EQ(result(id), psci::kNotSupported) << id;
        EXPECT_EQ(x(0), ~u64{0}) << "sign-extended to the whole register";
    }
    EXPECT_EQ(result(psci::kVersion, {.immediate = 1}), -1) << "HVC #1 is not a call of this convention";
}

TEST_F(PsciTest, ThereIsNoTrustedOsToMigrate) { EXPECT_EQ(result(psci::kMigrateInfoType), 2); }

// -- turning CPUs on and off

TEST_F(PsciTest, CpuOnStartsAtTheEntryWithTheContext) {
    EXPECT_EQ(affinity(1), psci::kAffinityOff);
    EXPECT_EQ(cpu_on(1, kEntry, 0x1122'3344'5566'7788), psci::kSuccess);
    EXPECT_EQ(f.ports[1].program_counter(), kEntry);
    EXPECT_EQ(x(0, 1), 0x1122'3344'5566'7788u);
    EXPECT_EQ(f.ports[1].state(), fake::Vcpu::State::runnable);
    EXPECT_EQ(affinity(1), psci::kAffinityOn);
}

// DEN 0022, "Initial core state".
TEST_F(PsciTest, AStartedCpuHasTheEndiannessOfItsCallerAndNothingElseOfIt) {
    constexpr u32 kSctlr = aarch64::sysreg::kSctlrEl1;
    constexpr u64 kEe = u64{1} << 25;
    constexpr u64 kE0e = u64{1} << 24;
    constexpr u64 kOthers = 0x5; // MMU and caches
    EXPECT_EQ(cpu_on(1), psci::kSuccess) << "where the host cannot reach the register";
    EXPECT_FALSE(f.ports[1].system_register(kSctlr));
    for (const u64 callers : {u64{0}, kEe, kE0e, kEe | kE0e}) {
        for (const u64 before : {u64{0}, kEe | kE0e}) {
            f.ports[1].set_state(fake::Vcpu::State::stopped);
            EXPECT_EQ(call(psci::kCpuOff, {.vcpu = 1}).next(), Next::stop);
            f.vm.parked(f.vcpu(1));
            ASSERT_TRUE(f.ports[0].set_system_register(kSctlr, callers | kOthers));
            ASSERT_TRUE(f.ports[1].set_system_register(kSctlr, before | 0x30d0'0800));
            EXPECT_EQ(cpu_on(1), psci::kSuccess);
            EXPECT_EQ(*f.ports[1].system_register(kSctlr), callers | 0x30d0'0800);
            EXPECT_EQ(*f.ports[0].system_register(kSctlr), callers | kOthers);
        }
    }
}

TEST_F(PsciTest, TheThirtyTwoBitCallIgnoresUpperHalves) {
    EXPECT_EQ(cpu_on(0xffff'ffff'0000'0001, 0xabcd'0000'0000'0000 | kEntry, 0xffff'ffff'0000'0007, psci::kCpuOn32),
              psci::kSuccess);
    EXPECT_EQ(f.ports[1].program_counter(), kEntry);
    EXPECT_EQ(x(0, 1), 7u);
    EXPECT_EQ(result(psci::kAffinityInfo32, {.x1 = u64{1} << 63 | 1, .x2 = u64{1} << 32}), psci::kAffinityOn);
    EXPECT_EQ(cpu_on(0xffff'ffff'0000'0002), psci::kInvalidParameters) << "the 64-bit call does not";
}

TEST_F(PsciTest, CpuOnRefusesWhatItMust) {
    EXPECT_EQ(cpu_on(0), psci::kAlreadyOn) << "the caller itself";
    EXPECT_EQ(cpu_on(3), psci::kInvalidParameters) << "no such CPU";
    EXPECT_EQ(cpu_on(u64{1} << 32 | 1), psci::kInvalidParameters) << "Aff3";
    EXPECT_EQ(cpu_on(u64{1} << 31 | 1), psci::kInvalidParameters) << "bit 31 of MPIDR is not affinity";
    EXPECT_EQ(cpu_on(1, 0x0900'0000), psci::kInvalidAddress) << "not memory";
    EXPECT_EQ(cpu_on(1, 0x4020'0000), psci::kInvalidAddress) << "just past the end of RAM";
    EXPECT_EQ(cpu_on(1, 0x401f'fffe), psci::kInvalidAddress) << "misaligned, straddling the end";
    EXPECT_EQ(cpu_on(1, kEntry + 2), psci::kInvalidAddress);
    EXPECT_EQ(cpu_on(1, ~u64{0} - 3), psci::kInvalidAddress);
    EXPECT_EQ(f.ports[1].resets(), 0u);
    EXPECT_EQ(cpu_on(1), psci::kSuccess);
    EXPECT_EQ(cpu_on(1), psci::kAlreadyOn);
}

TEST_F(PsciTest, ACpuThatTurnedItselfOffCanBeStartedAgain) {
    EXPECT_EQ(cpu_on(1), psci::kSuccess);
    const Answer answer = call(psci::kCpuOff, {.vcpu = 1});
    EXPECT_EQ(answer.next(), Next::stop);
    EXPECT_EQ(affinity(1), psci::kAffinityOn) << "until it has stopped";
    EXPECT_EQ(cpu_on(1), psci::kAlreadyOn);
    f.ports[1].set_state(fake::Vcpu::State::stopped);
    f.vm.parked(f.vcpu(1));
    EXPECT_EQ(affinity(1), psci::kAffinityOff);
    EXPECT_EQ(cpu_on(1, kEntry + 8, 5), psci::kSuccess);
    EXPECT_EQ(f.ports[1].program_counter(), kEntry + 8);
    EXPECT_EQ(x(0, 1), 5u);
}

TEST_F(PsciTest, CpuOnWhileTheVmIsAboutToStopFails) {
    ASSERT_TRUE(f.vm.pause());
    call(psci::kCpuOn64, {.x1 = 1, .x2 = kEntry});
    EXPECT_EQ(static_cast<i64>(x(0)), psci::kInternalFailure);
    EXPECT_EQ(f.ports[1].resets(), 0u);
}

TEST_F(PsciTest, TheLastCpuThatTurnsItselfOffStopsTheVm) {
    call(psci::kCpuOff);
    EXPECT_EQ(f.vm.state(), VmState::stopping);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::guest_crash);
}

// -- affinity levels

TEST_F(PsciTest, AffinityInfoRefusesUnknownTargetsAndLevels) {
    EXPECT_EQ(affinity(9), psci::kInvalidParameters);
    EXPECT_EQ(affinity(0, 4), psci::kInvalidParameters);
    EXPECT_EQ(affinity(0, u64{1} << 40), psci::kInvalidParameters);
    EXPECT_EQ(affinity(u64{1} << 24), psci::kInvalidParameters);
    EXPECT_EQ(affinity(0x100, 1), psci::kInvalidParameters) << "no CPU in that cluster";
}

struct PsciClusters : PsciTest {
    PsciClusters() : PsciTest(18) {}
    i64 ask(u32 function, u64 x1, u64 x2 = 0) { return result(function, {.x1 = x1, .x2 = x2}); }
};

TEST_F(PsciClusters, AClusterIsOnWhenOneOfItsCpusIs) {
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x000, 0), psci::kAffinityOn);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x001, 0), psci::kAffinityOff);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x00f, 1), psci::kAffinityOn) << "Aff0 does not count at level 1";
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x101, 1), psci::kAffinityOff);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x1ff, 2), psci::kAffinityOn);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0xff'ffff, 3), psci::kAffinityOn);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x1'0000, 2), psci::kInvalidParameters);
    EXPECT_EQ(ask(psci::kCpuOn64, 0x101, kEntry), psci::kSuccess);
    EXPECT_EQ(f.ports[17].state(), fake::Vcpu::State::runnable);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x100, 1), psci::kAffinityOn);
    EXPECT_EQ(ask(psci::kAffinityInfo64, 0x100, 0), psci::kAffinityOff);
    EXPECT_EQ(ask(psci::kCpuOn64, 0x102, kEntry), psci::kInvalidParameters);
    EXPECT_EQ(ask(psci::kCpuOn64, 0x010, kEntry), psci::kInvalidParameters) << "Aff0 has 16 values";
}

// -- suspend

TEST_F(PsciTest, SuspendWaitsForAnInterruptAndReturnsSuccess) {
    Answer answer = call(psci::kCpuSuspend64);
    EXPECT_EQ(answer, Answer::complete().then(Next::block));
    EXPECT_EQ(x(0), 0u);
    answer = call(psci::kCpuSuspend32, {.x1 = 0xffff'ffff'0300'ffff});
    EXPECT_EQ(answer.next(), Next::block) << "any level and state number";
}

TEST_F(PsciTest, SuspendChecksItsParameters) {
    EXPECT_EQ(result(psci::kCpuSuspend64, {.x1 = 1U << 17}), psci::kInvalidParameters);
    EXPECT_EQ(result(psci::kCpuSuspend64, {.x1 = 1U << 26}), psci::kInvalidParameters);
    EXPECT_EQ(result(psci::kCpuSuspend64, {.x1 = 1U << 16, .x2 = 0x100}), psci::kInvalidAddress);
    EXPECT_EQ(call(psci::kCpuSuspend64, {.x1 = 0, .x2 = 0x100}).next(), Next::block) << "a standby has no entry";
}

// -- the system

TEST_F(PsciTest, SystemOffStopsEveryVcpuAndTheVm) {
    EXPECT_EQ(cpu_on(1), psci::kSuccess);
    f.script(test::hypercall_exit(psci::kSystemOff), 1);
    f.run();
    EXPECT_EQ(f.vm.state(), VmState::stopped);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
}

TEST_F(PsciTest, SystemResetBootsAgain) {
    EXPECT_EQ(cpu_on(2), psci::kSuccess);
    f.script(test::hypercall_exit(psci::kSystemReset, aarch64::Conduit::smc), 2);
    f.script(test::hypercall_exit(psci::kSystemOff));
    f.run();
    EXPECT_EQ(f.hooks.prepared, 2);
    EXPECT_EQ(f.vm.stop_reason(), StopReason::powered_off);
    EXPECT_EQ(f.ports[2].state(), fake::Vcpu::State::stopped);
}

TEST_F(PsciTest, SystemReset2KnowsTheArchitecturalWarmResetOnly) {
    EXPECT_EQ(result(psci::kSystemReset2_64, {.x1 = 1}), psci::kInvalidParameters);
    EXPECT_EQ(result(psci::kSystemReset2_64, {.x1 = 0x8000'0000}), psci::kInvalidParameters);
    EXPECT_EQ(f.vm.state(), VmState::running);
    EXPECT_EQ(call(psci::kSystemReset2_32, {.x1 = u64{0xff} << 32, .x2 = 0x1234}).next(), Next::stop);
    EXPECT_EQ(f.vm.state(), VmState::resetting);
}

struct PsciWithoutRestart : PsciTest {
    PsciWithoutRestart() : PsciTest(1, ResetPolicy::stop) {}
};

TEST_F(PsciWithoutRestart, ResetStopsWhereThePolicySaysSo) {
    f.script(test::hypercall_exit(psci::kSystemReset));
    f.run();
    EXPECT_EQ(f.vm.stop_reason(), StopReason::reset);
}

TEST_F(PsciTest, ResultRegistersThatACallDoesNotDefineKeepTheirValues) {
    EXPECT_EQ(result(psci::kVersion, {.x1 = 11, .x2 = 22, .x3 = 33}), 0x1'0001);
    EXPECT_EQ(x(1), 11u);
    EXPECT_EQ(x(2), 22u);
    EXPECT_EQ(x(3), 33u);
}

} // namespace
} // namespace sel4vm::dev
