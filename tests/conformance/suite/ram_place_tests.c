/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RAM whose place the library chooses.
 */
#include <suite/tests.h>

#define LARGE 0x200000u /* a block of the second level of page tables */

void test_large_ram_is_where_large_frames_fit(conformance_t *t) {
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    /* 2 MiB and a page: one place that is aligned, exactly large enough. */
    CHECK(t, vm_memory_make_anon(vm, 0x20001000u, 0x400000u) == 0);
    CHECK(t, vm_ram_register(vm, LARGE + 0x1000) == 0x20200000u);
    CHECK(t, vm_ram_register(vm, 0x1000) == 0x20001000u);
    /* Just large enough to want it. */
    CHECK(t, vm_memory_make_anon(vm, 0x30001000u, 0x3ff000u) == 0);
    CHECK(t, vm_ram_register(vm, LARGE) == 0x30200000u);
    /* There is no such place: then any. */
    CHECK(t, vm_memory_make_anon(vm, 0x34001000u, LARGE) == 0);
    CHECK(t, vm_ram_register(vm, LARGE) == 0x34001000u);
    CHECK(t, vm_ram_register(vm, LARGE) == 0);
    guest_destroy(&guest);
}
