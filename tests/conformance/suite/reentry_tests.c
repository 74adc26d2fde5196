/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Callbacks that change the lists which the library is just walking through.
 */
#include <suite/tests.h>

/* RAM before the touched one, so that the library's list of it moves. */
static int register_and_copy(vm_t *vm, uintptr_t guest_addr, void *vaddr, size_t size, size_t offset, void *cookie) {
    test_guest_t *guest = cookie;
    uint64_t first = 0;
    if (guest->calls++ == 0)
        CHECK(guest->t, vm_ram_register_at(vm, RAM - RAM_SIZE, RAM_SIZE / 2, false) == 0);
    CHECK(guest->t, vm_ram_touch(vm, guest_addr, sizeof(first), vm_guest_ram_read_callback, &first) == 0);
    CHECK(guest->t, size == 0x1000 && first == *(uint64_t *)vaddr && first == 0x5000 + offset);
    return 0;
}

void test_a_touch_callback_may_register_ram(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    for (uint64_t value = 0x5000; value < 0x8000; value += 0x1000)
        CHECK(t, vm_ram_touch(&guest.vm, RAM + value, sizeof(value), vm_guest_ram_write_callback, &value) == 0);
    CHECK(t, vm_ram_touch(&guest.vm, RAM + 0x5000, 0x3000, register_and_copy, &guest) == 0);
    CHECK(t, guest.calls == 3);
    guest_destroy(&guest);
}

/* A page provider that gives up the reservation it is asked about. */
static vm_frame_t free_and_fail(uintptr_t addr, void *cookie) {
    test_guest_t *guest = cookie;
    const vm_frame_t none = {.cptr = seL4_CapNull, .vaddr = addr};
    guest->calls++;
    CHECK(guest->t, vm_free_reserved_memory(&guest->vm, (vm_memory_reservation_t *)guest->seen[0]) == -1);
    return none;
}

void test_a_reservation_that_is_being_mapped_stays(conformance_t *t) {
    static const uint32_t read[] = {A64_LOAD(1u, DEVICE), A64_LDR_W(4u, 1u, 0u), A64_POWER_OFF};
    for (int deferred = 0; deferred < 2; deferred++) {
        const vm_options_t options = {.defer_memory_map = deferred != 0};
        test_guest_t guest;
        if (!guest_make(&guest, t, &options))
            return;
        vm_memory_reservation_t *reservation =
            vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, default_error_fault_callback, NULL);
        CHECK(t, reservation != NULL);
        guest.seen[0] = (seL4_Word)reservation;
        CHECK(t, vm_map_reservation(&guest.vm, reservation, free_and_fail, &guest) == (deferred ? 0 : -1));
        GUEST_LOAD(&guest, CODE, read);
        if (deferred && guest_begin(&guest))
            CHECK(t, vm_run(&guest.vm) == -1 && guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT);
        CHECK(t, guest.calls == 1);
        CHECK(t, vm_free_reserved_memory(&guest.vm, reservation) == 0);
        guest_destroy(&guest);
    }
}
