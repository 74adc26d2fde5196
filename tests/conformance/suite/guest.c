/* SPDX-License-Identifier: BSD-2-Clause */
#include <suite/guest.h>

int guest_init_vm(conformance_t *t, vm_t *vm, const vm_options_t *options) {
    vm_host_t *host = t->host;
    return vm_init_with_options(vm, &host->vka, &host->simple, host->vspace, &host->io_ops, host->endpoint, "test",
                                options);
}

int guest_make(test_guest_t *guest, conformance_t *t, const vm_options_t *options) {
    guest->t = t;
    guest->vcpu = NULL;
    guest->calls = 0;
    for (unsigned int i = 0; i < 8; i++)
        guest->seen[i] = 0;
    if (!CHECK(t, guest_init_vm(t, &guest->vm, options) == 0))
        return 0;
    guest->vcpu = vm_create_vcpu(&guest->vm, t->host->priority);
    if (!CHECK(t, guest->vcpu != NULL) || !CHECK(t, vm_ram_register_at(&guest->vm, RAM, RAM_SIZE, false) == 0)) {
        guest_destroy(guest);
        return 0;
    }
    if (t->cpu != 0)
        CHECK(t, vm_assign_vcpu_target(guest->vcpu, t->cpu) == 0);
    return 1;
}

void guest_load(test_guest_t *guest, uintptr_t at, const uint32_t *code, size_t count) {
    const int by_hvc = (guest->t->abilities & CONFORMANCE_KEEPS_CALLS) != 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = by_hvc && code[i] == A64_SMC ? A64_HVC : code[i];
        CHECK(guest->t,
              vm_ram_touch(&guest->vm, at + i * sizeof(word), sizeof(word), vm_guest_ram_write_callback, &word) == 0);
    }
}

int guest_begin(test_guest_t *guest) {
    return CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, 0, CODE) == 0) &&
           CHECK(guest->t, vcpu_start(guest->vcpu) == 0);
}

int guest_start(test_guest_t *guest, conformance_t *t, const uint32_t *code, size_t count) {
    if (!guest_make(guest, t, NULL))
        return 0;
    guest_load(guest, CODE, code, count);
    if (!guest_begin(guest)) {
        guest_destroy(guest);
        return 0;
    }
    return 1;
}

int guest_finish(test_guest_t *guest) {
    const int result = vm_run(&guest->vm);
    return CHECK(guest->t, result == 0) & CHECK(guest->t, guest->vm.run.exit_reason == VM_GUEST_SHUTDOWN_EXIT);
}

uint64_t guest_result(test_guest_t *guest, unsigned int index) {
    uint64_t value = 0;
    CHECK(guest->t,
          vm_ram_touch(&guest->vm, RESULTS + index * 8, sizeof(value), vm_guest_ram_read_callback, &value) == 0);
    return value;
}

unsigned int guest_context_index(unsigned int rt) {
    if (rt <= 8)
        return 3 + rt;
    if (rt <= 15)
        return 17 + rt - 9;
    if (rt <= 18)
        return 12 + rt - 16;
    return rt <= 28 ? 24 + rt - 19 : 15 + rt - 29;
}

void guest_destroy(test_guest_t *guest) { CHECK(guest->t, vm_destroy(&guest->vm) == 0); }
