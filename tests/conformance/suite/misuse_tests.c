/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wrong calls give the documented error, and change nothing.
 */
#include <suite/tests.h>

#include <sel4vm/guest_iospace.h>

#include <string.h>

static memory_fault_result_t never(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    (void)cookie;
    return FAULT_ERROR;
}

static vm_frame_t no_frame(uintptr_t addr, void *cookie) {
    vm_frame_t frame = {0};
    (void)addr;
    (void)cookie;
    return frame;
}

static int no_touch(vm_t *vm, uintptr_t guest_addr, void *vmm_vaddr, size_t size, size_t offset, void *cookie) {
    (void)vm;
    (void)guest_addr;
    (void)vmm_vaddr;
    (void)size;
    (void)offset;
    (void)cookie;
    return 0;
}

/* Every call that takes a VM, with one that is none. */
static void call_all_with(conformance_t *t, vm_t *vm) {
    uintptr_t addr = 0;
    size_t size = 0;
    seL4_CPtr frame = 1;
    vm_vgic_config_t config = {0};
    CHECK(t, vm_create_vcpu(vm, 1) == NULL);
    CHECK(t, vm_run(vm) == -1);
    CHECK(t, vm_stop(vm) == -1);
    CHECK(t, vm_pause(vm) == -1);
    CHECK(t, vm_resume(vm) == -1);
    CHECK(t, vm_destroy(vm) == -1);
    CHECK(t, vm_set_fault_policy(vm, VM_FAULT_POLICY_RETURN) == -1);
    CHECK(t, vm_register_reset_callback(vm, NULL, NULL) == -1);
    CHECK(t, vm_register_unhandled_mem_fault_callback(vm, NULL, NULL) == -1);
    CHECK(t, vm_register_notification_callback(vm, NULL, NULL) == -1);
    CHECK(t, vm_register_smc_handler_callback(vm, NULL) == -1);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x1000, never, NULL) == NULL);
    CHECK(t, vm_reserve_anon_memory(vm, 0x1000, 0, never, NULL, &addr) == NULL);
    CHECK(t, vm_memory_make_anon(vm, DEVICE, 0x1000) == -1);
    CHECK(t, vm_free_reserved_memory(vm, NULL) == -1);
    CHECK(t, vm_map_reservation(vm, NULL, no_frame, NULL) == -1);
    CHECK(t, vm_map_reservation_frames(vm, NULL, &frame, 1, 12) == -1);
    CHECK(t, vm_memory_init(vm) == -1);
    CHECK(t, vm_ram_touch(vm, RAM, 8, no_touch, NULL) == -1);
    CHECK(t, vm_ram_find_largest_free_region(vm, &addr, &size) == -1);
    CHECK(t, vm_ram_register(vm, 0x1000) == 0);
    CHECK(t, vm_ram_register_at(vm, RAM, 0x1000, false) == -1);
    CHECK(t, vm_ram_register_at_custom_iterator(vm, RAM, 0x1000, no_frame, NULL) == -1);
    vm_ram_mark_allocated(vm, RAM, 0x1000);
    CHECK(t, vm_ram_allocate(vm, 0x1000) == 0);
    vm_ram_free(vm, RAM, 0x1000);
    CHECK(t, vm_create_default_irq_controller(vm) == -1);
    CHECK(t, vm_install_vgic(vm) == -1);
    CHECK(t, vm_install_vgic_with(vm, &config) == -1);
    CHECK(t, vm_get_vgic(vm, &config) == -1);
    CHECK(t, vm_arm_ipa_to_pa(vm, RAM, 8) == 0);
}

void test_calls_without_a_vm(conformance_t *t) {
    vm_t vm;
    memset(&vm, 0, sizeof(vm));
    vm_host_log(NULL); /* nothing */
    call_all_with(t, NULL);
    call_all_with(t, &vm);
}

