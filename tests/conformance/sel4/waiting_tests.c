/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests that wait (WFI). How often one goes on too early is counted by the guest: hardly ever where the library blocks
 * the vCPU, again and again where it can only yield.
 */
#include <stdio.h>

#include <suite/irq_guest.h>

#include <sel4/helper_thread.h>
#include <sel4/sel4_tests.h>

#define TIMEOUT_BADGE 0x100
#define SIGNAL_BADGE  0x200
#define WAIT_MS       30u
#define LATE_MS       100u
/* A vCPU that is blocked is resumed once or twice. One that the kernel lets wait by itself goes on at each turn of others. */
#ifdef CONFIG_DISABLE_WFI_WFE_TRAPS
#define FEW 100u
#else
#define FEW 2u
#endif

/* Subtracts, and branches when a number is negative. */
#define A64_SUB_REG(rd, rn, rm)   (0xcb000000u | (rm) << 16 | (rn) << 5 | (rd))
#define A64_TBNZ_SIGN(rt, offset) (0xb7f80000u | ((offset)&0x3fff) << 5 | (rt))

/* Sets the virtual timer to x20 ticks from now, and waits with interrupts masked. Result 0: how often; result 1: ticks late. */
FOR_BOTH(wait_for_timer, A64_MRS(5u, A64_CNTVCT_EL0), A64_ADD_REG(5u, 5u, 20u), A64_MSR(A64_CNTV_CVAL_EL0, 5u),
         A64_LOAD(6u, 1u), A64_MSR(A64_CNTV_CTL_EL0, 6u), A64_ISB, A64_ADD(7u, 7u, 1u), A64_WFI,
         A64_MRS(8u, A64_CNTVCT_EL0), A64_SUB_REG(9u, 8u, 5u), A64_TBNZ_SIGN(9u, -4), A64_STR_X(7u, 2u, 0u),
         A64_STR_X(9u, 2u, 1u), A64_POWER_OFF);

/* Says that it is ready, and waits until its handler has counted an interrupt in result 1. Result 0: how often. */
FOR_BOTH(wait_for_signal, A64_MASK_IRQ, A64_STR_W(A64_XZR, 1u, 4u), A64_ADD(7u, 7u, 1u), A64_WFI, A64_UNMASK_IRQ,
         A64_ISB, A64_MASK_IRQ, A64_LDR_X(4u, 2u, 1u), A64_CBZ(4u, -6), A64_STR_X(7u, 2u, 0u), A64_POWER_OFF);
#define COUNT A64_LDR_X(11u, 2u, 1u), A64_ADD(11u, 11u, 1u), A64_STR_X(11u, 2u, 1u)
HANDLERS(count_irq, A64_NOP, COUNT);

typedef struct waiting_guest {
    test_guest_t guest;
    helper_thread_t helper;
} waiting_guest_t;

static int make(waiting_guest_t *waiting, conformance_t *t, const vm_options_t *options) {
    test_guest_t *guest = &waiting->guest;
    vm_vgic_config_t config;
    if (!guest_make(guest, t, options))
        return 0;
    if (!CHECK(t, vm_create_default_irq_controller(&guest->vm) == 0) ||
        !CHECK(t, vm_get_vgic(&guest->vm, &config) == 0)) {
        guest_destroy(guest);
        return 0;
    }
    guest->seen[5] = config.version;
    seL4_UserContext context = {0};
    context.pc = CODE;
    context.x1 = DEVICE;
    context.x20 = helper_rate() * WAIT_MS / 1000;
    context.x26 = config.distributor;
    context.x27 = config.version == 2 ? config.cpu_interface : config.redistributor;
    CHECK(t, vm_set_thread_context(guest->vcpu, context) == 0);
    LOAD_VERSION(guest, VECTORS + 0x280, count_irq);
    return 1;
}

