/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A fault that has been answered is over: its calls refuse, and nothing of it is left for the next one.
 */
#include <suite/tests.h>

#define BEGIN A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS)

/* How the client ends the fault. */
enum ending { ADVANCE, IGNORE, REPLACE_BY_RAM, AFTER_VM_RUN };

static void has_no_fault(conformance_t *t, vm_vcpu_t *vcpu) {
    CHECK(t, get_vcpu_fault_address(vcpu) == 0);
    CHECK(t, get_vcpu_fault_ip(vcpu) == 0);
    CHECK(t, get_vcpu_fault_data(vcpu) == 0);
    CHECK(t, get_vcpu_fault_data_mask(vcpu) == 0);
    CHECK(t, get_vcpu_fault_size(vcpu) == 0);
    CHECK(t, !is_vcpu_read_fault(vcpu));
    CHECK(t, set_vcpu_fault_data(vcpu, 1) == -1);
    advance_vcpu_fault(vcpu);
    restart_vcpu_fault(vcpu);
}

static memory_fault_result_t end_fault(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)length;
    guest->calls++;
    CHECK(guest->t, get_vcpu_fault_address(vcpu) == addr && get_vcpu_fault_size(vcpu) == 4);
    CHECK(guest->t, is_vcpu_read_fault(vcpu) && set_vcpu_fault_data(vcpu, 0x55) == 0);
    switch (guest->seen[7]) {
    case ADVANCE: advance_vcpu_fault(vcpu); return FAULT_HANDLED;
    case IGNORE: return FAULT_IGNORE;
    case REPLACE_BY_RAM:
        CHECK(guest->t, vm_free_reserved_memory(vm, (vm_memory_reservation_t *)guest->seen[6]) == 0);
        CHECK(guest->t, vm_ram_register_at(vm, DEVICE, 0x1000, false) == 0);
        restart_vcpu_fault(vcpu);
        return FAULT_HANDLED;
    default: return FAULT_ERROR;
    }
}

void test_a_fault_that_is_over_tells_nothing(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    static const uint64_t read[] = {0x55, 0, 0, 0x66};
    for (unsigned int ending = ADVANCE; ending <= AFTER_VM_RUN; ending++) {
        test_guest_t guest;
        if (!guest_make(&guest, t, NULL))
            return;
        GUEST_LOAD(&guest, CODE, code);
        has_no_fault(t, guest.vcpu);
        vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, end_fault, &guest);
        CHECK(t, reservation != NULL);
        guest.seen[6] = (seL4_Word)reservation;
        guest.seen[7] = ending;
        int begun = guest_begin(&guest);
        if (begun && ending == AFTER_VM_RUN) {
            CHECK(t, vm_run(&guest.vm) == -1);
            CHECK(t, get_vcpu_fault_address(guest.vcpu) == DEVICE && set_vcpu_fault_data(guest.vcpu, 0x66) == 0);
            advance_vcpu_fault(guest.vcpu);
        }
        if (begun && guest_finish(&guest)) {
            CHECK(t, guest.calls == 1);
            CHECK(t, guest_result(&guest, 0) == read[ending]);
            has_no_fault(t, guest.vcpu);
        }
        guest_destroy(&guest);
    }
}

static int end_register(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)hsr;
    guest->calls++;
    CHECK(guest->t, get_vcpu_fault_data(vcpu) == 0); /* nothing of the fault before */
    CHECK(guest->t, get_vcpu_fault_ip(vcpu) == CODE + 5 * 4 && set_vcpu_fault_data(vcpu, 0x55) == 0);
    CHECK(guest->t, get_vcpu_fault_address(vcpu) == 0 && get_vcpu_fault_size(vcpu) == 0 && !is_vcpu_read_fault(vcpu));
    advance_vcpu_fault(vcpu);
    return 0;
}