static void call_all_with_vcpu(conformance_t *t, vm_vcpu_t *vcpu) {
    seL4_UserContext context = {0};
    uintptr_t value = 0;
    CHECK(t, vcpu_start(vcpu) == -1);
    CHECK(t, vm_assign_vcpu_target(vcpu, 0) == -1);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(vcpu, NULL, NULL) == -1);
    CHECK(t, vm_serve_smc(vcpu, &context) == -1);
    CHECK(t, vm_inject_irq(vcpu, 40) == -1);
    CHECK(t, vm_set_irq_level(vcpu, 40, 1) == -1);
    CHECK(t, vm_register_irq(vcpu, 40, NULL, NULL) == -1);
    CHECK(t, vm_set_thread_context(vcpu, context) == -1);
    CHECK(t, vm_get_thread_context(vcpu, &context) == -1);
    CHECK(t, vm_set_thread_context_reg(vcpu, 0, 0) == -1);
    CHECK(t, vm_get_thread_context_reg(vcpu, 0, &value) == -1);
    CHECK(t, vm_set_arm_vcpu_reg(vcpu, seL4_VCPUReg_SCTLR, 0) == -1);
    CHECK(t, vm_get_arm_vcpu_reg(vcpu, seL4_VCPUReg_SCTLR, &value) == -1);
    CHECK(t, get_vcpu_fault_address(vcpu) == 0 && get_vcpu_fault_ip(vcpu) == 0 && get_vcpu_fault_size(vcpu) == 0);
    CHECK(t, get_vcpu_fault_data(vcpu) == 0 && get_vcpu_fault_data_mask(vcpu) == 0 && !is_vcpu_read_fault(vcpu));
    CHECK(t, set_vcpu_fault_data(vcpu, 0) == -1);
    CHECK(t, emulate_vcpu_fault(vcpu, 7) == 7);
    advance_vcpu_fault(vcpu);
    restart_vcpu_fault(vcpu);
}

void test_calls_without_a_vcpu(conformance_t *t) {
    vm_vcpu_t vcpu;
    memset(&vcpu, 0, sizeof(vcpu));
    call_all_with_vcpu(t, NULL);
    call_all_with_vcpu(t, &vcpu);
}

