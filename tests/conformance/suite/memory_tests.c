/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Guest-physical memory: reservations, frames, RAM.
 */
#include <suite/tests.h>

#define BEGIN  A64_LOAD(1u, DEVICE), A64_LOAD(2u, RESULTS), A64_LOAD(3u, VECTORS), A64_MSR(A64_VBAR_EL1, 3u), A64_ISB
#define PAGE   0x1000u
#define FRAMES 4u

static memory_fault_result_t ignore(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    if (cookie != NULL)
        ++*(unsigned int *)cookie;
    return FAULT_IGNORE;
}

void test_reservations_do_not_overlap(conformance_t *t) {
    test_guest_t guest;
    uintptr_t addr = 0;
    size_t size = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    vm_memory_reservation_t *first = vm_reserve_memory_at(vm, DEVICE, 0x1000, ignore, NULL);
    CHECK(t, first != NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x1000, ignore, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0xfff, 2, ignore, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE - 1, 2, ignore, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE - 0x1000, 0x10000, ignore, NULL) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, RAM + 0x1000, 0x1000, ignore, NULL) == NULL);
    CHECK(t, vm_ram_register_at(vm, DEVICE, 0x1000, false) == -1);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0x1000, 3, ignore, NULL) != NULL);
    vm_get_reservation_memory_region(first, &addr, &size);
    CHECK(t, addr == DEVICE && size == 0x1000);
    CHECK(t, vm_free_reserved_memory(vm, first) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x1000, ignore, NULL) != NULL);
    guest_destroy(&guest);
}

void test_anonymous_reservations(conformance_t *t) {
    test_guest_t guest;
    uintptr_t first = 0, second = 0, third = 0, large = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    CHECK(t, vm_reserve_anon_memory(vm, 0x1000, 0, ignore, NULL, &first) == NULL);
    CHECK(t, vm_memory_make_anon(vm, DEVICE, 0x4000) == 0);
    CHECK(t, vm_memory_make_anon(vm, DEVICE + 0x3000, 0x4000) == -1);
    vm_memory_reservation_t *one = vm_reserve_anon_memory(vm, 0x1000, 0, ignore, NULL, &first);
    vm_memory_reservation_t *two = vm_reserve_anon_memory(vm, 0x1000, 0x2000, ignore, NULL, &second);
    CHECK(t, one != NULL && first == DEVICE);
    CHECK(t, two != NULL && second == DEVICE + 0x2000);
    CHECK(t, vm_reserve_anon_memory(vm, 0x4000, 0, ignore, NULL, &large) == NULL);
    CHECK(t, vm_free_reserved_memory(vm, one) == 0);
    CHECK(t, vm_reserve_anon_memory(vm, 0x1000, 0, ignore, NULL, &third) != NULL && third == DEVICE);
    /* RAM comes from the same ranges. */
    CHECK(t, vm_ram_register(vm, 0x1000) == DEVICE + 0x1000);
    CHECK(t, vm_ram_register(vm, 0x2000) == 0);
    guest_destroy(&guest);
}

typedef struct frames {
    conformance_t *t;
    vka_object_t objects[FRAMES];
    seL4_CPtr caps[FRAMES];
    uintptr_t base;
    unsigned int given; /* how often the page provider was asked */
    bool read_only;
} frames_t;

static int make_frames(frames_t *frames, conformance_t *t, uintptr_t base) {
    frames->t = t;
    frames->base = base;
    frames->given = 0;
    frames->read_only = false;
    for (unsigned int i = 0; i < FRAMES; i++) {
        if (!CHECK(t, vka_alloc_frame(&t->host->vka, seL4_PageBits, &frames->objects[i]) == 0))
            return 0;
        frames->caps[i] = frames->objects[i].cptr;
    }
    return 1;
}

static void free_frames(frames_t *frames) {
    for (unsigned int i = 0; i < FRAMES; i++)
        vka_free_object(&frames->t->host->vka, &frames->objects[i]);
}

static vm_frame_t next_frame(uintptr_t addr, void *cookie) {
    frames_t *frames = cookie;
    const uintptr_t index = (addr - frames->base) / PAGE;
    vm_frame_t frame = {0};
    frames->given++;
    if (index >= FRAMES)
        return frame;
    frame.cptr = frames->caps[index];
    frame.rights = frames->read_only ? seL4_CanRead : seL4_AllRights;
    frame.vaddr = addr & ~(uintptr_t)(PAGE - 1);
    frame.size_bits = seL4_PageBits;
    return frame;
}

