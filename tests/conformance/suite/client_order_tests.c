/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls in an order that is rare and legal: a stop before the first start, a pause that is asked for again, a second vCPU first, and calls that make no
 * sense from inside a page provider.
 */
#include <suite/guest.h>
#include <suite/tests.h>

#define BEGIN A64_LOAD(2u, RESULTS)

/* Needs the library's services and RAM. */
static const uint32_t ask_version[] = {BEGIN, A64_CALL(PSCI_VERSION), A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u),
                                       A64_POWER_OFF};

void test_a_vm_that_was_stopped_before_its_first_start_starts(conformance_t *t) {
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, ask_version);
    CHECK(t, vm_stop(&guest.vm) == 0);
    CHECK(t, vm_run(&guest.vm) == 0 && guest.vm.run.exit_reason == VM_GUEST_STOPPED_EXIT);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x10001);
    guest_destroy(&guest);
}

void test_a_second_vcpu_is_started_first_after_a_stop(conformance_t *t) {
    static const uint32_t code[] = {BEGIN, A64_LDR_X(4u, 2u, 0u), A64_CBZ(4u, -1), A64_STR_X(A64_XZR, 2u, 0u),
                                    A64_POWER_OFF};
    static const uint32_t second[] = {A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 0u), A64_WFI, A64_B(-1)};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !conformance_has_vcpus(t, 2) || !guest_make(&guest, t, NULL))
        return;
    vm_vcpu_t *other = vm_create_vcpu(&guest.vm, t->host->priority);
    for (int round = 0; round < 2 && CHECK(t, other != NULL); round++) {
        GUEST_LOAD(&guest, CODE, code);
        GUEST_LOAD(&guest, SECOND_CODE, second);
        CHECK(t, vm_set_thread_context_reg(other, 0, SECOND_CODE) == 0);
        CHECK(t, vm_set_thread_context_reg(other, 3, 0x99) == 0); /* x0 */
        CHECK(t, vcpu_start(other) == 0);
        CHECK(t, vcpu_start(other) == -1);
        if (guest_begin(&guest)) {
            CHECK(t, is_vcpu_online(other));
            guest_finish(&guest);
        }
    }
    guest_destroy(&guest);
}

/* In a callback every change of mind is possible; the last word counts. */
static memory_fault_result_t change_mind(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t size, void *cookie) {
    test_guest_t *guest = cookie;
    (void)addr;
    (void)size;
    if (guest->calls++ == 0) {
        CHECK(guest->t, vm_pause(vm) == 0);
        CHECK(guest->t, vm_resume(vm) == 0);
        CHECK(guest->t, vm_resume(vm) == -1);
        CHECK(guest->t, vm_pause(vm) == 0);
        seL4_Signal((seL4_CPtr)guest->seen[0]);
    }
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int resume_later(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)badge;
    (void)tag;
    CHECK(guest->t, guest->calls == 1); /* it was held before its second access */
    guest->seen[1]++;
    CHECK(guest->t, vm_resume(vm) == 0);
    return 0;
}

void test_a_pause_that_was_taken_back_may_be_asked_for_again(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE), A64_STR_W(1u, 1u, 0u), A64_STR_W(1u, 1u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[0] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, resume_later, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, change_mind, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 2 && guest.seen[1] == 1);
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

static int run_and_destroy(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *cookie) {
    test_guest_t *guest = cookie;
    (void)guest_addr;
    (void)vaddr;
    (void)size;
    (void)offset;
    CHECK(guest->t, vm_run(vm) == -1);
    CHECK(guest->t, vm_destroy(vm) == -1);
    guest->calls++;
    return 0;
}

static vm_frame_t destroy_instead(uintptr_t addr, void *cookie) {
    test_guest_t *guest = cookie;
    const vm_frame_t none = {0};
    run_and_destroy(&guest->vm, addr, NULL, 0, 0, cookie);
    return none;
}

void test_no_callback_runs_or_destroys_its_vm(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    CHECK(t, vm_ram_touch(&guest.vm, RAM, 8, run_and_destroy, &guest) == 0);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, change_mind, &guest);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, destroy_instead, &guest) == -1);
    CHECK(t, vm_ram_register_at_custom_iterator(&guest.vm, DEVICE + 0x10000u, 0x1000, destroy_instead, &guest) == -1);
    CHECK(t, guest.calls == 3);
    guest_destroy(&guest);
}
