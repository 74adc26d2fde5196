/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making, running, stopping and destroying VMs, and events from outside.
 */
#include <suite/tests.h>

#include <sel4vm/statistics.h>

#include <string.h>

static const uint32_t power_off[] = {A64_POWER_OFF};
static const uint32_t reset[] = {A64_CALL(PSCI_SYSTEM_RESET), A64_B(0)};
static const uint32_t spin[] = {A64_LOAD(2u, RESULTS), A64_LDR_X(4u, 2u, 0u), A64_CBZ(4u, -1), A64_POWER_OFF};

void test_vm_run_returns_zero_once(conformance_t *t) {
    test_guest_t guest;
    if (!GUEST_START(&guest, t, power_off))
        return;
    CHECK(t, vcpu_start(guest.vcpu) == -1); /* it runs */
    guest_finish(&guest);
    CHECK(t, vm_run(&guest.vm) == -1);
    CHECK(t, vm_run(&guest.vm) == -1);
    CHECK(t, vm_stop(&guest.vm) == -1);
    /* A stopped VM starts anew. */
    CHECK(t, guest_begin(&guest));
    guest_finish(&guest);
    guest_destroy(&guest);
}

void test_a_reset_that_nobody_performs_stops(conformance_t *t) {
    test_guest_t guest;
    if (!GUEST_START(&guest, t, reset))
        return;
    CHECK(t, vm_run(&guest.vm) == 0);
    CHECK(t, guest.vm.run.exit_reason == VM_GUEST_RESET_EXIT);
    CHECK(t, vm_run(&guest.vm) == -1);
    guest_destroy(&guest);
}

/* The second time the guest turns itself off; the third, nobody performs the reset. */
static int reset_callback(vm_t *vm, void *cookie) {
    test_guest_t *guest = cookie;
    guest->calls++;
    CHECK(guest->t, vm == &guest->vm && !is_vcpu_online(guest->vcpu));
    GUEST_LOAD(guest, SECOND_CODE, power_off);
    CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, 0, SECOND_CODE) == 0);
    return guest->seen[7] == 0 ? 0 : -1;
}

void test_a_reset_callback_starts_the_guest_again(conformance_t *t) {
    test_guest_t guest;
    for (int fails = 0; fails < 2; fails++) {
        if (!GUEST_START(&guest, t, reset))
            return;
        guest.seen[7] = (seL4_Word)fails;
        CHECK(t, vm_register_reset_callback(&guest.vm, reset_callback, &guest) == 0);
        CHECK(t, vm_run(&guest.vm) == 0);
        CHECK(t, guest.vm.run.exit_reason == (fails ? VM_GUEST_RESET_EXIT : VM_GUEST_SHUTDOWN_EXIT));
        CHECK(t, guest.calls == 1);
        guest_destroy(&guest);
    }
}

static int heard(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)tag;
    guest->calls++;
    guest->seen[0] |= badge;
    if (guest->seen[7] == 1)
        CHECK(guest->t, vm_stop(vm) == 0);
    else if (guest->seen[7] == 2)
        return -1;
    else {
        uint64_t go = 1;
        CHECK(guest->t, vm_ram_touch(vm, RESULTS, 8, vm_guest_ram_write_callback, &go) == 0);
    }
    return 0;
}

void test_signals_are_heard_with_their_badges(conformance_t *t) {
    test_guest_t guest;
    seL4_CPtr first = seL4_CapNull, second = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &first) == 0);
    CHECK(t, vm_host_make_signal(t->host, 0x20, &second) == 0);
    if (GUEST_START(&guest, t, spin)) {
        CHECK(t, vm_register_notification_callback(&guest.vm, heard, &guest) == 0);
        seL4_Signal(first);
        seL4_Signal(second);
        guest_finish(&guest);
        CHECK(t, guest.seen[0] == 0x30);
        CHECK(t, guest.calls >= 1);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, first);
    vm_host_free_signal(t->host, second);
}

