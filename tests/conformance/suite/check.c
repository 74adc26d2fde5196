/* SPDX-License-Identifier: BSD-2-Clause */
#include <suite/guest.h>

int conformance_check(conformance_t *t, int condition, const char *file, int line, const char *what) {
    if (!condition) {
        t->failures++;
        t->failed(t, file, line, what);
    }
    return condition;
}

int conformance_has(conformance_t *t, unsigned int ability) {
    if ((t->abilities & ability) != 0)
        return 1;
    t->skipped = 1;
    return 0;
}

int conformance_has_vcpus(conformance_t *t, unsigned int count) {
    if (CONFIG_MAX_NUM_NODES >= count)
        return 1;
    t->skipped = 1;
    return 0;
}

int conformance_keeps(conformance_t *t, unsigned int kept) {
    if ((t->abilities & kept) == 0)
        return 0;
    t->skipped = 1;
    return 1;
}

unsigned int conformance_run(conformance_t *t, const conformance_test_t *test) {
    const size_t before = t->live != NULL ? t->live(t) : 0;
    t->failures = 0;
    t->skipped = 0;
    test->run(t);
    if (t->live != NULL)
        CHECK(t, t->live(t) == before);
    return t->failures;
}
