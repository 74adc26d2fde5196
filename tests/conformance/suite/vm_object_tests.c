/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client finds in its vm_t, and what its callbacks may not do with it.
 */
#include <suite/tests.h>

#include <string.h>

void test_a_vm_has_what_it_was_made_with(conformance_t *t) {
    vm_host_t *host = t->host;
    vm_t first, second;
    char name[] = "name";
    memset(&first, 0xff, sizeof(first));
    memset(&second, 0xff, sizeof(second));
    if (!CHECK(t, vm_init(&first, &host->vka, &host->simple, host->vspace, &host->io_ops, host->endpoint, name) == 0))
        return;
    const vm_options_t options = {.peer = &first};
    const int peer = guest_init_vm(t, &second, &options);
    name[0] = 'x';
    CHECK(t, peer == 0);
    CHECK(t, first.vka == &host->vka && first.simple == &host->simple && first.io_ops == &host->io_ops);
    CHECK(t, first.host_endpoint == host->endpoint);
    CHECK(t, memcmp(&first.mem.vmm_vspace, &host->vspace, sizeof(host->vspace)) == 0);
    CHECK(t, first.vm_name != name && strcmp(first.vm_name, "name") == 0);
    CHECK(t, first.num_vcpus == 0 && first.run.exit_reason == VM_GUEST_UNKNOWN_EXIT);
    CHECK(t, first.mem.reservation_cookie != NULL);
    if (peer == 0) {
        CHECK(t, first.vm_id != second.vm_id);
        CHECK(t, second.mem.reservation_cookie != NULL);
        CHECK(t, second.mem.reservation_cookie != first.mem.reservation_cookie);
        CHECK(t, vm_destroy(&second) == 0);
    }
    CHECK(t, vm_destroy(&first) == 0);
    CHECK(t, first.vm_name == NULL && first.mem.reservation_cookie == NULL && first.host_endpoint == seL4_CapNull);
    CHECK(t, vm_destroy(&first) == -1);
}

static memory_fault_result_t destroy_it(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, vm_destroy(vm) == -1);
    CHECK(guest->t, vm_run(vm) == -1);
    CHECK(guest->t, set_vcpu_fault_data(vcpu, 0x33) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

void test_a_callback_may_not_destroy_its_vm(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS), A64_LDR_W(4u, 1u, 0u),
                                    A64_STR_X(4u, 2u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, destroy_it, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && guest_result(&guest, 0) == 0x33);
    guest_destroy(&guest);
}

void test_a_vcpu_is_started_once(conformance_t *t) {
    static const uint32_t code[] = {A64_POWER_OFF};
    static const uint32_t second[] = {A64_WFI, A64_B(-1)};
    test_guest_t guest;
    if (!conformance_has_vcpus(t, 2) || !guest_make(&guest, t, NULL))
        return;
    vm_vcpu_t *other = vm_create_vcpu(&guest.vm, t->host->priority);
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, SECOND_CODE, second);
    if (CHECK(t, other != NULL)) {
        CHECK(t, vm_set_thread_context_reg(other, 0, SECOND_CODE) == 0);
        CHECK(t, vcpu_start(other) == 0);
        CHECK(t, vcpu_start(other) == -1); /* it will start with the boot vCPU */
        if (guest_begin(&guest)) {
            CHECK(t, vcpu_start(other) == -1);
            CHECK(t, vcpu_start(guest.vcpu) == -1);
            CHECK(t, vm_create_vcpu(&guest.vm, t->host->priority) == NULL);
            guest_finish(&guest);
        }
    }
    guest_destroy(&guest);
}

#define THIRD_CODE (SECOND_CODE + 0x800u)
/* vCPU 1, as soon as it is off. */
#define START_1(entry, argument) \
    A64_LOAD(1u, 1u), A64_LOAD(2u, entry), A64_LOAD(3u, argument), A64_CALL(PSCI_CPU_ON), A64_CBNZ(0u, -3)