static void run_with_timer(conformance_t *t, const vm_options_t *options, int may_turn) {
    waiting_guest_t waiting;
    test_guest_t *guest = &waiting.guest;
    if (!make(&waiting, t, options))
        return;
    LOAD_VERSION(guest, CODE, wait_for_timer);
    if (CHECK(t, vcpu_start(guest->vcpu) == 0) && guest_finish(guest)) {
        const uint64_t late = guest_result(guest, 1);
        printf("       waited %u ms: %lu turns, %lu us late\n", WAIT_MS, (unsigned long)guest_result(guest, 0),
               (unsigned long)(late * 1000000 / helper_rate()));
        CHECK(t, late < helper_rate() * LATE_MS / 1000);
        CHECK(t, may_turn || guest_result(guest, 0) <= FEW);
    }
    guest_destroy(guest);
}

/* A source of the environment's, where it has one; made once in a program. */
static void test_a_vcpu_that_waits_for_its_timer_is_blocked_with_a_source(conformance_t *t) {
    static helper_thread_t helper;
    vm_timeout_source_t source;
    if (vm_host_timeout_source(t->host, TIMEOUT_BADGE, &source) != 0) {
        if (!CHECK(t, helper_open(&helper, t->host, TIMEOUT_BADGE) == 0))
            return;
        source = (vm_timeout_source_t){helper_set, helper_cancel, &helper, TIMEOUT_BADGE};
    }
    const vm_options_t options = {.timeout_source = &source};
    for (unsigned int i = 0; i < 3; i++)
        run_with_timer(t, &options, 0);
    if (source.cookie == &helper)
        helper_close(&helper);
}

static void test_a_vcpu_that_waits_for_its_timer_yields_without_a_source(conformance_t *t) {
    run_with_timer(t, NULL, 1);
}

static memory_fault_result_t on_ready(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    waiting_guest_t *waiting = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    waiting->guest.seen[0] = helper_now() + helper_rate() * WAIT_MS / 1000;
    CHECK(waiting->guest.t, helper_set(&waiting->helper, waiting->guest.seen[0]) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int on_signal(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    waiting_guest_t *waiting = cookie;
    (void)vm;
    (void)tag;
    waiting->guest.calls += badge == SIGNAL_BADGE;
    waiting->guest.seen[1] = helper_now();
    return vm_inject_irq(waiting->guest.vcpu, SPI);
}

static void on_end_of_irq(vm_vcpu_t *vcpu, int irq, void *cookie) {
    (void)vcpu;
    (void)irq;
    (void)cookie;
}

static void test_a_vcpu_without_a_timer_is_blocked_until_an_interrupt(conformance_t *t) {
    static waiting_guest_t waiting;
    test_guest_t *guest = &waiting.guest;
    if (!CHECK(t, helper_open(&waiting.helper, t->host, SIGNAL_BADGE) == 0) || !make(&waiting, t, NULL))
        return;
    LOAD_VERSION(guest, CODE, wait_for_signal);
    CHECK(t, vm_register_irq(guest->vcpu, SPI, on_end_of_irq, NULL) == 0);
    CHECK(t, vm_register_notification_callback(&guest->vm, on_signal, &waiting) == 0);
    CHECK(t, vm_reserve_memory_at(&guest->vm, DEVICE, 0x1000, on_ready, &waiting) != NULL);
    if (CHECK(t, vcpu_start(guest->vcpu) == 0) && guest_finish(guest)) {
        CHECK(t, guest->calls == 1 && guest->seen[1] >= guest->seen[0]);
        CHECK(t, guest_result(guest, 1) == 1 && guest_result(guest, 0) <= FEW);
        printf("       waited for a signal: %lu turns\n", (unsigned long)guest_result(guest, 0));
    }
    guest_destroy(guest);
    helper_close(&waiting.helper);
}

const conformance_test_t sel4_waiting_tests[] = {
    SEL4_TEST(test_a_vcpu_that_waits_for_its_timer_is_blocked_with_a_source),
    SEL4_TEST(test_a_vcpu_that_waits_for_its_timer_yields_without_a_source),
    SEL4_TEST(test_a_vcpu_without_a_timer_is_blocked_until_an_interrupt),
};
const size_t sel4_waiting_test_count = sizeof sel4_waiting_tests / sizeof sel4_waiting_tests[0];
