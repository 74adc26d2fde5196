/* SPDX-License-Identifier: BSD-2-Clause
 *
 * vm_get_vspace(): clients map their frames at guest-physical addresses with the functions of <vspace/vspace.h>, and look at what is
 * mapped.
 */
#include <suite/guest.h>

#include <vka/object.h>
#include <vspace/vspace.h>

#include <sel4/sel4_tests.h>

#define AT(address) ((void *)(uintptr_t)(address))
#define PAGE        0x1000u

/* x1 = the page: x3 = what is there + 1, stored behind it. */
static const uint32_t add_one[] = {A64_LDR_X(3u, 1u, 0u), A64_ADD(3u, 3u, 1u), A64_STR_X(3u, 1u, 1u), A64_POWER_OFF};

static int begin_at(test_guest_t *guest, uintptr_t page) {
    const unsigned int x1 = offsetof(seL4_UserContext, x1) / sizeof(seL4_Word);
    GUEST_LOAD(guest, CODE, add_one);
    return CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, x1, page) == 0) && guest_begin(guest);
}

static memory_fault_result_t nobodys(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)length;
    guest->calls++;
    guest->seen[0] = addr;
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static void test_a_mapped_frame_is_the_guests(conformance_t *t) {
    vm_host_t *host = t->host;
    test_guest_t guest;
    vka_object_t frame;
    if (!guest_make(&guest, t, NULL))
        return;
    vspace_t *vspace = vm_get_vspace(&guest.vm);
    CHECK(t, vspace_get_root(vspace) == guest.vm.mem.vm_vspace_root.cptr);
    CHECK(t, vspace_get_cap(vspace, AT(DEVICE)) == seL4_CapNull);
    CHECK(t, vspace_get_cap(vspace, AT(RAM)) != seL4_CapNull);
    if (CHECK(t, vka_alloc_frame(&host->vka, seL4_PageBits, &frame) == 0)) {
        reservation_t place = vspace_reserve_range_at(vspace, AT(DEVICE), 2 * PAGE, seL4_AllRights, 1);
        CHECK(t, place.res != NULL);
        CHECK(t, vspace_map_pages_at_vaddr(vspace, &frame.cptr, &frame.ut, AT(DEVICE), 1, seL4_PageBits, place) == 0);
        CHECK(t, vspace_map_pages_at_vaddr(vspace, &frame.cptr, NULL, AT(DEVICE), 1, seL4_PageBits, place) != 0);
        CHECK(t, vspace_map_pages_at_vaddr(vspace, &frame.cptr, NULL, AT(RAM), 1, seL4_PageBits, place) != 0);
        CHECK(t,
              vspace_get_cap(vspace, AT(DEVICE)) != seL4_CapNull && vspace_get_cookie(vspace, AT(DEVICE)) == frame.ut);
        CHECK(t, vm_arm_ipa_to_pa(&guest.vm, DEVICE, PAGE) == seL4_ARM_Page_GetAddress(frame.cptr).paddr);
        volatile uint64_t *window =
            vspace_share_mem(vspace, &host->vspace, AT(DEVICE), 1, seL4_PageBits, seL4_AllRights, 1);
        if (CHECK(t, window != NULL)) {
            window[0] = 41;
            if (begin_at(&guest, DEVICE) && guest_finish(&guest))
                CHECK(t, window[1] == 42);
            vspace_unmap_pages(&host->vspace, (void *)(uintptr_t)window, 1, seL4_PageBits, VSPACE_FREE);
        }
        vspace_unmap_pages(vspace, AT(DEVICE), 1, seL4_PageBits, VSPACE_FREE);
        CHECK(t, vspace_get_cap(vspace, AT(DEVICE)) == seL4_CapNull);
        vspace_free_reservation(vspace, place);
    }
    guest_destroy(&guest);
}

static void test_what_is_reserved_or_mapped_is_taken(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    vspace_t *vspace = vm_get_vspace(vm);
    CHECK(t, vspace_reserve_range_at(vspace, AT(RAM + PAGE), PAGE, seL4_AllRights, 1).res == NULL);
    vm_memory_reservation_t *clients = vm_reserve_memory_at(vm, DEVICE, PAGE, nobodys, &guest);
    CHECK(t, clients != NULL && vspace_reserve_range_at(vspace, AT(DEVICE), PAGE, seL4_AllRights, 1).res == NULL);
    reservation_t place = vspace_reserve_range_at(vspace, AT(DEVICE + PAGE), 0x400000, seL4_AllRights, 1);
    CHECK(t, place.res != NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 2 * PAGE, PAGE, nobodys, &guest) == NULL);
    CHECK(t, vm_ram_register_at(vm, DEVICE + 0x200000, 0x200000, false) != 0);
    vspace_free_reservation_by_vaddr(vspace, AT(DEVICE + 3 * PAGE));
    place = vspace_reserve_range_at(vspace, AT(DEVICE + PAGE), 0x400000, seL4_AllRights, 1);
    CHECK(t, place.res != NULL && vspace_new_pages_at_vaddr(vspace, AT(DEVICE + PAGE), 2, seL4_PageBits, place) == 0);
    /* As vspace_new_pages_with_config() does: the pages keep the place. */
    vspace_free_reservation(vspace, place);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + PAGE, PAGE, nobodys, &guest) == NULL);
    vspace_unmap_pages(vspace, AT(DEVICE + PAGE), 2, seL4_PageBits, VSPACE_FREE);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + PAGE, PAGE, nobodys, &guest) != NULL);
    guest_destroy(&guest);
}