void test_a_vcpu_fault_that_is_over_tells_nothing(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),      A64_LOAD(2u, RESULTS), A64_STR_W(1u, 1u, 0u),
                                    A64_MRS(4u, A64_PMCR_EL0), A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, default_error_fault_callback, NULL) != NULL);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, end_register, &guest) == 0);
    if (!guest_begin(&guest))
        CHECK(t, 0);
    CHECK(t, vm_run(&guest.vm) == -1 && get_vcpu_fault_data(guest.vcpu) == DEVICE);
    advance_vcpu_fault(guest.vcpu);
    if (guest_finish(&guest)) {
        CHECK(t, guest.calls == 1 && guest_result(&guest, 0) == 0x55);
        has_no_fault(t, guest.vcpu);
    }
    guest_destroy(&guest);
}

static conformance_t *t_of_smc; /* callbacks for SMCs have no cookie */

static int serve_all(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    CHECK(t_of_smc, get_vcpu_fault_data(vcpu) == 0); /* nothing of the fault before */
    return vm_serve_smc(vcpu, regs);
}

static memory_fault_result_t take_the_store(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    CHECK(guest->t, get_vcpu_fault_data(vcpu) == DEVICE);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_a_call_that_is_over_is_no_fault(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE), A64_STR_W(1u, 1u, 0u), A64_CALL(PSCI_VERSION), A64_POWER_OFF};
    test_guest_t guest;
    t_of_smc = t;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, take_the_store, &guest) != NULL);
    CHECK(t, vm_register_smc_handler_callback(&guest.vm, serve_all) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        has_no_fault(t, guest.vcpu);
    guest_destroy(&guest);
}

void test_a_fault_that_became_an_abort_is_over(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),      A64_LOAD(3u, VECTORS),
                                    A64_MSR(A64_VBAR_EL1, 3u), A64_ISB,
                                    A64_LDR_W(4u, 1u, 0u),     A64_B(0)};
    static const uint32_t handler[] = {A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, VECTORS + 0x200, handler);
    if (guest_begin(&guest) && guest_finish(&guest))
        has_no_fault(t, guest.vcpu);
    guest_destroy(&guest);
}

void test_a_decision_does_not_outlive_a_start(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, end_fault, &guest) != NULL);
    guest.seen[7] = AFTER_VM_RUN;
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1 && guest.calls == 1);
        CHECK(t, set_vcpu_fault_data(guest.vcpu, 0x66) == 0);
        advance_vcpu_fault(guest.vcpu);
        CHECK(t, vm_stop(&guest.vm) == 0);
        CHECK(t, vm_run(&guest.vm) == 0 && guest.vm.run.exit_reason == VM_GUEST_STOPPED_EXIT);
        /* The same access again, of a guest that begins anew. */
        GUEST_LOAD(&guest, CODE, code);
        guest.seen[7] = ADVANCE;
        if (guest_begin(&guest) && guest_finish(&guest))
            CHECK(t, guest.calls == 2 && guest_result(&guest, 0) == 0x55);
    }
    guest_destroy(&guest);
}

static memory_fault_result_t take_and_signal(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    guest->calls++;
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return FAULT_HANDLED;
}

/* First it pauses the VM and lets it go on, then it lets some time pass, and then the answer is there. */
static int pause_wait_answer(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)badge;
    (void)tag;
    guest->seen[1]++;
    if (guest->seen[1] == 1) {
        CHECK(guest->t, vm_pause(vm) == 0);
        CHECK(guest->t, vm_resume(vm) == 0);
    }
    if (guest->seen[1] < 5) {
        seL4_Signal((seL4_CPtr)guest->seen[6]);
        return 0;
    }
    CHECK(guest->t, get_vcpu_fault_address(guest->vcpu) == DEVICE && set_vcpu_fault_data(guest->vcpu, 0x99) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

void test_a_fault_that_waits_is_not_told_again_after_a_pause(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_W(4u, 1u, 0u), A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, pause_wait_answer, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, take_and_signal, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && guest.seen[1] == 5 && guest_result(&guest, 0) == 0x99);
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}
