/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite of the C interface as a program of the el2 host: one line for each test, and a status for the run.
 */
#include <platform_support/platform_tests.h>
#include <suite/conformance.h>

#include <stdio.h>

/* src/bindings/el2: what programs have taken from the host and not given back. */
size_t sel4vm_el2_live_bytes(void);

static size_t live(conformance_t *t) {
    (void)t;
    return sel4vm_el2_live_bytes();
}

static void failed(conformance_t *t, const char *file, int line, const char *what) {
    (void)t;
    printf("%s:%d: %s\n", file, line, what);
}

int main(void) {
    vm_host_t host;
    conformance_t t = {.host = &host,
                       .abilities =
                           CONFORMANCE_HAS_FRAMES | CONFORMANCE_HAS_SMP | CONFORMANCE_TRAPS_PMU | CONFORMANCE_HAS_PAIRS,
                       .failed = failed,
                       .live = live,
                       .repetitions = 1000};
    const size_t count = conformance_test_count + platform_support_test_count;
    size_t bad = 0;
    size_t skipped = 0;
    if (vm_host_open(&host) != 0)
        return 2;
    for (size_t i = 0; i < count; i++) {
        const conformance_test_t *test =
            i < conformance_test_count ? &conformance_tests[i] : &platform_support_tests[i - conformance_test_count];
        const unsigned int failures = conformance_run(&t, test);
        printf("%s %s\n", failures != 0 ? "FAILED " : t.skipped ? "skipped" : "ok     ", test->name);
        bad += failures != 0;
        skipped += failures == 0 && t.skipped;
    }
    printf("conformance: %zu tests, %zu failed, %zu skipped\n", count, bad, skipped);
    vm_host_close(&host);
    return bad == 0 ? 0 : 1;
}
