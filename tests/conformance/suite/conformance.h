/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The conformance suite of the C interface: what every host must do, as plain C functions without a test framework, so
 * that the same tests run in a process, on bare hardware and on seL4. A program opens the host, fills a conformance_t and
 * calls the functions of conformance_tests one after another; each test makes and destroys its own VMs.
 */
#pragma once

#include <stddef.h>

#include <sel4vm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct conformance conformance_t;

/* What a host can do beyond the minimum: tests that need more than that do nothing there. */
#define CONFORMANCE_HAS_FRAMES 1u /* vka_alloc_frame makes frames of 4 KiB */
#define CONFORMANCE_HAS_SMP    2u /* vm_assign_vcpu_target knows all CPUs below CONFIG_MAX_NUM_NODES */
#define CONFORMANCE_TRAPS_PMU  4u /* a guest's access to the performance monitors reaches the VMM */
#define CONFORMANCE_HAS_PAIRS  8u /* guests may load pairs of registers from a reservation */
/* What a host keeps to itself. */
#define CONFORMANCE_KEEPS_CALLS \
    16u /* firmware calls are the host's own, those by smc nobody's: the guests' own are by hvc */
#define CONFORMANCE_KEEPS_IRQS  32u /* so is the interrupt controller, which guests of the C interface cannot have */
#define CONFORMANCE_DROPS_SIGNS 64u /* what a load with sign extension gets from a device has none */

struct conformance {
    vm_host_t *host;
    unsigned int abilities;
    /* Told about each check that fails. */
    void (*failed)(conformance_t *t, const char *file, int line, const char *what);
    /* How much is allocated from the host; NULL where it cannot be told. */
    size_t (*live)(conformance_t *t);
    /* Of several CPUs, the one that the boot vCPU of every VM is bound to; 0: none is bound. */
    int cpu;
    /* How often VMs are made and destroyed to see whether something is left. */
    unsigned int repetitions;
    unsigned int failures;
    /* What the host has not, or keeps to itself, so that the test did not do all; NULL: nothing. */
    const char *skipped;
};

typedef struct conformance_test {
    const char *name; /* what must be true */
    void (*run)(conformance_t *t);
} conformance_test_t;

extern const conformance_test_t conformance_tests[];
extern const size_t conformance_test_count;

/* Runs one test; how many of its checks failed. */
unsigned int conformance_run(conformance_t *t, const conformance_test_t *test);

#ifdef __cplusplus
}
#endif