/* Writes to the first and last page, and reads both back. */
static const uint32_t use_frames[] = {BEGIN,
                                      A64_LOAD(4u, 0x1111u),
                                      A64_STR_X(4u, 1u, 0u),
                                      A64_LOAD(5u, DEVICE + 3u * PAGE),
                                      A64_LOAD(4u, 0x2222u),
                                      A64_STR_X(4u, 5u, 1u),
                                      A64_LDR_X(6u, 1u, 0u),
                                      A64_STR_X(6u, 2u, 0u),
                                      A64_LDR_X(6u, 5u, 1u),
                                      A64_STR_X(6u, 2u, 1u),
                                      A64_POWER_OFF};

void test_mapped_frames_are_the_guests(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, use_frames);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, FRAMES * PAGE, ignore, &faults);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == 0);
    CHECK(t, frames.given == FRAMES);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == -1);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, faults == 0);
        CHECK(t, guest_result(&guest, 0) == 0x1111);
        CHECK(t, guest_result(&guest, 1) == 0x2222);
    }
    CHECK(t, vm_free_reserved_memory(&guest.vm, reservation) == 0);
    guest_destroy(&guest);
    free_frames(&frames);
}

void test_frames_of_an_array_are_the_guests(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    for (int deferred = 0; deferred < 2; deferred++) {
        const vm_options_t options = {.defer_memory_map = deferred != 0};
        if (!guest_make(&guest, t, &options))
            return;
        GUEST_LOAD(&guest, CODE, use_frames);
        vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, FRAMES * PAGE, ignore, &faults);
        seL4_CPtr caps[FRAMES];
        for (unsigned int i = 0; i < FRAMES; i++)
            caps[i] = frames.caps[i];
        static const size_t no_sizes[] = {0, seL4_PageBits - 1, seL4_HugePageBits + 1, 64, ~(size_t)0};
        for (unsigned int i = 0; i < sizeof(no_sizes) / sizeof(no_sizes[0]); i++)
            CHECK(t, vm_map_reservation_frames(&guest.vm, reservation, caps, FRAMES, no_sizes[i]) == -1);
        CHECK(t, vm_map_reservation_frames(&guest.vm, reservation, caps, 0, seL4_PageBits) == -1);
        CHECK(t, vm_map_reservation_frames(&guest.vm, reservation, caps, FRAMES, seL4_PageBits) == 0);
        for (unsigned int i = 0; i < FRAMES; i++)
            caps[i] = seL4_CapNull; /* the array was copied */
        /* A second mapping is refused, and leaves the first one alone. */
        CHECK(t, vm_map_reservation_frames(&guest.vm, reservation, caps, FRAMES, seL4_PageBits) == -1);
        if (guest_begin(&guest) && guest_finish(&guest)) {
            CHECK(t, faults == 0);
            CHECK(t, guest_result(&guest, 1) == 0x2222);
        }
        guest_destroy(&guest);
    }
    free_frames(&frames);
}

void test_deferred_frames_are_mapped_at_the_first_access(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    const vm_options_t options = {.defer_memory_map = true};
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    if (!guest_make(&guest, t, &options))
        return;
    GUEST_LOAD(&guest, CODE, use_frames);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, FRAMES * PAGE, ignore, &faults);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == 0);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == -1);
    CHECK(t, frames.given == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, frames.given == 2 && faults == 0);
        CHECK(t, guest_result(&guest, 0) == 0x1111);
        CHECK(t, guest_result(&guest, 1) == 0x2222);
    }
    guest_destroy(&guest);
    free_frames(&frames);
}

void test_a_write_to_a_read_only_frame_faults(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    if (!guest_make(&guest, t, NULL))
        return;
    frames.read_only = true;
    GUEST_LOAD(&guest, CODE, use_frames);
    vm_memory_reservation_t *reservation = vm_reserve_memory_at(&guest.vm, DEVICE, FRAMES * PAGE, ignore, &faults);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, faults == 2);
        CHECK(t, guest_result(&guest, 0) == 0);
    }
    guest_destroy(&guest);
    free_frames(&frames);
}