static memory_fault_result_t start_it_again(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    guest->calls++;
    CHECK(guest->t, vcpu->vcpu_id == 1 && vcpu_start(vcpu) == -1); /* it runs */
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

/* vCPU 1 turns itself off and is started anew by the guest: where the guest says, and not where the client once wanted it. */
void test_a_start_that_was_refused_is_forgotten(conformance_t *t) {
    static const uint32_t code[] = {
        A64_LOAD(20u, RESULTS),  START_1(SECOND_CODE, 7u), A64_LDR_X(4u, 20u, 0u), A64_CBZ(4u, -1),
        START_1(THIRD_CODE, 9u), A64_LDR_X(4u, 20u, 1u),   A64_CBZ(4u, -1),        A64_POWER_OFF};
    static const uint32_t second[] = {A64_LOAD(1u, DEVICE),  A64_STR_W(A64_XZR, 1u, 0u), A64_LOAD(2u, RESULTS),
                                      A64_STR_X(0u, 2u, 0u), A64_CALL(PSCI_CPU_OFF),     A64_B(0)};
    static const uint32_t third[] = {A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 1u), A64_WFI, A64_B(-1)};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !conformance_has_vcpus(t, 2) || !guest_make(&guest, t, NULL))
        return;
    CHECK(t, vm_create_vcpu(&guest.vm, t->host->priority) != NULL);
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, SECOND_CODE, second);
    GUEST_LOAD(&guest, THIRD_CODE, third);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, start_it_again, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && guest_result(&guest, 0) == 7 && guest_result(&guest, 1) == 9);
    guest_destroy(&guest);
}

/* Of a guest without an interrupt controller, too, vCPU 17 is the second of the second cluster of 16. */
void test_a_vcpu_of_another_cluster_is_started_by_the_guest(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(20u, RESULTS), A64_LOAD(1u, 0x101u),   A64_LOAD(2u, SECOND_CODE),
                                    A64_LOAD(3u, 7u),       A64_CALL(PSCI_CPU_ON),  A64_STR_X(0u, 20u, 1u),
                                    A64_CBNZ(0u, 3),        A64_LDR_X(4u, 20u, 0u), A64_CBZ(4u, -1),
                                    A64_POWER_OFF};
    static const uint32_t second[] = {A64_LOAD(2u, RESULTS), A64_MRS(4u, A64_MPIDR_EL1), A64_STR_X(4u, 2u, 2u),
                                      A64_STR_X(0u, 2u, 0u), A64_CALL(PSCI_CPU_OFF),     A64_B(0)};
    test_guest_t guest;
    if (!conformance_has_vcpus(t, 18) || !guest_make(&guest, t, NULL))
        return;
    while (guest.vm.num_vcpus < 18 && CHECK(t, vm_create_vcpu(&guest.vm, t->host->priority) != NULL)) {
    }
    GUEST_LOAD(&guest, CODE, code);
    GUEST_LOAD(&guest, SECOND_CODE, second);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 7);
        CHECK(t, guest_result(&guest, 1) == 0);
        CHECK(t, (guest_result(&guest, 2) & 0xffff) == 0x101);
    }
    guest_destroy(&guest);
}

void test_calls_without_a_vm_say_so(conformance_t *t) {
    test_guest_t guest;
    vm_t none = {0};
    if (!guest_make(&guest, t, NULL))
        return;
    CHECK(t, vm_arm_ipa_to_pa(NULL, RAM, 0x1000) == 0 && vm_arm_ipa_to_pa(&none, RAM, 0x1000) == 0);
    CHECK(t, vm_arm_ipa_to_pa(&guest.vm, RAM, 0) == 0);
    CHECK(t, default_error_fault_callback(NULL, guest.vcpu, RAM, 4, NULL) == FAULT_ERROR);
    CHECK(t, default_error_fault_callback(&none, guest.vcpu, RAM, 4, NULL) == FAULT_ERROR);
    CHECK(t, default_error_fault_callback(&guest.vm, NULL, RAM, 4, NULL) == FAULT_ERROR);
    guest_destroy(&guest);
}

/* Between vcpu_start() and the next fault the registers are the guest's. */
void test_registers_of_a_vcpu_that_runs_are_out_of_reach(conformance_t *t) {
    static const uint32_t code[] = {A64_POWER_OFF};
    test_guest_t guest;
    seL4_UserContext context;
    uintptr_t value = 0x77;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    if (guest_begin(&guest)) {
        CHECK(t, vm_get_thread_context(guest.vcpu, &context) == -1);
        CHECK(t, vm_get_thread_context_reg(guest.vcpu, 0, &value) == -1);
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, 0, RAM) == -1);
        CHECK(t, vm_get_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_SP_EL1, &value) == -1);
        CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, seL4_VCPUReg_SP_EL1, 1) == -1);
        CHECK(t, value == 0x77);
        guest_finish(&guest);
        CHECK(t, vm_get_thread_context_reg(guest.vcpu, 0, &value) == 0);
    }
    guest_destroy(&guest);
}
