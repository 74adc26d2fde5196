/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What clients of libsel4vm do with other values than this library's own examples, and with the syndrome
 * (docs/migrating-from-libsel4vm.md, "Calls in other orders").
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

#include <sel4vm/sel4_arch/processor.h>

/* ---- The syndrome that a vCPU fault callback gets */

/* One register, kept in seen[1]: the client finds the guest's register by Rt, and moves the value itself. */
static int by_syndrome(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    const unsigned int rt = hsr >> 5 & 31;
    uintptr_t value = 0;
    if (HSR_EXCEPTION_CLASS(hsr) != HSR_SYSREG_64_EXCEPTION)
        return -1;
    guest->calls++;
    guest->seen[0] |= (seL4_Word)1 << rt;
    if ((hsr & 1) == 0) {
        if (rt != 31)
            CHECK(guest->t, vm_get_thread_context_reg(vcpu, guest_context_index(rt), &value) == 0);
        guest->seen[1] = value;
    } else if (rt != 31) {
        CHECK(guest->t, vm_set_thread_context_reg(vcpu, guest_context_index(rt), guest->seen[1] + 1) == 0);
    }
    advance_vcpu_fault(vcpu);
    return 0;
}

void test_a_client_emulates_registers_by_the_syndrome(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS),          A64_LOAD(9u, 0x29u),
                                    A64_MSR(A64_PMCR_EL0, 9u),      A64_MRS(10u, A64_PMCR_EL0),
                                    A64_STR_X(10u, 2u, 0u),         A64_LOAD(30u, 0x59u),
                                    A64_MSR(A64_PMCR_EL0, 30u),     A64_MRS(17u, A64_PMCR_EL0),
                                    A64_STR_X(17u, 2u, 1u),         A64_MRS(28u, A64_PMCR_EL0),
                                    A64_STR_X(28u, 2u, 2u),         A64_MSR(A64_PMCR_EL0, A64_XZR),
                                    A64_MRS(A64_XZR, A64_PMCR_EL0), A64_MRS(0u, A64_PMCR_EL0),
                                    A64_STR_X(0u, 2u, 3u),          A64_POWER_OFF};
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_TRAPS_PMU) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, by_syndrome, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 8);
        CHECK(t, guest.seen[0] == (1u << 9 | 1u << 10 | 1u << 30 | 1u << 17 | 1u << 28 | 1u << 31 | 1u << 0));
        CHECK(t, guest_result(&guest, 0) == 0x2a && guest_result(&guest, 1) == 0x5a);
        CHECK(t, guest_result(&guest, 2) == 0x5a && guest_result(&guest, 3) == 1);
    }
    guest_destroy(&guest);
}

/* Counts, notes what it was and where, and finishes it with 0x11 in x0. */
static int serve_a_call(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    if (guest->calls < 2) {
        guest->seen[guest->calls] = hsr;
        guest->seen[2 + guest->calls] = get_vcpu_fault_ip(vcpu);
    }
    guest->calls++;
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, guest_context_index(0), 0x11) == 0);
    advance_vcpu_fault(vcpu);
    return 0;
}

/* Calls that the library does not know; seL4 keeps the immediate of an `hvc` to itself, so it is 0 here. */
void test_the_syndrome_of_a_call_is_whole(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS),     A64_LOAD(0u, 0xc3001234u),
                                    A64_SMC_WITH(5u),          A64_STR_X(0u, 2u, 0u),
                                    A64_LOAD(0u, 0xc3001234u), A64_HVC,
                                    A64_STR_X(0u, 2u, 1u),     A64_POWER_OFF};
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, serve_a_call, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2);
        CHECK(t, guest.seen[0] == (HSR_SMC_64_EXCEPTION << HSR_EXCEPTION_CLASS_SHIFT | HSR_IL_MASK | 5u));
        CHECK(t, guest.seen[1] == (HSR_HVC_64_EXCEPTION << HSR_EXCEPTION_CLASS_SHIFT | HSR_IL_MASK));
        CHECK(t, guest.seen[2] == CODE + 4 * 4);
        CHECK(t, guest_result(&guest, 0) == 0x11 && guest_result(&guest, 1) == 0x11);
    }
    guest_destroy(&guest);
}

/* ---- Other values */

static int positive(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)badge;
    (void)tag;
    guest->calls++;
    return 1;
}

void test_any_result_of_a_notification_callback_ends_vm_run(conformance_t *t) {
    static const uint32_t code[] = {A64_B(0)};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    if (GUEST_START(&guest, t, code)) {
        CHECK(t, vm_register_notification_callback(&guest.vm, positive, &guest) == 0);
        seL4_Signal(signal);
        CHECK(t, vm_run(&guest.vm) == -1 && guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT && guest.calls == 1);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, signal);
}