void test_a_signal_may_stop_the_vm(conformance_t *t) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    if (GUEST_START(&guest, t, spin)) {
        guest.seen[7] = 1;
        CHECK(t, vm_register_notification_callback(&guest.vm, heard, &guest) == 0);
        seL4_Signal(signal);
        CHECK(t, vm_run(&guest.vm) == 0);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_STOPPED_EXIT);
        CHECK(t, vm_run(&guest.vm) == -1);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, signal);
}

void test_an_event_that_nobody_wants_is_an_error(conformance_t *t) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    for (int fails = 0; fails < 2; fails++) {
        if (!GUEST_START(&guest, t, spin))
            break;
        guest.seen[7] = 2;
        if (fails)
            CHECK(t, vm_register_notification_callback(&guest.vm, heard, &guest) == 0);
        seL4_Signal(signal);
        CHECK(t, vm_run(&guest.vm) == -1);
        CHECK(t, guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, signal);
}

/* Pauses at its first call, and lets the guest go on at the second. */
static int pausing(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    uint64_t go = 1;
    (void)tag;
    (void)badge;
    if (guest->calls++ == 0) {
        CHECK(guest->t, vm_pause(vm) == 0);
        CHECK(guest->t, vm_pause(vm) == -1);
        CHECK(guest->t, vm_ram_touch(vm, RESULTS, 8, vm_guest_ram_write_callback, &go) == 0);
        seL4_Signal(guest->seen[6]);
        return 0;
    }
    if (vm_resume(vm) != 0)
        seL4_Signal(guest->seen[6]); /* a vCPU was not held yet */
    return 0;
}

void test_a_paused_vm_goes_on_when_it_is_resumed(conformance_t *t) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    if (GUEST_START(&guest, t, spin)) {
        guest.seen[6] = signal;
        CHECK(t, vm_resume(&guest.vm) == -1);
        CHECK(t, vm_register_notification_callback(&guest.vm, pausing, &guest) == 0);
        seL4_Signal(signal);
        guest_finish(&guest);
        CHECK(t, guest.calls >= 2);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, signal);
}

static memory_fault_result_t take_it(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, strcmp(vm_state_name(vm), "running") == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_a_vcpus_exits_are_counted_by_kind(conformance_t *t) {
    static const uint32_t thrice[] = {A64_LOAD(1u, DEVICE), A64_STR_W(A64_XZR, 1u, 0u), A64_STR_W(A64_XZR, 1u, 0u),
                                      A64_STR_W(A64_XZR, 1u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    vm_vcpu_statistics_t statistics;
    CHECK(t, vm_get_vcpu_statistics(NULL, &statistics) == -1);
    CHECK(t, vm_state_name(NULL) == NULL);
    CHECK(t, vm_exit_kind_name(VM_EXIT_KINDS) == NULL);
    CHECK(t, strcmp(vm_exit_kind_name(VM_EXIT_MEMORY), "memory") == 0);
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, thrice);
    CHECK(t, vm_get_vcpu_statistics(guest.vcpu, NULL) == -1);
    CHECK(t, vm_get_vcpu_statistics(guest.vcpu, &statistics) == 0 && statistics.exits[VM_EXIT_MEMORY] == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, take_it, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 3);
        CHECK(t, vm_get_vcpu_statistics(guest.vcpu, &statistics) == 0);
        CHECK(t, statistics.exits[VM_EXIT_MEMORY] >= 3); /* RAM at its first touch, too */
        CHECK(t, statistics.has_times || statistics.running_ns + statistics.waiting_ns + statistics.stolen_ns == 0);
        CHECK(t, strcmp(vm_state_name(&guest.vm), "stopped") == 0);
    }
    guest_destroy(&guest);
}

static memory_fault_result_t pause_and_resume(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, vm_pause(vm) == 0);
    CHECK(guest->t, vm_resume(vm) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_a_pause_may_be_taken_back_at_once(conformance_t *t) {
    static const uint32_t twice[] = {A64_LOAD(1u, DEVICE), A64_STR_W(A64_XZR, 1u, 0u), A64_STR_W(A64_XZR, 1u, 0u),
                                     A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, twice);
    vm_memory_reservation_t *device = vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, pause_and_resume, &guest);
    CHECK(t, device != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 2);
    guest_destroy(&guest);
}

/* Stops the VM from inside a fault that it leaves unhandled. */
static memory_fault_result_t stop_and_pass(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    (void)addr;
    (void)length;
    CHECK(guest->t, vm_stop(vm) == 0);
    return FAULT_UNHANDLED;
}

void test_a_fault_is_told_before_a_stop(conformance_t *t) {
    static const uint32_t fault[] = {A64_LOAD(1u, DEVICE), A64_LDR_W(4u, 1u, 0u), A64_B(0)};
    test_guest_t guest;
    if (!GUEST_START(&guest, t, fault))
        return;
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, stop_and_pass, &guest) == 0);
    CHECK(t, vm_run(&guest.vm) == -1);
    CHECK(t, guest.vm.run.exit_reason == VM_GUEST_MMIO_EXIT);
    CHECK(t, vm_run(&guest.vm) == 0);
    CHECK(t, guest.vm.run.exit_reason == VM_GUEST_STOPPED_EXIT);
    CHECK(t, vm_run(&guest.vm) == -1);
    guest_destroy(&guest);
}

