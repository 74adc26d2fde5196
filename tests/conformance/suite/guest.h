/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A VM for a test: RAM with a small program in it, one or more vCPUs, and checks.
 */
#pragma once

#include <stdint.h>

#include <suite/a64.h>
#include <suite/conformance.h>

#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/arch/vgic.h>
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_memory_helpers.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/guest_vm.h>
#include <sel4vm/guest_vm_exits.h>
#include <sel4vm/guest_vm_util.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CHECK(t, condition) conformance_check((t), (condition) ? 1 : 0, __FILE__, __LINE__, #condition)
/* Reports a condition that is 0, and gives it back. */
int conformance_check(conformance_t *t, int condition, const char *file, int line, const char *what);

/* Whether the host has an ability, and whether it keeps something to itself. Where that is against the test, it counts as skipped. */
int conformance_has(conformance_t *t, unsigned int ability);
/* Whether a vm_t may have so many vCPUs. */
int conformance_has_vcpus(conformance_t *t, unsigned int count);
int conformance_keeps(conformance_t *t, unsigned int kept);

/* The map of every test VM. */
#define RAM         0x40000000u
#define RAM_SIZE    0x200000u
#define CODE        RAM
#define VECTORS     (RAM + 0x1000u)
#define SECOND_CODE (RAM + 0x2000u) /* of a second vCPU */
#define RESULTS     (RAM + 0x3000u) /* eight bytes each */
#define DEVICE      0x10000000u     /* reserved by tests */

typedef struct test_guest {
    conformance_t *t;
    vm_t vm;
    vm_vcpu_t *vcpu;    /* the boot vCPU */
    unsigned int calls; /* of whatever callback a test counts */
    seL4_Word seen[8];  /* what callbacks saw */
} test_guest_t;

/* Makes the VM with RAM and one vCPU; 0 when something failed, which was reported. */
int guest_make(test_guest_t *guest, conformance_t *t, const vm_options_t *options);
/* Copies a program to a place in RAM. */
void guest_load(test_guest_t *guest, uintptr_t at, const uint32_t *code, size_t count);
#define GUEST_LOAD(guest, at, code) guest_load((guest), (at), (code), sizeof(code) / sizeof((code)[0]))
/* guest_make() without options, the program at CODE, and the vCPU started there. */
int guest_start(test_guest_t *guest, conformance_t *t, const uint32_t *code, size_t count);
#define GUEST_START(guest, t, code) guest_start((guest), (t), (code), sizeof(code) / sizeof((code)[0]))
/* Starts the boot vCPU at CODE. */
int guest_begin(test_guest_t *guest);
/* Runs to the guest's power-off; 0 and a report when it ended otherwise. */
int guest_finish(test_guest_t *guest);
/* Result `index` in the guest's RAM. */
uint64_t guest_result(test_guest_t *guest, unsigned int index);
/* The place of register x`rt` in seL4_UserContext. */
unsigned int guest_context_index(unsigned int rt);
void guest_destroy(test_guest_t *guest);

/* vm_init() for tests that need nothing else. */
int guest_init_vm(conformance_t *t, vm_t *vm, const vm_options_t *options);

#ifdef __cplusplus
}
#endif
