/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Budgets where the kernel has them: by the kernel's own account a VM uses its part of the CPU and no more, also when nobody else wants it,
 * and it gets that part again in every period.
 */
#include <suite/guest.h>

#include <hosts/sel4/counter.h>
#include <sel4/sel4_tests.h>

#define BUDGET_US 1000u
#define PERIOD_US 5000u
#define LOOPS     0x600000u /* some ten budgets, wherever an instruction takes about a nanosecond */

#ifdef CONFIG_KERNEL_MCS

static const uint32_t spin[] = {A64_LOAD(3u, LOOPS), A64_SUB(3u, 3u, 1u), A64_CBNZ(3u, -1), A64_POWER_OFF};

static seL4_Word consumed_us(const vm_vcpu_t *vcpu) { return seL4_SchedContext_Consumed(vcpu->tcb.sc.cptr).consumed; }

static void test_a_vm_has_its_budget_and_no_more(conformance_t *t) {
    test_guest_t guest = {.t = t};
    if (!CHECK(t, guest_init_vm(t, &guest.vm, NULL) == 0))
        return;
    if (CHECK(t, vm_set_budget(&guest.vm, 0, BUDGET_US, PERIOD_US) == 0) &&
        CHECK(t, (guest.vcpu = vm_create_vcpu(&guest.vm, t->host->priority)) != NULL) &&
        CHECK(t, vm_ram_register_at(&guest.vm, RAM, RAM_SIZE, false) == 0)) {
        GUEST_LOAD(&guest, CODE, spin);
        CHECK(t, vm_set_budget(&guest.vm, 0, BUDGET_US, PERIOD_US) == -1); /* there is a vCPU */
        consumed_us(guest.vcpu);
        const uint64_t begin = sel4vm_counter();
        if (guest_begin(&guest) && guest_finish(&guest)) {
            const uint64_t elapsed_us = (sel4vm_counter() - begin) * 1000000 / sel4vm_counter_frequency();
            const seL4_Word used_us = consumed_us(guest.vcpu);
            CHECK(t, used_us > 3 * BUDGET_US); /* else this shows nothing */
            CHECK(t, used_us <= (elapsed_us / PERIOD_US + 2) * BUDGET_US);
        }
    }
    guest_destroy(&guest);
}

#else

static void test_a_kernel_without_mcs_has_no_budgets(conformance_t *t) {
    vm_t vm;
    if (!CHECK(t, guest_init_vm(t, &vm, NULL) == 0))
        return;
    CHECK(t, vm_set_budget(&vm, 0, BUDGET_US, PERIOD_US) == -1);
    CHECK(t, vm_destroy(&vm) == 0);
}

#endif

const conformance_test_t sel4_budget_tests[] = {
#ifdef CONFIG_KERNEL_MCS
    SEL4_TEST(test_a_vm_has_its_budget_and_no_more),
#else
    SEL4_TEST(test_a_kernel_without_mcs_has_no_budgets),
#endif
};
const size_t sel4_budget_test_count = sizeof sel4_budget_tests / sizeof sel4_budget_tests[0];