void test_two_vms_live_side_by_side(conformance_t *t) {
    test_guest_t first, second;
    if (!GUEST_START(&first, t, power_off))
        return;
    if (GUEST_START(&second, t, reset)) {
        CHECK(t, vm_run(&second.vm) == 0 && second.vm.run.exit_reason == VM_GUEST_RESET_EXIT);
        guest_destroy(&second);
    }
    guest_finish(&first);
    guest_destroy(&first);
}

void test_one_vm_run_serves_all_vms_of_an_endpoint(conformance_t *t) {
    test_guest_t first, second;
    if (!guest_make(&first, t, NULL))
        return;
    const vm_options_t options = {.peer = &first.vm};
    if (guest_make(&second, t, &options)) {
        CHECK(t, first.vm.vm_id != second.vm.vm_id);
        GUEST_LOAD(&first, CODE, spin);
        GUEST_LOAD(&second, CODE, power_off);
        if (guest_begin(&first) && guest_begin(&second)) {
            uint64_t go = 1;
            guest_finish(&second); /* the first runs meanwhile */
            CHECK(t, vm_ram_touch(&first.vm, RESULTS, 8, vm_guest_ram_write_callback, &go) == 0);
            guest_finish(&first);
        }
        guest_destroy(&second);
    }
    guest_destroy(&first);
}

void test_vms_come_and_go_without_a_trace(conformance_t *t) {
    vm_t vm;
    const size_t before = t->live != NULL ? t->live(t) : 0;
    for (unsigned int i = 0; i < t->repetitions; i++) {
        if (!CHECK(t, guest_init_vm(t, &vm, NULL) == 0))
            break;
        CHECK(t, vm_create_vcpu(&vm, t->host->priority) != NULL);
        if ((t->abilities & CONFORMANCE_KEEPS_IRQS) == 0)
            CHECK(t, vm_create_default_irq_controller(&vm) == 0);
        CHECK(t, vm_ram_register_at(&vm, RAM, 0x4000, false) == 0);
        CHECK(t, vm_reserve_memory_at(&vm, DEVICE, 0x1000, default_error_fault_callback, NULL) != NULL);
        CHECK(t, vm_destroy(&vm) == 0);
        CHECK(t, !vm.vm_initialised && vm.num_vcpus == 0);
    }
    CHECK(t, t->live == NULL || t->live(t) == before);
}

void test_a_running_vm_can_be_destroyed(conformance_t *t) {
    static const uint32_t fault[] = {A64_LOAD(1u, DEVICE), A64_LDR_W(4u, 1u, 0u), A64_B(0)};
    test_guest_t guest;
    if (!GUEST_START(&guest, t, fault))
        return;
    CHECK(t, vm_set_fault_policy(&guest.vm, VM_FAULT_POLICY_RETURN) == 0);
    CHECK(t, vm_run(&guest.vm) == -1);
    guest_destroy(&guest);
    if (!GUEST_START(&guest, t, spin))
        return;
    guest_destroy(&guest);
}
