// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>

#include <cerrno>
#include <gtest/gtest.h>

namespace sel4vm::kvm {
namespace {

kvm_run run_with(u32 reason) {
    kvm_run run{};
    run.exit_reason = reason;
    return run;
}

kvm_run access(u64 at, u32 bytes, bool write) {
    kvm_run run = run_with(KVM_EXIT_MMIO);
    run.mmio.phys_addr = at;
    run.mmio.len = bytes;
    run.mmio.is_write = write ? 1 : 0;
    for (u8 i = 0; i < 8; ++i)
        run.mmio.data[i] = static_cast<u8>(0x11 * (i + 1));
    return run;
}

TEST(KvmExitDecoding, AWriteHasItsBytesAndZerosAboveThem) {
    const struct {
        u32 bytes;
        Width width;
        u64 data;
    } rows[] = {{1, Width::b1, 0x11},
                {2, Width::b2, 0x2211},
                {4, Width::b4, 0x4433'2211},
                {8, Width::b8, 0x8877'6655'4433'2211}};
    for (const auto &row : rows) {
        const auto exit = decode_exit(access(0x0900'0018, row.bytes, true));
        ASSERT_TRUE(exit);
        ASSERT_EQ(exit->kind, ExitKind::memory);
        EXPECT_EQ(exit->memory.gpa, Gpa{0x0900'0018});
        EXPECT_EQ(exit->memory.access, MemoryAccess::write);
        EXPECT_EQ(exit->memory.width, row.width);
        EXPECT_EQ(exit->memory.data, row.data);
        EXPECT_TRUE(exit->memory.emulatable);
        EXPECT_FALSE(exit->memory.table_walk);
    }
}

TEST(KvmExitDecoding, AReadHasNoData) {
    const auto exit = decode_exit(access(0x0900'0000, 4, false));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->memory.access, MemoryAccess::read);
    EXPECT_EQ(exit->memory.width, Width::b4);
    EXPECT_EQ(exit->memory.data, 0u);
}

TEST(KvmExitDecoding, AWidthThatNoInstructionHasIsUnknown) {
    for (const u32 bytes : {0u, 3u, 16u}) {
        const auto exit = decode_exit(access(0x0900'0000, bytes, true));
        ASSERT_TRUE(exit);
        EXPECT_EQ(exit->kind, ExitKind::unknown) << bytes;
        EXPECT_EQ(exit->unknown.syndrome, bytes);
    }
}

TEST(KvmExitDecoding, AnAccessWithoutASyndromeCannotBeEmulated) {
    kvm_run run = run_with(KVM_EXIT_ARM_NISV);
    run.arm_nisv.fault_ipa = 0x0a00'0010;
    run.arm_nisv.esr_iss = 1u << 6;
    auto exit = decode_exit(run);
    ASSERT_TRUE(exit);
    ASSERT_EQ(exit->kind, ExitKind::memory);
    EXPECT_FALSE(exit->memory.emulatable);
    EXPECT_EQ(exit->memory.gpa, Gpa{0x0a00'0010});
    EXPECT_EQ(exit->memory.access, MemoryAccess::write);
    run.arm_nisv.esr_iss = 0;
    exit = decode_exit(run);
    EXPECT_EQ(exit->memory.access, MemoryAccess::read);
}

TEST(KvmExitDecoding, SystemEventsAreTheCallsThatTheKernelTookThemFrom) {
    kvm_run run = run_with(KVM_EXIT_SYSTEM_EVENT);
    run.system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
    auto exit = decode_exit(run);
    ASSERT_TRUE(exit);
    ASSERT_EQ(exit->kind, ExitKind::hypercall);
    EXPECT_EQ(exit->hypercall.function, aarch64::psci::kSystemOff);
    EXPECT_EQ(aarch64::immediate_of(exit->hypercall), 0);
    run.system_event.type = KVM_SYSTEM_EVENT_RESET;
    exit = decode_exit(run);
    EXPECT_EQ(exit->hypercall.function, aarch64::psci::kSystemReset);
    run.system_event.type = KVM_SYSTEM_EVENT_CRASH;
    exit = decode_exit(run);
    ASSERT_EQ(exit->kind, ExitKind::unknown);
    EXPECT_EQ(exit->unknown.reason, u32{KVM_EXIT_SYSTEM_EVENT});
    EXPECT_EQ(exit->unknown.syndrome, u64{KVM_SYSTEM_EVENT_CRASH});
}

TEST(KvmExitDecoding, WhatTheCoreCannotAnswerKeepsTheKernelsNumbers) {
    kvm_run run = run_with(KVM_EXIT_FAIL_ENTRY);
    run.fail_entry.hardware_entry_failure_reason = 0x77;
    EXPECT_EQ(decode_exit(run)->unknown.syndrome, 0x77u);
    run = run_with(KVM_EXIT_INTERNAL_ERROR);
    run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
    EXPECT_EQ(decode_exit(run)->unknown.reason, u32{KVM_EXIT_INTERNAL_ERROR});
    EXPECT_EQ(decode_exit(run)->unknown.syndrome, u64{KVM_INTERNAL_ERROR_EMULATION});
    EXPECT_EQ(decode_exit(run_with(KVM_EXIT_IO))->kind, ExitKind::unknown);
    EXPECT_EQ(decode_exit(run_with(KVM_EXIT_DEBUG))->kind, ExitKind::debug);
}

TEST(KvmExitDecoding, AnInterruptedRunIsNoExitAndAFailedOneIs) {
    EXPECT_FALSE(decode_exit(run_with(KVM_EXIT_INTR)));
    EXPECT_FALSE(decode_error(EINTR));
    EXPECT_FALSE(decode_error(EAGAIN));
    const auto exit = decode_error(EFAULT);
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->kind, ExitKind::unknown);
    EXPECT_EQ(exit->unknown.syndrome, u64{EFAULT});
}

TEST(KvmExitDecoding, WhatAReadGivesLiesInTheOrderOfBytes) {
    kvm_run run{};
    put_read_data(run, 0x8877'6655'4433'2211);
    for (u8 i = 0; i < 8; ++i)
        EXPECT_EQ(run.mmio.data[i], 0x11 * (i + 1));
}

} // namespace
} // namespace sel4vm::kvm