void test_wrong_arguments(conformance_t *t) {
    test_guest_t guest;
    uintptr_t addr = 0;
    size_t size = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(vm, DEVICE + 1, 0x1000, never, NULL);
    CHECK(t, reservation != NULL);
    CHECK(t, vm_map_reservation(vm, reservation, no_frame, NULL) == -1); /* no multiple of a page */
    CHECK(t, vm_map_reservation(vm, reservation, NULL, NULL) == -1);
    CHECK(t, vm_map_reservation(vm, (vm_memory_reservation_t *)&guest, no_frame, NULL) == -1);
    CHECK(t, vm_free_reserved_memory(vm, (vm_memory_reservation_t *)&guest) == -1);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0x8000, 0x1000, NULL, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0x8000, 0, never, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, ~(uintptr_t)0, 2, never, NULL) == NULL);
    CHECK(t, vm_memory_make_anon(vm, 0x20000000, 0x10000) == 0);
    CHECK(t, vm_reserve_anon_memory(vm, 0x1000, 3, never, NULL, &addr) == NULL);
    CHECK(t, vm_reserve_anon_memory(vm, 0x1000, 0, never, NULL, NULL) == NULL);
    CHECK(t, vm_reserve_anon_memory(vm, 0, 0, never, NULL, &addr) == NULL);
    CHECK(t, vm_ram_register_at(vm, RAM + RAM_SIZE + 1, 0x1000, false) == -1);
    CHECK(t, vm_ram_register_at(vm, RAM + RAM_SIZE, 0, false) == -1);
    CHECK(t, vm_ram_register_at(vm, RAM, 0x1000, false) == -1);
    CHECK(t, vm_ram_register_at_custom_iterator(vm, RAM + RAM_SIZE, 0x1000, NULL, NULL) == -1);
    CHECK(t, vm_ram_register_at_custom_iterator(vm, RAM + RAM_SIZE, 0x1000, no_frame, NULL) == -1);
    CHECK(t, vm_ram_register(vm, 0) == 0);
    CHECK(t, vm_ram_allocate(vm, 0) == 0);
    CHECK(t, vm_ram_touch(vm, RAM, 8, NULL, NULL) == -1);
    CHECK(t, vm_ram_find_largest_free_region(vm, NULL, &size) == -1);
    CHECK(t, vm_set_fault_policy(vm, (vm_fault_policy_t)7) == -1);
    vm_get_reservation_memory_region(reservation, NULL, &size);
    CHECK(t, size == 0x1000);
    vm_get_reservation_memory_region(NULL, NULL, &size);
    CHECK(t, vm_guest_add_iospace(vm, &t->host->vspace, 1) == -1); /* memory is mapped already */
    CHECK(t, vm_guest_add_iospace(vm, NULL, 1) == -1);
    CHECK(t, vm_set_thread_context_reg(guest.vcpu, 99, 0) == -1);
    CHECK(t, vm_get_thread_context_reg(guest.vcpu, 0, NULL) == -1);
    CHECK(t, vm_get_thread_context(guest.vcpu, NULL) == -1);
    CHECK(t, vm_set_arm_vcpu_reg(guest.vcpu, 999, 0) == -1);
    CHECK(t, vm_get_arm_vcpu_reg(guest.vcpu, 999, &addr) == -1);
    CHECK(t, vm_register_irq(guest.vcpu, -1, NULL, NULL) == -1);
    CHECK(t, vm_register_irq(guest.vcpu, 1020, NULL, NULL) == -1);
    CHECK(t, vm_serve_smc(guest.vcpu, NULL) == -1);
    CHECK(t, vm_assign_vcpu_target(guest.vcpu, -2) == -1);
    CHECK(t, vm_assign_vcpu_target(guest.vcpu, CONFIG_MAX_NUM_NODES) == -1);
    CHECK(t, vm_assign_vcpu_target(guest.vcpu, 0) == 0);
    vm_vcpu_t *other = vm_create_vcpu(vm, t->host->priority);
    CHECK(t, vm_assign_vcpu_target(other, 0) == -1);
    if ((t->abilities & CONFORMANCE_HAS_SMP) != 0)
        CHECK(t, vm_assign_vcpu_target(other, CONFIG_MAX_NUM_NODES - 1) == 0);
    CHECK(t, vm_vcpu_for_target_cpu(vm, 0) == guest.vcpu);
    CHECK(t, vm_assign_vcpu_target(guest.vcpu, -1) == 0); /* and another may have it, where there can be another */
    if (other != NULL)
        CHECK(t, vm_assign_vcpu_target(other, 0) == 0 && vm_assign_vcpu_target(other, -1) == 0);
    CHECK(t, vm_assign_vcpu_target(guest.vcpu, 0) == 0);
    while (vm->num_vcpus < CONFIG_MAX_NUM_NODES && vm_create_vcpu(vm, t->host->priority) != NULL) {
    }
    CHECK(t, vm->num_vcpus == CONFIG_MAX_NUM_NODES);
    CHECK(t, vm_create_vcpu(vm, t->host->priority) == NULL);
    guest_destroy(&guest);
}

void test_wrong_arguments_of_vm_init(conformance_t *t) {
    vm_host_t *host = t->host;
    vm_t vm;
    const vm_lock_t half_a_lock = {0};
    const vm_options_t with_half_a_lock = {.lock = &half_a_lock};
    vm_t none;
    memset(&none, 0, sizeof(none));
    const vm_options_t with_no_peer = {.peer = &none};
    CHECK(t, vm_init(NULL, &host->vka, &host->simple, host->vspace, &host->io_ops, host->endpoint, "test") == -1);
    CHECK(t, vm_init(&vm, NULL, &host->simple, host->vspace, &host->io_ops, host->endpoint, "test") == -1);
    CHECK(t, vm_init(&vm, &host->vka, NULL, host->vspace, &host->io_ops, host->endpoint, "test") == -1);
    CHECK(t, vm_init(&vm, &host->vka, &host->simple, host->vspace, NULL, host->endpoint, "test") == -1);
    CHECK(t, vm_init(&vm, &host->vka, &host->simple, host->vspace, &host->io_ops, seL4_CapNull, "test") == -1);
    CHECK(t, vm_init(&vm, &host->vka, &host->simple, host->vspace, &host->io_ops, host->endpoint, NULL) == -1);
    CHECK(t, guest_init_vm(t, &vm, &with_half_a_lock) == -1);
    CHECK(t, guest_init_vm(t, &vm, &with_no_peer) == -1);
    CHECK(t, !vm.vm_initialised && vm.vm_name == NULL);
}
