// SPDX-License-Identifier: BSD-2-Clause
//
// Budgets of VMs with MCS: a VM has its part of a CPU and no more, again and again, whatever runs beside it; what its vCPUs are run with is the
// client's to see and comes back with them; kernels without MCS say that they have none.
#include <sel4_host/double/host.hpp>
#include <sel4_host/double/thread.hpp>

#include <suite/guest.h>

#include <gtest/gtest.h>

#include <array>

namespace sel4vm::sel4_double {
namespace {

constexpr u32 kBudgetUs = 200;
constexpr u32 kPeriodUs = 1000;

class Sel4Budgets : public testing::Test {
protected:
    Sel4Budgets() {
        shared() = {};
        EXPECT_EQ(vm_host_open(&host), 0);
        t.host = &host;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
    }
    ~Sel4Budgets() override {
        EXPECT_EQ(kernel_of(host).violation, "");
        vm_host_close(&host);
        EXPECT_EQ(shared().violation, "");
        EXPECT_EQ(shared().left, 0U);
    }
    [[nodiscard]] const Tcb &thread_of(const vm_vcpu_t &vcpu) {
        return *kernel_of(host).slot(vcpu.tcb.tcb.cptr)->as<Tcb>();
    }

    vm_host_t host{};
    conformance_t t{};
};

#ifdef CONFIG_KERNEL_MCS

constexpr u64 kPeriodTicks = kPeriodUs * 125 / 2;
constexpr seL4_Word kEndBadge = 0x20;

/// Counts in its first result for ever.
constexpr std::array kCounting = {A64_LOAD(2U, RESULTS), A64_LDR_X(4U, 2U, 0U), A64_ADD(4U, 4U, 1U),
                                  A64_STR_X(4U, 2U, 0U), A64_B(-3)};

struct CountingVm {
    void make(conformance_t &t, vm_t *peer, u32 budget_us, unsigned vcpu_count) {
        const vm_options_t options{
            .peer = peer, .lock = nullptr, .timeout_source = nullptr, .first_badge = 0, .defer_memory_map = false};
        guest.t = &t;
        ASSERT_EQ(guest_init_vm(&t, &guest.vm, &options), 0);
        ASSERT_EQ(budget_us == 0 ? 0 : vm_set_budget(&guest.vm, 0, budget_us, kPeriodUs), 0);
        for (unsigned i = 0; i < vcpu_count; ++i)
            ASSERT_NE(vm_create_vcpu(&guest.vm, t.host->priority), nullptr);
        guest.vcpu = guest.vm.vcpus[0];
        ASSERT_EQ(vm_ram_register_at(&guest.vm, RAM, RAM_SIZE, false), 0);
        guest_load(&guest, CODE, kCounting.data(), kCounting.size());
    }
    test_guest_t guest{};
};

int stop_all(vm_t *, seL4_Word, seL4_MessageInfo_t, void *cookie) {
    for (CountingVm &vm : *static_cast<std::array<CountingVm, 2> *>(cookie))
        static_cast<void>(vm_stop(&vm.guest.vm));
    return 0;
}

class Sel4Share : public Sel4Budgets {
protected:
    /// Percent of the CPU that the first VM had for `periods`, beside another that only spins.
    [[nodiscard]] u64 share(u32 budget_us, u64 periods, u64 &count) {
        std::array<CountingVm, 2> vms;
        vms[0].make(t, nullptr, budget_us, 1);
        vms[1].make(t, &vms[0].guest.vm, 0, 1);
        seL4_CPtr signal = 0;
        EXPECT_EQ(vm_host_make_signal(&host, kEndBadge, &signal), 0);
        EXPECT_EQ(vm_register_notification_callback(&vms[0].guest.vm, stop_all, &vms), 0);
        Kernel &kernel = kernel_of(host);
        kernel.timers.emplace(kernel.clock.now_ticks() + periods * kPeriodTicks, [signal] { seL4_Signal(signal); });
        for (CountingVm &vm : vms)
            EXPECT_TRUE(guest_begin(&vm.guest));
        EXPECT_EQ(vm_run(&vms[0].guest.vm), 0);
        EXPECT_EQ(vms[0].guest.vm.run.exit_reason, VM_GUEST_STOPPED_EXIT);
        count = guest_result(&vms[0].guest, 0);
        const u64 both = count + guest_result(&vms[1].guest, 0);
        for (CountingVm &vm : vms)
            guest_destroy(&vm.guest);
        vm_host_free_signal(&host, signal);
        return count * 100 / both;
    }
};

TEST_F(Sel4Share, IsTheBudgetBesideOneThatSpins) {
    u64 short_run = 0;
    EXPECT_NEAR(static_cast<double>(share(kBudgetUs, 20, short_run)), 20, 1);
    u64 long_run = 0;
    EXPECT_NEAR(static_cast<double>(share(kBudgetUs, 40, long_run)), 20, 1) << "it comes back in every period";
    EXPECT_NEAR(static_cast<double>(long_run), 2.0 * static_cast<double>(short_run),
                0.1 * static_cast<double>(long_run));
}

TEST_F(Sel4Share, IsHalfWithoutABudget) {
    u64 count = 0;
    EXPECT_NEAR(static_cast<double>(share(0, 20, count)), 50, 1);
}

TEST_F(Sel4Budgets, AreDividedAmongTheVcpusOfAVm) {
    CountingVm vm;
    vm.make(t, nullptr, 300, 3);
    for (unsigned i = 0; i < 3; ++i) {
        const SchedContext *const context = thread_of(*vm.guest.vm.vcpus[i]).context;
        ASSERT_NE(context, nullptr);
        EXPECT_EQ(context->budget * 2 / 125, 100U);
        EXPECT_EQ(context->period * 2 / 125, u64{kPeriodUs});
    }
    guest_destroy(&vm.guest);
}

TEST_F(Sel4Budgets, OfManyVcpusComeLessOftenWhereAPartWouldBeTooSmall) {
    CountingVm vm;
    vm.make(t, nullptr, kBudgetUs, 4);
    for (unsigned i = 0; i < 4; ++i) {
        const SchedContext *const context = thread_of(*vm.guest.vm.vcpus[i]).context;
        EXPECT_EQ(context->budget * 2 / 125, u64{kBudgetUs});
        EXPECT_EQ(context->period * 2 / 125, u64{4 * kPeriodUs}) << "the same part";
    }
    guest_destroy(&vm.guest);
}

TEST_F(Sel4Budgets, GoWithAVcpuToAnotherCpu) {
    CountingVm vm;
    vm.make(t, nullptr, kBudgetUs, 1);
    vm_vcpu_t &vcpu = *vm.guest.vcpu;
    EXPECT_EQ(vm_assign_vcpu_target(&vcpu, 2), 0);
    const SchedContext &context = *thread_of(vcpu).context;
    EXPECT_EQ(context.cpu, 2U);
    EXPECT_EQ(context.budget * 2 / 125, u64{kBudgetUs});
    // What a client changes it with is of that CPU.
    EXPECT_EQ(seL4_SchedControl_Configure(vcpu.tcb.sched_ctrl.cptr, vcpu.tcb.sc.cptr, 500, 2000, 0, 0), seL4_NoError);
    EXPECT_EQ(context.cpu, 2U);
    EXPECT_EQ(context.period * 2 / 125, 2000U);
    guest_destroy(&vm.guest);
}

TEST_F(Sel4Budgets, AreRefusedWhenTheyMakeNoSense) {
    CountingVm vm;
    ASSERT_EQ(guest_init_vm(&t, &vm.guest.vm, nullptr), 0);
    EXPECT_EQ(vm_set_budget(&vm.guest.vm, 0, 0, kPeriodUs), -1);
    EXPECT_EQ(vm_set_budget(&vm.guest.vm, 0, kPeriodUs + 1, kPeriodUs), -1);
    EXPECT_EQ(vm_set_budget(&vm.guest.vm, 4, kBudgetUs, kPeriodUs), -1);
    EXPECT_EQ(vm_set_budget(&vm.guest.vm, 3, kBudgetUs, kPeriodUs), 0);
    vm_vcpu_t *const vcpu = vm_create_vcpu(&vm.guest.vm, host.priority - 3);
    ASSERT_NE(vcpu, nullptr);
    EXPECT_EQ(thread_of(*vcpu).priority, static_cast<u64>(host.priority)) << "three above";
    EXPECT_EQ(vm_set_budget(&vm.guest.vm, 0, kBudgetUs, kPeriodUs), -1) << "there is a vCPU";
    EXPECT_EQ(vm_destroy(&vm.guest.vm), 0);
}

#else

TEST_F(Sel4Budgets, AreNotThereWithoutMcs) {
    vm_t vm{};
    ASSERT_EQ(guest_init_vm(&t, &vm, nullptr), 0);
    EXPECT_EQ(vm_set_budget(&vm, 0, kBudgetUs, kPeriodUs), -1);
    EXPECT_EQ(vm_destroy(&vm), 0);
}

#endif

} // namespace
} // namespace sel4vm::sel4_double
