/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite of the C interface as the root task of an seL4 system: one line for each test, with its duration, and one for the
 * run. What a test makes the library say is shown only when it fails.
 */
#include <platform_support/platform_tests.h>
#include <suite/conformance.h>

#include <stdio.h>
#include <string.h>

#include <arch_stdio.h>
#include <hosts/sel4/counter.h>
#include <sel4/sel4.h>

#include <sel4/sel4_tests.h>

/* MCS kernels of several nodes stop by themselves when two CPUs have VMs (threads_tests.c). */
#define TWO_CPUS (CONFIG_MAX_NUM_NODES > 1 && !defined CONFIG_KERNEL_MCS)

/* The last of what was printed; tests make mistakes by the thousand, and each is a message. */
static struct {
    char bytes[8192];
    size_t used;
} said;
static write_buf_fn console;

static size_t keep(void *data, size_t count) {
    const size_t kept = count < sizeof said.bytes ? count : sizeof said.bytes;
    if (said.used + kept > sizeof said.bytes) {
        const size_t dropped = said.used + kept - sizeof said.bytes;
        memmove(said.bytes, said.bytes + dropped, said.used - dropped);
        said.used -= dropped;
    }
    memcpy(said.bytes + said.used, (const char *)data + (count - kept), kept);
    said.used += kept;
    return count;
}

static void begin_silence(void) {
    fflush(stdout);
    said.used = 0;
    console = sel4muslcsys_register_stdio_write_fn(keep);
}

static void end_silence(int tell) {
    fflush(stdout);
    sel4muslcsys_register_stdio_write_fn(console);
    if (tell)
        console(said.bytes, said.used);
}

static void failed(conformance_t *t, const char *file, int line, const char *what) {
    (void)t;
    printf("%s:%d: %s\n", file, line, what);
}

static unsigned long milliseconds_since(uint64_t start) {
    const uint64_t frequency = sel4vm_counter_frequency();
    return frequency == 0 ? 0 : (unsigned long)((sel4vm_counter() - start) * 1000 / frequency);
}

static size_t run_all(conformance_t *t, const conformance_test_t *tests, size_t count) {
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t start = sel4vm_counter();
        begin_silence();
        const unsigned int failures = conformance_run(t, &tests[i]);
        end_silence(failures != 0);
        printf("%s %7lu ms  %s\n",
               failures != 0 ? "FAILED "
               : t->skipped  ? "skipped"
                             : "ok     ",
               milliseconds_since(start), tests[i].name);
        bad += failures != 0;
    }
    return bad;
}

/* What this kernel offers. A guest's accesses to the performance monitors do not reach the VMM. */
static unsigned int abilities_of_the_kernel(void) {
    return CONFORMANCE_HAS_FRAMES | (CONFIG_MAX_NUM_NODES > 1 ? CONFORMANCE_HAS_SMP : 0u);
}

int main(void) {
    static vm_host_t host;
    conformance_t t = {.host = &host, .abilities = abilities_of_the_kernel(), .failed = failed, .repetitions = 20};
    const struct {
        const conformance_test_t *tests;
        size_t count;
    } suites[] = {
        {conformance_tests, conformance_test_count},   {platform_support_tests, platform_support_test_count},
        {sel4_vspace_tests, sel4_vspace_test_count},   {sel4_waiting_tests, sel4_waiting_test_count},
        {sel4_smc_tests, sel4_smc_test_count},         {sel4_budget_tests, sel4_budget_test_count},
        {sel4_threads_tests, sel4_threads_test_count}, {sel4_accounting_tests, sel4_accounting_test_count},
    };
    size_t count = 0;
    size_t bad = 0;
    if (vm_host_open(&host) != 0)
        return 2;
    const uint64_t start = sel4vm_counter();
#if TWO_CPUS
    /* First with the boot vCPUs on another CPU than this thread. */
    printf("on CPU %d\n", CONFIG_MAX_NUM_NODES - 1);
    t.cpu = CONFIG_MAX_NUM_NODES - 1;
    count += conformance_test_count;
    bad += run_all(&t, conformance_tests, conformance_test_count);
    t.cpu = 0;
    printf("on this CPU\n");
#endif
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        count += suites[i].count;
        bad += run_all(&t, suites[i].tests, suites[i].count);
    }
    printf("conformance: %zu tests, %zu failed, %lu ms\n", count, bad, milliseconds_since(start));
    vm_host_close(&host);
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
