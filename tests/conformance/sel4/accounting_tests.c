/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether all that a VM takes comes back. Not counted: the page tables of the VMM's own address space, and libsel4utils' notes about
 * it, which stay for the next VM; a few VMs are made before the count begins.
 */
#include <stdio.h>

#include <suite/guest.h>

#include <sel4vmmplatsupport/device_utils.h>
#include <vspace/vspace.h>

#include <sel4/accounting.h>
#include <sel4/sel4_tests.h>

#define ROUNDS       1000u
#define FIRST_ROUNDS 5u
#define PAGE         0x1000u
#define HELD         0x20000000u
#define VSPACE       0x30000000u
#define MORE_RAM     0x80000000u

static memory_fault_result_t ignore(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    (void)cookie;
    return FAULT_IGNORE;
}

/* QEMU's real-time clock. */
static const struct device rtc = {.name = "rtc", .pstart = 0x09010000, .size = PAGE};

/* A VM that has one of everything, and has run. */
static void use_a_vm(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, VSPACE), A64_LDR_X(3u, 1u, 0u), A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    CHECK(t, vm_create_default_irq_controller(vm) == 0);
    CHECK(t, vm_ram_register_at(vm, MORE_RAM, 0x6000, false) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, PAGE, ignore, NULL) != NULL);
    CHECK(t, vm_install_passthrough_device(vm, &rtc) == 0);
    vspace_t *vspace = vm_get_vspace(vm);
    const reservation_t place = vspace_reserve_range_at(vspace, (void *)(uintptr_t)VSPACE, 0x400000, seL4_AllRights, 1);
    CHECK(t, vspace_new_pages_at_vaddr(vspace, (void *)(uintptr_t)VSPACE, 2, seL4_PageBits, place) == 0);
    void *window =
        vspace_share_mem(vspace, &t->host->vspace, (void *)(uintptr_t)VSPACE, 2, seL4_PageBits, seL4_AllRights, 1);
    if (CHECK(t, window != NULL))
        vspace_unmap_pages(&t->host->vspace, window, 2, seL4_PageBits, VSPACE_FREE);
    GUEST_LOAD(&guest, CODE, code);
    if (guest_begin(&guest))
        guest_finish(&guest);
    guest_destroy(&guest);
}

static void test_everything_comes_back_from_a_thousand_vms(conformance_t *t) {
    accounting_begin(t->host);
    for (unsigned int i = 0; i < FIRST_ROUNDS; i++)
        use_a_vm(t);
    unsigned long free_before = accounting_free_bytes(t->host);
    free_before = accounting_free_bytes(t->host);
    const accounts_t before = accounting_now();
    for (unsigned int i = 0; i < ROUNDS && t->failures == 0; i++)
        use_a_vm(t);
    const accounts_t after = accounting_now();
    const unsigned long free_after = accounting_free_bytes(t->host);
    accounting_end(t->host);
    printf(
        "       after %u VMs: slots %+ld, objects %+ld (%+ld bytes), reservations %+ld, pages %+ld, heap blocks %+ld\n",
        ROUNDS, after.slots - before.slots, after.objects - before.objects, after.object_bytes - before.object_bytes,
        after.reservations - before.reservations, after.pages - before.pages, after.blocks - before.blocks);
    printf("       untyped memory: %lu bytes before, %lu after\n", free_before, free_after);
    CHECK(t, after.slots == before.slots && after.objects == before.objects);
    CHECK(t, after.object_bytes == before.object_bytes && free_after == free_before);
    CHECK(t, after.reservations == before.reservations && after.pages == before.pages);
    CHECK(t, after.blocks == before.blocks);
}

const conformance_test_t sel4_accounting_tests[] = {
    SEL4_TEST(test_everything_comes_back_from_a_thousand_vms),
};
const size_t sel4_accounting_test_count = sizeof sel4_accounting_tests / sizeof sel4_accounting_tests[0];
