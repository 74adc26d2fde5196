/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Faults that are finished after their callback has returned, when somebody else has the answer.
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

enum { ADVANCE, RESTART, PAUSE_FIRST };

/* Takes the fault and asks for the answer, by the signal in seen[6]. */
static memory_fault_result_t ask_for_the_answer(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length,
                                                void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)length;
    guest->calls++;
    guest->seen[0] = addr;
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return FAULT_HANDLED;
}

/* The answer comes. What is done with it is in seen[7]; seen[1] counts. */
static int answer_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)tag;
    (void)badge;
    guest->seen[1]++;
    CHECK(guest->t, get_vcpu_fault_address(guest->vcpu) == DEVICE && get_vcpu_fault_size(guest->vcpu) == 4);
    if (guest->seen[7] == PAUSE_FIRST && guest->seen[1] == 1) {
        CHECK(guest->t, vm_pause(vm) == 0);
        CHECK(guest->t, vm_resume(vm) == 0);
        seL4_Signal((seL4_CPtr)guest->seen[6]);
    } else if (guest->seen[7] == RESTART && guest->seen[1] == 1) {
        restart_vcpu_fault(guest->vcpu);
    } else {
        CHECK(guest->t, set_vcpu_fault_data(guest->vcpu, 0x88) == 0);
        advance_vcpu_fault(guest->vcpu);
    }
    return 0;
}

static const uint32_t two_reads[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), A64_LDR_W(4u, 1u, 0u),
                                     A64_STR_X(4u, 2u, 0u), A64_LDR_W(5u, 1u, 0u), A64_STR_X(5u, 2u, 1u),
                                     A64_POWER_OFF};

static void finish_later(conformance_t *t, seL4_Word how, unsigned int calls, seL4_Word answers) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, two_reads);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    guest.seen[7] = how;
    CHECK(t, vm_register_notification_callback(&guest.vm, answer_comes, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, ask_for_the_answer, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == calls && guest.seen[1] == answers);
        CHECK(t, guest_result(&guest, 0) == 0x88 && guest_result(&guest, 1) == 0x88);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

void test_a_fault_may_be_finished_later(conformance_t *t) { finish_later(t, ADVANCE, 2, 2); }
void test_a_fault_may_be_restarted_later(conformance_t *t) { finish_later(t, RESTART, 3, 3); }
void test_a_fault_that_waits_outlives_a_pause(conformance_t *t) { finish_later(t, PAUSE_FIRST, 2, 3); }

/* Both halves of a pair are finished later, each once. */
static int a_part_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    (void)badge;
    CHECK(guest->t, get_vcpu_fault_address(guest->vcpu) == DEVICE + 8 * (guest->calls - 1));
    CHECK(guest->t, set_vcpu_fault_data(guest->vcpu, 0x100 + guest->calls) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

void test_the_parts_of_a_pair_may_be_finished_later(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), 0xa9401424u /* ldp x4, x5, [x1] */,
                                    A64_STR_X(4u, 2u, 0u), A64_STR_X(5u, 2u, 1u), A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!conformance_has(t, CONFORMANCE_HAS_PAIRS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, a_part_comes, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, ask_for_the_answer, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2);
        CHECK(t, guest_result(&guest, 0) == 0x101 && guest_result(&guest, 1) == 0x102);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

static int ask_for_the_register(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    (void)hsr;
    guest->calls++;
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return 0;
}

static int register_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    (void)badge;
    CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, guest_context_index(4), 0x99) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

static int result_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    (void)badge;
    CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, guest_context_index(0), 0x90 + guest->calls) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

/* The same instruction twice, so that what is decided for the first call is not taken for the second one's. */
static void call_twice(conformance_t *t, uint32_t instruction) {
    const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_LOAD(5u, 2u),      A64_LOAD(0u, 0xc3001234u),
                             instruction,           A64_STR_X(0u, 2u, 0u), A64_ADD(2u, 2u, 8u),
                             A64_SUB(5u, 5u, 1u),   A64_CBNZ(5u, -6),      A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, result_comes, &guest) == 0);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, ask_for_the_register, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 2 && guest_result(&guest, 0) == 0x91 && guest_result(&guest, 1) == 0x92);
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

void test_a_call_may_be_finished_later(conformance_t *t) {
    call_twice(t, A64_HVC);
    call_twice(t, A64_SMC);
}

void test_a_vcpu_fault_may_be_finished_later(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_MRS(4u, A64_PMCR_EL0), A64_STR_X(4u, 2u, 0u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, register_comes, &guest) == 0);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, ask_for_the_register, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && guest_result(&guest, 0) == 0x99);
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}
