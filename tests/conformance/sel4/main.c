/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite of the C interface as the root task of an seL4 system: one line for each test, and one for the run.
 */
#include <platform_support/platform_tests.h>
#include <suite/conformance.h>

#include <stdio.h>

#include <sel4/sel4.h>

#include <sel4/sel4_tests.h>

static void failed(conformance_t *t, const char *file, int line, const char *what) {
    (void)t;
    printf("%s:%d: %s\n", file, line, what);
}

static size_t run_all(conformance_t *t, const conformance_test_t *tests, size_t count) {
    size_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned int failures = conformance_run(t, &tests[i]);
        printf("%s %s\n", failures == 0 ? "ok    " : "FAILED", tests[i].name);
        bad += failures != 0;
    }
    return bad;
}

int main(void) {
    static vm_host_t host;
    conformance_t t = {.host = &host, .abilities = CONFORMANCE_HAS_FRAMES, .failed = failed, .repetitions = 20};
    const struct {
        const conformance_test_t *tests;
        size_t count;
    } suites[] = {
        {conformance_tests, conformance_test_count},
        {platform_support_tests, platform_support_test_count},
        {sel4_vspace_tests, sel4_vspace_test_count},
        {sel4_waiting_tests, sel4_waiting_test_count},
        {sel4_smc_tests, sel4_smc_test_count},
        {sel4_threads_tests, sel4_threads_test_count},
        {sel4_accounting_tests, sel4_accounting_test_count},
    };
    size_t count = 0;
    size_t bad = 0;
    if (vm_host_open(&host) != 0)
        return 2;
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        count += suites[i].count;
        bad += run_all(&t, suites[i].tests, suites[i].count);
    }
    printf("conformance: %zu tests, %zu failed\n", count, bad);
    vm_host_close(&host);
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