void test_ram_is_rounded_up_to_pages(conformance_t *t) {
    test_guest_t guest;
    uint64_t value = 0x1234;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    const uintptr_t above = RAM + RAM_SIZE;
    CHECK(t, vm_ram_register_at(vm, above, 0x1001, false) == 0);
    CHECK(t, vm_ram_touch(vm, above + 0x1ff8, 8, vm_guest_ram_write_callback, &value) == 0);
    CHECK(t, vm_ram_touch(vm, above + 0x2000, 8, vm_guest_ram_read_callback, &value) == -1);
    CHECK(t, vm_ram_touch(vm, above, 0, vm_guest_ram_read_callback, NULL) == 0);
    CHECK(t, vm_memory_make_anon(vm, 0x20000000, 0x10000) == 0);
    const uintptr_t anywhere = vm_ram_register(vm, 5);
    CHECK(t, anywhere != 0 && vm_ram_register(vm, 5) == anywhere + 0x1000);
    guest_destroy(&guest);
}

/* Makes frames for a test; how many. */
static unsigned int make_frames(conformance_t *t, vka_object_t *frames, seL4_CPtr *array, unsigned int count) {
    unsigned int made = 0;
    while (made < count && vka_alloc_frame(&t->host->vka, seL4_PageBits, &frames[made]) == 0) {
        array[made] = frames[made].cptr;
        made++;
    }
    return made;
}

static memory_fault_result_t count_and_ignore(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    guest->calls++;
    return FAULT_IGNORE;
}

void test_frames_behind_a_reservation_are_left_alone(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), A64_LOAD(4u, 0x77u),
                                    A64_STR_X(4u, 1u, 0u), A64_LDR_X(5u, 1u, 0u), A64_STR_X(5u, 2u, 0u),
                                    A64_POWER_OFF};
    vka_object_t frames[3];
    seL4_CPtr array[3];
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    const unsigned int made = make_frames(t, frames, array, 3);
    vm_memory_reservation_t *two = vm_reserve_memory_at(&guest.vm, DEVICE, 0x2000, count_and_ignore, &guest);
    CHECK(t, made == 3 && vm_map_reservation_frames(&guest.vm, two, array, 3, seL4_PageBits) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE + 0x2000, 0x1000, count_and_ignore, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x77 && guest.calls == 0);
    guest_destroy(&guest);
    for (unsigned int i = 0; i < made; i++)
        vka_free_object(&t->host->vka, &frames[i]);
}

static vm_frame_t frame_of_array(uintptr_t addr, void *cookie) {
    const seL4_CPtr *next = cookie;
    const vm_frame_t frame = {*next, seL4_AllRights, addr, seL4_PageBits};
    return frame;
}

/* A reservation of a part of a page, as a small device's: its frame is the guest's as a whole, and nobody else may be there. */
static void frames_take_whole_pages(conformance_t *t, bool deferred) {
    static const uint32_t code[] = {
        A64_LOAD(1u, DEVICE),      A64_LOAD(2u, RESULTS),     A64_LOAD(4u, 0x77u),   A64_LDR_X(5u, 1u, 0x1ffu),
        A64_STR_X(4u, 1u, 0x100u), A64_LDR_X(5u, 1u, 0x100u), A64_STR_X(5u, 2u, 0u), A64_POWER_OFF};
    const vm_options_t options = {.defer_memory_map = deferred};
    vka_object_t frames[1];
    seL4_CPtr array[1];
    test_guest_t guest;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !guest_make(&guest, t, &options))
        return;
    vm_t *vm = &guest.vm;
    GUEST_LOAD(&guest, CODE, code);
    const unsigned int made = make_frames(t, frames, array, 1);
    vm_memory_reservation_t *small = vm_reserve_memory_at(vm, DEVICE + 0x800, 0x100, count_and_ignore, &guest);
    vm_memory_reservation_t *other = vm_reserve_memory_at(vm, DEVICE + 0x900, 0x100, count_and_ignore, &guest);
    CHECK(t, made == 1 && small != NULL && other != NULL);
    CHECK(t, vm_map_reservation(vm, small, frame_of_array, array) == -1);
    CHECK(t, vm_free_reserved_memory(vm, other) == 0);
    CHECK(t, vm_map_reservation(vm, small, frame_of_array, array) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0x900, 0x100, count_and_ignore, &guest) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x100, count_and_ignore, &guest) == NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x77 && guest.calls == 0);
    CHECK(t, vm_free_reserved_memory(vm, small) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x1000, count_and_ignore, &guest) != NULL);
    guest_destroy(&guest);
    for (unsigned int i = 0; i < made; i++)
        vka_free_object(&t->host->vka, &frames[i]);
}

void test_frames_take_whole_pages(conformance_t *t) {
    frames_take_whole_pages(t, false);
    frames_take_whole_pages(t, true);
}
