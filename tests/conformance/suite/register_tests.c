/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registers that a client sets: those that do not exist, those of a vCPU that runs, and of one that is over.
 */
#include <suite/tests.h>

#define CONTEXT_WORDS (sizeof(seL4_UserContext) / sizeof(seL4_Word))
#define X(n)          (3u + (n)) /* behind pc, sp and spsr */

void test_registers_that_do_not_exist_are_refused(conformance_t *t) {
    test_guest_t guest;
    uintptr_t value = 0x77;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_vcpu_t *vcpu = guest.vcpu;
    CHECK(t, vm_set_thread_context_reg(vcpu, CONTEXT_WORDS - 1, 0x1234) == 0);
    CHECK(t, vm_get_thread_context_reg(vcpu, CONTEXT_WORDS - 1, &value) == 0 && value == 0x1234);
    static const unsigned int none[] = {CONTEXT_WORDS, CONTEXT_WORDS + 1, 1000, ~0u};
    for (unsigned int i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK(t, vm_set_thread_context_reg(vcpu, none[i], 1) == -1);
        CHECK(t, vm_get_thread_context_reg(vcpu, none[i], &value) == -1);
    }
    static const seL4_Word no_vcpu_registers[] = {seL4_VCPUReg_Num, seL4_VCPUReg_Num + 1, 63, 64, 1000, ~(seL4_Word)0};
    for (unsigned int i = 0; i < sizeof(no_vcpu_registers) / sizeof(no_vcpu_registers[0]); i++) {
        CHECK(t, vm_set_arm_vcpu_reg(vcpu, no_vcpu_registers[i], 1) == -1);
        CHECK(t, vm_get_arm_vcpu_reg(vcpu, no_vcpu_registers[i], &value) == -1);
    }
    CHECK(t, value == 0x1234);
    guest_destroy(&guest);
}

/* Sets registers of a vCPU that is at a fault, and reads them back. */
static memory_fault_result_t set_registers(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    static const seL4_Word regs[] = {seL4_VCPUReg_CNTVOFF, seL4_VCPUReg_TPIDR_EL1, seL4_VCPUReg_SP_EL1};
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    for (unsigned int i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        uintptr_t value = 0;
        CHECK(guest->t, vm_set_arm_vcpu_reg(vcpu, regs[i], 0x12340 + i) == 0);
        CHECK(guest->t, vm_get_arm_vcpu_reg(vcpu, regs[i], &value) == 0 && value == 0x12340 + i);
    }
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, X(5), 0x2020) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_registers_of_a_vcpu_at_a_fault_are_its_own(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),
                                    A64_LOAD(2u, RESULTS),
                                    A64_STR_W(A64_XZR, 1u, 0u),
                                    A64_MRS(4u, A64_TPIDR_EL1),
                                    A64_STR_X(4u, 2u, 0u),
                                    A64_STR_X(5u, 2u, 1u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    uintptr_t value = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_CNTVOFF, 0x4000) == 0);
    CHECK(t, vm_get_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_CNTVOFF, &value) == 0 && value == 0x4000);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, set_registers, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x12341 && guest_result(&guest, 1) == 0x2020);
    guest_destroy(&guest);
}

void test_a_vm_that_is_over_starts_again_with_what_is_set_then(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u), A64_MRS(4u, A64_TPIDR_EL1),
                                    A64_STR_X(4u, 2u, 1u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_TPIDR_EL1, 0x10) == 0);
    CHECK(t, vm_set_thread_context_reg(guest.vcpu, X(0), 0x11) == 0);
    GUEST_LOAD(&guest, CODE, code);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 0x11 && guest_result(&guest, 1) == 0x10);
        CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_TPIDR_EL1, 0x20) == 0);
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, X(0), 0x22) == 0);
        GUEST_LOAD(&guest, CODE, code);
        if (guest_begin(&guest) && guest_finish(&guest))
            CHECK(t, guest_result(&guest, 0) == 0x22 && guest_result(&guest, 1) == 0x20);
    }
    guest_destroy(&guest);
}

/* Changes a register and asks for the answer, which comes by a signal. */
static memory_fault_result_t set_and_ask(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    uintptr_t pc = 0;
    (void)vm;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, X(5), 0x2020) == 0);
    /* Where it is already is nowhere else. */
    CHECK(guest->t, vm_get_thread_context_reg(vcpu, 0, &pc) == 0 && vm_set_thread_context_reg(vcpu, 0, pc) == 0);
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return FAULT_HANDLED;
}

static int finish_it(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)badge;
    (void)tag;
    CHECK(guest->t, set_vcpu_fault_data(guest->vcpu, 0x88) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

void test_a_register_that_a_callback_sets_decides_nothing(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), A64_LDR_W(4u, 1u, 0u),
                                    A64_STR_X(4u, 2u, 0u), A64_STR_X(5u, 2u, 1u), A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, finish_it, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, set_and_ask, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 0) == 0x88 && guest_result(&guest, 1) == 0x2020);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

/* Gives the library another call than the guest made. */
static int translate_call(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    if (regs->x0 == 0xc3001234u)
        regs->x0 = PSCI_VERSION;
    return vm_serve_smc(vcpu, regs);
}

void test_a_client_may_have_another_call_served(conformance_t *t) {
    static const uint32_t code[] = {A64_CALL(0xc3001234u), A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, translate_call) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) >= 0x10000 && guest_result(&guest, 0) < 0x20000);
    guest_destroy(&guest);
}

/* Has the call served, and then gives the guest what it had called with. */
static int serve_and_undo(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    const seL4_Word x0 = regs->x0;
    const int result = vm_serve_smc(vcpu, regs);
    if (x0 == PSCI_VERSION)
        regs->x0 = x0;
    return result;
}

void test_a_callback_has_the_last_word_about_a_served_call(conformance_t *t) {
    static const uint32_t code[] = {A64_CALL(PSCI_VERSION), A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, serve_and_undo) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == PSCI_VERSION);
    guest_destroy(&guest);
}