void test_a_page_provider_that_runs_out_maps_nothing(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, use_frames);
    vm_memory_reservation_t *reservation =
        vm_reserve_memory_at(&guest.vm, DEVICE, (FRAMES + 1) * PAGE, ignore, &faults);
    CHECK(t, vm_map_reservation(&guest.vm, reservation, next_frame, &frames) == -1);
    CHECK(t, vm_arm_ipa_to_pa(&guest.vm, DEVICE, 8) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, faults == 4);
    guest_destroy(&guest);
    free_frames(&frames);
}

/* What a page provider gives beside what it was asked for. */
typedef struct odd_frame {
    frames_t *frames;
    intptr_t off_by;
    size_t size_bits;
} odd_frame_t;

static vm_frame_t next_odd_frame(uintptr_t addr, void *cookie) {
    const odd_frame_t *odd = cookie;
    vm_frame_t frame = next_frame(addr, odd->frames);
    frame.vaddr += (uintptr_t)odd->off_by;
    frame.size_bits = odd->size_bits;
    return frame;
}

void test_frames_that_do_not_fit_are_refused(conformance_t *t) {
    /* Before, behind and across what was asked for, larger than the reservation, and sizes that no frame has. */
    static const odd_frame_t odd[] = {{NULL, -(intptr_t)PAGE, seL4_PageBits},
                                      {NULL, PAGE, seL4_PageBits},
                                      {NULL, 8, seL4_PageBits},
                                      {NULL, 0, seL4_PageBits + 3},
                                      {NULL, 0, seL4_LargePageBits},
                                      {NULL, 0, seL4_PageBits - 1},
                                      {NULL, 0, 0},
                                      {NULL, 0, 40},
                                      {NULL, 0, 64},
                                      {NULL, 0, (size_t)-1}};
    test_guest_t guest;
    frames_t frames;
    unsigned int faults = 0;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    for (int deferred = 0; deferred < 2; deferred++) {
        for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
            const vm_options_t options = {.defer_memory_map = deferred != 0};
            odd_frame_t provider = odd[i];
            if (!guest_make(&guest, t, &options))
                return;
            GUEST_LOAD(&guest, CODE, use_frames);
            provider.frames = &frames;
            vm_memory_reservation_t *reservation =
                vm_reserve_memory_at(&guest.vm, DEVICE, FRAMES * PAGE, ignore, &faults);
            CHECK(t, vm_map_reservation(&guest.vm, reservation, next_odd_frame, &provider) == (deferred ? 0 : -1));
            if (deferred && guest_begin(&guest)) {
                CHECK(t, vm_run(&guest.vm) == -1);
                CHECK(t, guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT);
            }
            CHECK(t, vm_arm_ipa_to_pa(&guest.vm, DEVICE, 8) == 0);
            guest_destroy(&guest);
        }
    }
    CHECK(t, faults == 0);
    free_frames(&frames);
}

void test_the_clients_frames_may_be_ram(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    uint64_t value = 0x5555;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, use_frames);
    CHECK(t, vm_ram_register_at_custom_iterator(&guest.vm, DEVICE, FRAMES * PAGE, next_frame, &frames) == 0);
    CHECK(t, vm_ram_touch(&guest.vm, DEVICE + PAGE - 4, 8, vm_guest_ram_write_callback, &value) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        value = 0;
        CHECK(t, guest_result(&guest, 1) == 0x2222);
        CHECK(t, vm_ram_touch(&guest.vm, DEVICE + 3 * PAGE + 8, 8, vm_guest_ram_read_callback, &value) == 0);
        CHECK(t, value == 0x2222);
        CHECK(t, vm_ram_touch(&guest.vm, DEVICE + PAGE - 4, 8, vm_guest_ram_read_callback, &value) == 0);
        CHECK(t, value == 0x5555);
    }
    CHECK(t, guest.vm.mem.num_ram_regions == 2);
    guest_destroy(&guest);
    free_frames(&frames); /* they are still the client's */
}

void test_frames_without_the_right_to_write_are_read_only_ram(conformance_t *t) {
    test_guest_t guest;
    frames_t frames;
    if (!conformance_has(t, CONFORMANCE_HAS_FRAMES) || !make_frames(&frames, t, DEVICE))
        return;
    frames.read_only = true;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, use_frames);
    CHECK(t, vm_ram_register_at_custom_iterator(&guest.vm, DEVICE, FRAMES * PAGE, next_frame, &frames) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0 && guest_result(&guest, 1) == 0); /* writes are dropped */
    guest_destroy(&guest);
    free_frames(&frames);
}