static void test_a_fault_in_a_vspace_reservation_is_nobodys(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    CHECK(t, vspace_reserve_range_at(vm_get_vspace(&guest.vm), AT(DEVICE), PAGE, seL4_AllRights, 1).res != NULL);
    CHECK(t, vm_register_unhandled_mem_fault_callback(&guest.vm, nobodys, &guest) == 0);
    if (begin_at(&guest, DEVICE) && guest_finish(&guest))
        CHECK(t, guest.calls == 2 && guest.seen[0] == DEVICE + 8);
    guest_destroy(&guest);
}

static void test_memory_of_the_vmm_is_shared_with_the_guest(conformance_t *t) {
    vm_host_t *host = t->host;
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vspace_t *vspace = vm_get_vspace(&guest.vm);
    volatile uint64_t *page = vspace_new_pages(&host->vspace, seL4_AllRights, 1, seL4_PageBits);
    if (CHECK(t, page != NULL)) {
        const uintptr_t at = (uintptr_t)vspace_share_mem(&host->vspace, vspace, (void *)(uintptr_t)page, 1,
                                                         seL4_PageBits, seL4_AllRights, 1);
        page[0] = 6;
        if (CHECK(t, at != 0) && begin_at(&guest, at) && guest_finish(&guest))
            CHECK(t, page[1] == 7);
        CHECK(t, at == 0 || vspace_get_cap(vspace, AT(at)) != seL4_CapNull);
    }
    guest_destroy(&guest); /* with the page still mapped */
    if (page != NULL)
        vspace_unmap_pages(&host->vspace, (void *)(uintptr_t)page, 1, seL4_PageBits, VSPACE_FREE);
}

static int see(void *access, void *at, void *cookie) {
    test_guest_t *guest = cookie;
    guest->seen[1] = (seL4_Word)access;
    guest->seen[2] = *(volatile uint64_t *)at;
    return 5;
}

static void test_a_page_of_the_guest_is_seen_in_a_callback(conformance_t *t) {
    vm_host_t *host = t->host;
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vspace_t *vspace = vm_get_vspace(&guest.vm);
    const uintptr_t at = (uintptr_t)vspace_new_pages(vspace, seL4_AllRights, 1, seL4_PageBits);
    if (CHECK(t, at != 0) && begin_at(&guest, at) && guest_finish(&guest)) {
        const int result = vspace_access_page_with_callback(vspace, &host->vspace, AT(at), seL4_PageBits,
                                                            seL4_AllRights, 1, see, &guest);
        CHECK(t, result == 5 && guest.seen[1] == at && guest.seen[2] == 0);
        /* RAM is in larger frames. */
        CHECK(t, vspace_access_page_with_callback(vspace, &host->vspace, AT(RAM), seL4_PageBits, seL4_AllRights, 1, see,
                                                  &guest) == -1);
    }
    guest_destroy(&guest);
}

static void test_two_guests_share_a_page(conformance_t *t) {
    test_guest_t first, second;
    if (!guest_make(&first, t, NULL))
        return;
    const vm_options_t options = {.peer = &first.vm};
    if (guest_make(&second, t, &options)) {
        vspace_t *from = vm_get_vspace(&first.vm);
        vspace_t *to = vm_get_vspace(&second.vm);
        const uintptr_t at = (uintptr_t)vspace_new_pages(from, seL4_AllRights, 1, seL4_PageBits);
        const uintptr_t there = (uintptr_t)vspace_share_mem(from, to, AT(at), 1, seL4_PageBits, seL4_AllRights, 1);
        CHECK(t, at != 0 && there != 0);
        if (begin_at(&first, at) && guest_finish(&first) && begin_at(&second, there + 8) && guest_finish(&second))
            CHECK(t, vm_arm_ipa_to_pa(&second.vm, there, PAGE) == vm_arm_ipa_to_pa(&first.vm, at, PAGE));
        CHECK(t, vspace_access_page_with_callback(to, &t->host->vspace, AT(there), seL4_PageBits, seL4_AllRights, 1,
                                                  see, &second) == 5);
        guest_destroy(&second);
    }
    guest_destroy(&first);
}

static void test_a_torn_down_vspace_can_be_used_again(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vspace_t *vspace = vm_get_vspace(&guest.vm);
    for (unsigned int i = 0; i < 2; i++) {
        const reservation_t place = vspace_reserve_deferred_rights_range_at(vspace, AT(DEVICE), 0x400000, 1);
        CHECK(t, place.res != NULL);
        CHECK(t, vspace_new_pages(vspace, seL4_AllRights, 3, seL4_PageBits) != NULL);
        vspace_tear_down(vspace, VSPACE_FREE);
    }
    CHECK(t, vspace_get_cap(vspace, AT(RAM)) != seL4_CapNull);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, PAGE, nobodys, &guest) != NULL);
    guest_destroy(&guest);
}

const conformance_test_t sel4_vspace_tests[] = {
    SEL4_TEST(test_a_mapped_frame_is_the_guests),
    SEL4_TEST(test_what_is_reserved_or_mapped_is_taken),
    SEL4_TEST(test_a_fault_in_a_vspace_reservation_is_nobodys),
    SEL4_TEST(test_memory_of_the_vmm_is_shared_with_the_guest),
    SEL4_TEST(test_a_page_of_the_guest_is_seen_in_a_callback),
    SEL4_TEST(test_two_guests_share_a_page),
    SEL4_TEST(test_a_torn_down_vspace_can_be_used_again),
};
const size_t sel4_vspace_test_count = sizeof sel4_vspace_tests / sizeof sel4_vspace_tests[0];
