// SPDX-License-Identifier: BSD-2-Clause
//
// Guests whose hvc is a system call: without MCS their own fault endpoint is in their reach. They can tell the VMM nothing that they
// could not do, and what they tell harms nobody else.
#include <sel4_host/double/host.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

#include <vector>

namespace sel4vm::sel4_double {
namespace {

enum : u32 { kCallNumber = 1, kSendNumber = 3 }; // without MCS
constexpr u32 kHvc = A64_HVC;

/// x7 = -number.
constexpr u32 minus(u32 number) { return 0x9280'0000U | (number - 1) << 5 | 7U; }

class Sel4Forged : public testing::Test {
protected:
    Sel4Forged() {
        shared() = {};
        EXPECT_EQ(vm_host_open(&host), 0);
        t.host = &host;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        EXPECT_TRUE(guest_make(&guest, &t, nullptr));
        EXPECT_NE(vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, on_access, &accesses), nullptr);
        EXPECT_EQ(vm_create_default_irq_controller(&guest.vm), 0);
        append({A64_LOAD(20U, RESULTS)});
    }
    ~Sel4Forged() override {
        guest_destroy(&guest);
        EXPECT_EQ(kernel_of(host).violation, "");
        vm_host_close(&host);
        EXPECT_EQ(shared().left, 0U);
    }
    static memory_fault_result_t on_access(vm_t *, vm_vcpu_t *vcpu, uintptr_t at, size_t, void *cookie) {
        static_cast<std::vector<u64> *>(cookie)->push_back(at);
        advance_vcpu_fault(vcpu);
        return FAULT_HANDLED;
    }

    void append(std::initializer_list<u32> more) { code.insert(code.end(), more); }
    /// A message of the guest's own on its fault endpoint.
    void forge(u32 number, u32 label, u32 length, u32 first, u32 second = 0, u32 fourth = 0) {
        append({A64_LOAD(0U, static_cast<u32>(VM_FAULT_EP_SLOT)), A64_LOAD(1U, label << 12 | length),
                A64_LOAD(2U, first), A64_LOAD(3U, second), A64_LOAD(4U, 0U), A64_LOAD(5U, fourth), minus(number),
                kHvc});
    }
    void run() {
        append({A64_LOAD(4U, 0x1234U), A64_STR_X(4U, 20U, 0U), A64_POWER_OFF});
        guest_load(&guest, CODE, code.data(), code.size());
        ASSERT_TRUE(guest_begin(&guest));
        EXPECT_TRUE(guest_finish(&guest));
        EXPECT_EQ(guest_result(&guest, 0), 0x1234U) << "it came to its end";
    }

    vm_host_t host{};
    conformance_t t{};
    test_guest_t guest{};
    std::vector<u64> accesses;
    std::vector<u32> code;
};

TEST_F(Sel4Forged, AFirmwareCallByHvcIsServedWhateverX7Holds) {
    for (const u32 x7 : {minus(1), minus(3), minus(5), A64_MOVZ(7U, 99U, 0U)})
        append({A64_LOAD(0U, PSCI_VERSION), x7, kHvc, A64_STR_X(0U, 20U, 1U)});
    run();
    EXPECT_GE(guest_result(&guest, 1), 0x10000U);
}

#ifndef CONFIG_KERNEL_MCS

TEST_F(Sel4Forged, AYieldIsTheKernels) {
    append({A64_LOAD(0U, PSCI_VERSION), minus(7), kHvc, A64_STR_X(0U, 20U, 1U)});
    run();
    EXPECT_EQ(guest_result(&guest, 1), PSCI_VERSION) << "nobody was called";
}

TEST_F(Sel4Forged, AForgedAccessIsOneThatTheGuestCouldMake) {
    // A data abort: syndrome valid, a store of wzr.
    constexpr u32 kStore = 0x939f'0047;
    // It says where it happened, too: at the hvc, so that what is after it comes next.
    const auto hvc = static_cast<u32>(CODE + 4 * (code.size() + 13));
    forge(kCallNumber, seL4_Fault_VMFault, 4, hvc, DEVICE + 8, kStore);
    run();
    EXPECT_EQ(accesses, std::vector<u64>{DEVICE + 8});
}

TEST_F(Sel4Forged, AnythingMayBeSentAndNothingIsHarmed) {
    for (const u32 number : {kSendNumber, kCallNumber}) {
        for (u32 label = 0; label < 12; ++label) {
            if (label == seL4_Fault_VMFault || label == seL4_Fault_VCPUFault || label == seL4_Fault_UserException ||
                label == seL4_Fault_CapFault)
                continue; // these move PC
            for (const u32 length : {0U, 1U, 4U, 100U})
                forge(number, label, length, 0xffff'ffffU, 0xffff'ffffU, 0xffff'ffffU);
        }
    }
    run();
    EXPECT_TRUE(accesses.empty());
}

// Such an answer has words, which are not to be what the VMM has heard from others.
TEST_F(Sel4Forged, TheAnswerToAForgedFaultOfAVcpuTellsNothing) {
    constexpr u32 kHeard = 0x5ec7;
    u32 result = 1;
    for (const u32 label : {seL4_Fault_VPPIEvent, seL4_Fault_VGICMaintenance}) {
        forge(kCallNumber, label, 4, kHeard, kHeard, kHeard);
        for (u32 n = 2; n < 6; ++n)
            append({A64_STR_X(n, 20U, result++)});
    }
    run();
    for (u32 n = 1; n < result; ++n)
        EXPECT_EQ(guest_result(&guest, n), 0U) << n;
}

TEST_F(Sel4Forged, AnInterruptThatNeverCameIsNotEnded) {
    for (u32 index = 0; index < 8; ++index)
        forge(kSendNumber, seL4_Fault_VGICMaintenance, 1, index);
    forge(kSendNumber, seL4_Fault_VPPIEvent, 1, 27);
    forge(kSendNumber, seL4_Fault_VPPIEvent, 1, 30);
    run();
}

#endif

} // namespace
} // namespace sel4vm::sel4_double