typedef struct parts {
    conformance_t *t;
    unsigned int count;
    size_t bytes;
    int stop_at;
} parts_t;

static int count_parts(vm_t *vm, uintptr_t guest_addr, void *vmm_vaddr, size_t size, size_t offset, void *cookie) {
    parts_t *parts = cookie;
    (void)vm;
    (void)vmm_vaddr;
    CHECK(parts->t, offset == parts->bytes);
    CHECK(parts->t, guest_addr / PAGE == (guest_addr + size - 1) / PAGE);
    parts->bytes += size;
    parts->count++;
    return (int)parts->count == parts->stop_at ? 17 : 0;
}

void test_ram_is_touched_in_pages(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    parts_t parts = {t, 0, 0, 0};
    CHECK(t, vm_ram_touch(&guest.vm, RAM + 0xff0, 0x1020, count_parts, &parts) == 0);
    CHECK(t, parts.count == 3 && parts.bytes == 0x1020);
    parts_t stopped = {t, 0, 0, 2};
    CHECK(t, vm_ram_touch(&guest.vm, RAM, 0x4000, count_parts, &stopped) == 17);
    CHECK(t, stopped.count == 2);
    parts_t none = {t, 0, 0, 0};
    CHECK(t, vm_ram_touch(&guest.vm, RAM + RAM_SIZE - 8, 16, count_parts, &none) == -1);
    CHECK(t, vm_ram_touch(&guest.vm, RAM, 0, count_parts, &none) == 0);
    CHECK(t, none.count == 0);
    guest_destroy(&guest);
}

void test_ram_is_given_out_and_taken_back(conformance_t *t) {
    test_guest_t guest;
    uintptr_t addr = 0;
    size_t size = 0;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    CHECK(t, vm->mem.num_ram_regions == 1);
    CHECK(t, vm->mem.ram_regions[0].start == RAM && vm->mem.ram_regions[0].size == RAM_SIZE);
    CHECK(t, vm->mem.ram_regions[0].allocated == 0);
    /* Neighbours are one region. */
    CHECK(t, vm_ram_register_at(vm, RAM + RAM_SIZE, 0x4000, false) == 0);
    CHECK(t, vm->mem.num_ram_regions == 1 && vm->mem.ram_regions[0].size == RAM_SIZE + 0x4000);
    vm_ram_mark_allocated(vm, RAM + 0x4000, 0x2000);
    CHECK(t, vm->mem.num_ram_regions == 3 && vm->mem.ram_regions[1].allocated == 1);
    CHECK(t, vm_ram_find_largest_free_region(vm, &addr, &size) == 0);
    CHECK(t, addr == RAM + 0x6000 && size == RAM_SIZE + 0x4000 - 0x6000);
    CHECK(t, vm_ram_allocate(vm, 0x3001) == RAM); /* a whole number of pages */
    CHECK(t, vm_ram_allocate(vm, 0x1000) == RAM + 0x6000);
    CHECK(t, vm_ram_allocate(vm, (size_t)RAM_SIZE * 2) == 0);
    vm_ram_free(vm, RAM, 0x4000);
    vm_ram_free(vm, RAM + 0x4000, 0x3000);
    CHECK(t, vm->mem.num_ram_regions == 1 && vm->mem.ram_regions[0].allocated == 0);
    CHECK(t, vm_ram_allocate(vm, RAM_SIZE + 0x4000) == RAM);
    CHECK(t, vm_ram_find_largest_free_region(vm, &addr, &size) == -1);
    vm_ram_free(vm, RAM, RAM_SIZE + 0x4000);
    vm_ram_mark_allocated(vm, RAM + 0xfff, 2); /* two whole pages */
    CHECK(t, vm_ram_allocate(vm, 1) == RAM + 0x2000);
    guest_destroy(&guest);
}

void test_guest_addresses_have_physical_ones(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    const uintptr_t first = vm_arm_ipa_to_pa(&guest.vm, RAM, 8);
    CHECK(t, first != 0);
    CHECK(t, vm_arm_ipa_to_pa(&guest.vm, RAM + 0x123, 8) == first + 0x123);
    CHECK(t, vm_arm_ipa_to_pa(&guest.vm, RAM + RAM_SIZE - 4, 8) == 0);
    CHECK(t, vm_arm_ipa_to_pa(&guest.vm, DEVICE, 1) == 0);
    guest_destroy(&guest);
}
