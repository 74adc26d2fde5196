/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory faults: reservations, the callback for everything else, and what a guest gets when nobody decides.
 */
#include <suite/tests.h>

/* x1 = DEVICE, x2 = RESULTS, and the vectors in place. */
#define BEGIN A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS), A64_LOAD(3u, VECTORS), A64_MSR(A64_VBAR_EL1, 3u), A64_ISB

/* A handler for synchronous exceptions: ESR to result 7, then off. */
static const uint32_t record_and_end[] = {A64_MRS(10u, A64_ESR_EL1), A64_LOAD(11u, RESULTS), A64_STR_X(10u, 11u, 7u),
                                          A64_POWER_OFF};

/* Emulates a word register: reads give 0x8899aabb at the lanes, writes are merged into seen[0]. */
static memory_fault_result_t word_register(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    guest->calls++;
    CHECK(guest->t, vm == &guest->vm && vcpu == guest->vcpu);
    CHECK(guest->t, get_vcpu_fault_address(vcpu) == addr && get_vcpu_fault_size(vcpu) == length);
    if (is_vcpu_read_fault(vcpu))
        CHECK(guest->t, set_vcpu_fault_data(vcpu, 0x8899aabbu) == 0);
    else
        guest->seen[0] = emulate_vcpu_fault(vcpu, guest->seen[0]);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_reads_of_a_reservation(conformance_t *t) {
    static const uint32_t code[] = {BEGIN,
                                    A64_LDR_W(4u, 1u, 0u),
                                    A64_STR_X(4u, 2u, 0u),
                                    A64_LDRH(4u, 1u, 1u),
                                    A64_STR_X(4u, 2u, 1u),
                                    A64_LDRB(4u, 1u, 1u),
                                    A64_STR_X(4u, 2u, 2u),
                                    A64_LDRSB_X(4u, 1u, 3u),
                                    A64_STR_X(4u, 2u, 3u),
                                    A64_LDR_W(A64_XZR, 1u, 0u),
                                    A64_STR_X(A64_XZR, 2u, 4u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, word_register, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 5);
        CHECK(t, guest_result(&guest, 0) == 0x8899aabbu);
        CHECK(t, guest_result(&guest, 1) == 0x8899u);
        CHECK(t, guest_result(&guest, 2) == 0xaau);
        if ((t->abilities & CONFORMANCE_DROPS_SIGNS) == 0)
            CHECK(t, guest_result(&guest, 3) == 0xffffffffffffff88u);
        CHECK(t, guest_result(&guest, 4) == 0);
    }
    guest_destroy(&guest);
}

void test_writes_to_a_reservation(conformance_t *t) {
    static const uint32_t code[] = {BEGIN,
                                    A64_LOAD(4u, 0x11223344u),
                                    A64_STR_W(4u, 1u, 0u),
                                    A64_LOAD(4u, 0xffu),
                                    A64_STRB(4u, 1u, 1u),
                                    A64_LOAD(4u, 0x7788u),
                                    A64_STRH(4u, 1u, 1u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, word_register, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 3);
        CHECK(t, guest.seen[0] == 0x7788ff44u);
    }
    guest_destroy(&guest);
}

/* Looks at a 64-bit store, whose data is not shifted. */
static memory_fault_result_t wide_register(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    guest->seen[0] = length;
    guest->seen[1] = get_vcpu_fault_data(vcpu);
    guest->seen[2] = get_vcpu_fault_data_mask(vcpu);
    guest->seen[3] = get_vcpu_fault_ip(vcpu);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_a_64_bit_access(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_MOVZ(4u, 0x1234u, 3u), A64_MOVK(4u, 0x5678u, 0u), A64_STR_X(4u, 1u, 0u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 8, wide_register, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.seen[0] == 8);
        CHECK(t, guest.seen[1] == 0x1234000000005678u);
        CHECK(t, guest.seen[2] == ~(seL4_Word)0);
        CHECK(t, guest.seen[3] == CODE + 10 * 4);
    }
    guest_destroy(&guest);
}

/* Gives the result in seen[7]. */
static memory_fault_result_t chosen_result(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    (void)vcpu;
    guest->calls++;
    return (memory_fault_result_t)guest->seen[7];
}

static const uint32_t one_read[] = {BEGIN, A64_LOAD(4u, 0x77u), A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u),
                                    A64_POWER_OFF};

void test_an_ignored_read_gives_zero(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    guest.seen[7] = FAULT_IGNORE;
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, chosen_result, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 0) == 0);
    }
    guest_destroy(&guest);
}

