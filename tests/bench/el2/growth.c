/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reservations of the C interface cost when there are many: adding one, and an access to each of 248 in turn, so that none is where the last one
 * was. ./dev bench --growth runs it.
 */
#include "growth.h"

#include <stdint.h>
#include <stdio.h>

#include <sel4vm/boot.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/guest_vm.h>
#include <sel4vm/host.h>
#include <sel4vmmplatsupport/arch/guest_boot_init.h>
#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

extern const char growth_guest[], growth_guest_end[];

#define BATCH 100

static vm_host_t host;
static vm_t vm;
static vm_memory_reservation_t *reservations[MANY];
static int ended;

static uint64_t ticks(void) {
    uint64_t now;
    __asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(now)::"memory");
    return now;
}

static memory_fault_result_t on_access(vm_t *its_vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    (void)its_vm;
    (void)address;
    (void)bytes;
    (void)cookie;
    set_vcpu_fault_data(vcpu, 1);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

/* The guest has come to its end, and says how many ticks the rounds took. */
static memory_fault_result_t on_report(vm_t *its_vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    (void)its_vm;
    (void)address;
    (void)bytes;
    (void)cookie;
    printf("bench: reservation_access %u %d\n", (unsigned)emulate_vcpu_fault(vcpu, 0), FEW * ROUNDS);
    ended = 1;
    return FAULT_ERROR; /* ends vm_run() */
}

/* Adds up to `count`, and says what the last BATCH took. */
static int reserve_up_to(int from, int count) {
    uint64_t begin = 0;
    for (int i = from; i < count; i++) {
        if (i == count - BATCH)
            begin = ticks();
        reservations[i] = vm_reserve_memory_at(&vm, FIRST + (uintptr_t)i * STEP, SIZE, on_access, NULL);
        if (reservations[i] == NULL)
            return -1;
    }
    printf("bench: reserve_%d %u %d\n", count, (unsigned)(ticks() - begin), BATCH);
    return 0;
}

static int measure_reserving(void) {
    if (reserve_up_to(0, FEW) != 0 || reserve_up_to(FEW, 1000) != 0 || reserve_up_to(1000, MANY) != 0)
        return -1;
    for (int i = FEW; i < MANY; i++) {
        if (vm_free_reserved_memory(&vm, reservations[i]) != 0)
            return -1;
    }
    return 0;
}

int main(void) {
    if (vm_host_open(&host) != 0 ||
        vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "growth") != 0)
        return 2;
    vm_vcpu_t *vcpu = create_vmm_plat_vcpu(&vm, host.priority);
    if (vcpu == NULL || vm_assign_vcpu_target(vcpu, 0) != 0 || vm_ram_register_at(&vm, RAM, RAM_SIZE, 0) != 0 ||
        vm_reserve_memory_at(&vm, REPORT, SIZE, on_report, NULL) == NULL || measure_reserving() != 0)
        return 2;
    const size_t size = (size_t)(growth_guest_end - growth_guest);
    if (vm_ram_touch(&vm, RAM, size, vm_guest_ram_write_callback, (void *)(uintptr_t)growth_guest) != 0 ||
        vcpu_set_bootargs(vcpu, RAM, 0, 0) != 0 || vcpu_start(vcpu) != 0)
        return 2;
    while (vm_run(&vm) == 0)
        ;
    return ended ? 0 : 1;
}
