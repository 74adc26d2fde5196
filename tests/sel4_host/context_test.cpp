// SPDX-License-Identifier: BSD-2-Clause
//
// A client's callback that gets or asks for all registers of a vCPU costs one long read, and only what it changes is written: on
// seL4 each is a system call whose price is its length.
#include <sel4_host/double/host.hpp>

#include <sel4vm/base/assert.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

#include <vector>

namespace sel4vm::sel4_double {
namespace {

constexpr u32 kVendorCall = 0xc300'1234;

/// Kernel calls that were made when each callback began and ended.
struct Counts {
    std::vector<unsigned> begins;
    std::vector<unsigned> ends;
};

class Sel4Context : public testing::Test {
protected:
    Sel4Context() {
        shared() = {};
        EXPECT_EQ(vm_host_open(&host), 0);
        t.host = &host;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        EXPECT_TRUE(guest_make(&guest, &t, nullptr));
        current = this;
    }
    ~Sel4Context() override {
        guest_destroy(&guest);
        EXPECT_EQ(kernel_of(host).violation, "");
        vm_host_close(&host);
        EXPECT_EQ(shared().left, 0U);
        current = nullptr;
    }
    void run(const std::vector<u32> &code) {
        guest_load(&guest, CODE, code.data(), code.size());
        ASSERT_TRUE(guest_begin(&guest));
        EXPECT_TRUE(guest_finish(&guest));
    }
    static void begin() { current->counts.begins.push_back(kernel_of(current->host).calls); }
    static void end() { current->counts.ends.push_back(kernel_of(current->host).calls); }

    vm_host_t host{};
    conformance_t t{};
    test_guest_t guest{};
    Counts counts;
    inline static Sel4Context *current = nullptr; // SMC callbacks have no cookie
};

TEST_F(Sel4Context, AnSmcCallbackCostsOneReadAndOneWrite) {
    ASSERT_EQ(vm_register_smc_handler_callback(&guest.vm,
                                               [](vm_vcpu_t *vcpu, seL4_UserContext *regs) {
                                                   if (regs->x0 != kVendorCall)
                                                       return vm_serve_smc(vcpu, regs);
                                                   begin();
                                                   regs->x0 = regs->x1 + regs->x28;
                                                   end();
                                                   return 0;
                                               }),
              0);
    std::vector<u32> code = {A64_LOAD(2U, RESULTS), A64_LOAD(1U, 40U), A64_LOAD(28U, 2U)};
    for (int i = 0; i < 3; ++i)
        code.insert(code.end(), {A64_CALL(kVendorCall)});
    code.insert(code.end(), {A64_STR_X(0U, 2U, 0U), A64_POWER_OFF});
    run(code);
    ASSERT_EQ(counts.begins.size(), 3U);
    // The first one has shown that everything is wanted. After it: registers written, the answer with the wait, and the read.
    EXPECT_EQ(counts.begins[2] - counts.ends[1], 3U);
    EXPECT_EQ(guest_result(&guest, 0), 42U);
}

TEST_F(Sel4Context, AnSmcOfTheLibraryReadsNoMoreThanItsNumber) {
    ASSERT_EQ(vm_register_smc_handler_callback(&guest.vm, nullptr), 0);
    ASSERT_NE(vm_reserve_memory_at(
                  &guest.vm, DEVICE, 0x1000,
                  [](vm_t *, vm_vcpu_t *vcpu, uintptr_t, size_t, void *) {
                      begin();
                      advance_vcpu_fault(vcpu);
                      end();
                      return FAULT_HANDLED;
                  },
                  nullptr),
              nullptr);
    run({A64_LOAD(1U, DEVICE), A64_STR_W(A64_XZR, 1U, 0U), A64_CALL(PSCI_VERSION), A64_STR_W(A64_XZR, 1U, 0U),
         A64_POWER_OFF});
    ASSERT_EQ(counts.begins.size(), 2U);
    // PC of the store, the answer; the number, the result, the answer.
    EXPECT_EQ(counts.begins[1] - counts.ends[0], 5U);
}

TEST_F(Sel4Context, AllRegistersOfAFaultAreOneRead) {
    ASSERT_NE(vm_reserve_memory_at(
                  &guest.vm, DEVICE, 0x1000,
                  [](vm_t *, vm_vcpu_t *vcpu, uintptr_t, size_t, void *) {
                      seL4_UserContext regs{};
                      begin();
                      EXPECT_EQ(vm_get_thread_context(vcpu, &regs), 0);
                      EXPECT_EQ(vm_get_thread_context(vcpu, &regs), 0);
                      end();
                      EXPECT_EQ(regs.x28, 0x28U);
                      EXPECT_EQ(regs.x1, DEVICE);
                      EXPECT_EQ(regs.spsr & 0xf, 5U) << "EL1h";
                      EXPECT_EQ(vm_set_thread_context(vcpu, regs), 0) << "what was read can be written";
                      advance_vcpu_fault(vcpu);
                      return FAULT_HANDLED;
                  },
                  nullptr),
              nullptr);
    run({A64_LOAD(28U, 0x28U), A64_LOAD(1U, DEVICE), A64_STR_W(A64_XZR, 1U, 0U), A64_POWER_OFF});
    ASSERT_EQ(counts.ends.size(), 1U);
    EXPECT_EQ(counts.ends[0] - counts.begins[0], 1U);
}

TEST_F(Sel4Context, ReadingOneRegisterAfterTheOtherIsAFewReads) {
    ASSERT_NE(vm_reserve_memory_at(
                  &guest.vm, DEVICE, 0x1000,
                  [](vm_t *, vm_vcpu_t *vcpu, uintptr_t, size_t, void *) {
                      begin();
                      for (unsigned word = 0; word < sizeof(seL4_UserContext) / sizeof(seL4_Word); ++word) {
                          uintptr_t value = 0;
                          EXPECT_EQ(vm_get_thread_context_reg(vcpu, word, &value), 0);
                      }
                      end();
                      advance_vcpu_fault(vcpu);
                      return FAULT_HANDLED;
                  },
                  nullptr),
              nullptr);
    run({A64_LOAD(1U, DEVICE), A64_STR_W(A64_XZR, 1U, 0U), A64_POWER_OFF});
    ASSERT_EQ(counts.ends.size(), 1U);
    EXPECT_LE(counts.ends[0] - counts.begins[0], 3U);
}

} // namespace
} // namespace sel4vm::sel4_double