void test_a_fault_error_ends_vm_run(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, default_error_fault_callback, NULL) != NULL);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT);
        /* The client decides after all. */
        CHECK(t, set_vcpu_fault_data(guest.vcpu, 9) == 0);
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
        CHECK(t, guest_result(&guest, 0) == 9);
    }
    guest_destroy(&guest);
}

void test_a_reservation_passes_on_to_the_unhandled_callback(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    guest.seen[7] = FAULT_UNHANDLED;
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, chosen_result, &guest) != NULL);
    test_guest_t other = guest;
    other.seen[7] = FAULT_IGNORE;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, chosen_result, &other) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && other.calls == 1);
    guest_destroy(&guest);
}

void test_an_unhandled_fault_is_executed_again(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    guest.seen[7] = FAULT_UNHANDLED;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, chosen_result, &guest) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_MMIO_EXIT);
        CHECK(t, get_vcpu_fault_address(guest.vcpu) == DEVICE);
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.calls == 2);
        guest.seen[7] = FAULT_IGNORE;
        guest_finish(&guest);
        CHECK(t, guest.calls == 3);
    }
    guest_destroy(&guest);
}

void test_an_unhandled_fault_that_the_client_finishes(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    guest.seen[7] = FAULT_UNHANDLED;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, chosen_result, &guest) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, set_vcpu_fault_data(guest.vcpu, 0x1234) == 0);
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 0) == 0x1234);
    }
    guest_destroy(&guest);
}

void test_an_unhandled_fault_that_the_client_steps_over(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    guest.seen[7] = FAULT_UNHANDLED;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, chosen_result, &guest) == 0);
    if (guest_begin(&guest)) {
        uintptr_t pc = 0;
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, vm_get_thread_context_reg(guest.vcpu, 0, &pc) == 0);
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, 0, pc + 4) == 0);
        guest_finish(&guest);
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 0) == 0x77);
    }
    guest_destroy(&guest);
}

void test_a_decision_is_for_the_instruction_it_was_made_for(conformance_t *t) {
    static const uint32_t two_reads[] = {BEGIN,
                                         A64_LOAD(4u, 0x77u),
                                         A64_LDR_W(4u, 1u, 0u),
                                         A64_LDR_W(5u, 1u, 0u),
                                         A64_STR_X(4u, 2u, 0u),
                                         A64_STR_X(5u, 2u, 1u),
                                         A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, two_reads);
    guest.seen[7] = FAULT_UNHANDLED;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, chosen_result, &guest) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, set_vcpu_fault_data(guest.vcpu, 0x1234) == 0);
        advance_vcpu_fault(guest.vcpu);
        /* Then the client sends it to the next read, which faults, too. */
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, 0, CODE + 11 * 4) == 0);
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.calls == 2);
        CHECK(t, set_vcpu_fault_data(guest.vcpu, 0x5678) == 0);
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
        CHECK(t, guest_result(&guest, 0) == 0x77);
        CHECK(t, guest_result(&guest, 1) == 0x5678);
    }
    guest_destroy(&guest);
}

void test_a_fault_that_nobody_decides_is_an_abort(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    GUEST_LOAD(&guest, VECTORS + 0x200, record_and_end);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        /* A synchronous external data abort at the same level. */
        CHECK(t, guest_result(&guest, 7) >> 26 == 0x25);
        CHECK(t, (guest_result(&guest, 7) & 0x3f) == 0x10);
    }
    guest_destroy(&guest);
}

void test_the_policy_may_return_instead(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    CHECK(t, vm_set_fault_policy(&guest.vm, VM_FAULT_POLICY_RETURN) == 0);
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_MMIO_EXIT);
        advance_vcpu_fault(guest.vcpu);
        guest_finish(&guest);
    }
    guest_destroy(&guest);
}

/* Frees its own reservation, and puts memory there. */
static memory_fault_result_t replace_by_ram(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, vm_free_reserved_memory(vm, (vm_memory_reservation_t *)guest->seen[6]) == 0);
    CHECK(guest->t, vm_ram_register_at(vm, DEVICE, 0x1000, false) == 0);
    return FAULT_RESTART;
}

void test_a_callback_may_replace_its_reservation_by_ram(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, one_read);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, replace_by_ram, &guest);
    CHECK(t, reservation != NULL);
    guest.seen[6] = (seL4_Word)reservation;
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 1);
        CHECK(t, guest_result(&guest, 0) == 0);
    }
    guest_destroy(&guest);
}
