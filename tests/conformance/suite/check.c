/* SPDX-License-Identifier: BSD-2-Clause */
#include <suite/guest.h>

int conformance_check(conformance_t *t, int condition, const char *file, int line, const char *what) {
    if (!condition) {
        t->failures++;
        t->failed(t, file, line, what);
    }
    return condition;
}

static const char *name_of(unsigned int ability) {
    switch (ability) {
    case CONFORMANCE_HAS_FRAMES: return "frames of the client's";
    case CONFORMANCE_HAS_PAIRS: return "pairs of registers loaded from a reservation";
    case CONFORMANCE_HAS_SMP: return "several vCPUs";
    case CONFORMANCE_TRAPS_PMU: return "traps of the performance monitors";
    case CONFORMANCE_KEEPS_CALLS: return "firmware calls, which it keeps to itself";
    case CONFORMANCE_KEEPS_IRQS: return "interrupts, which it keeps to itself";
    case CONFORMANCE_DROPS_SIGNS: return "loads with sign extension";
    default: return "an ability without a name";
    }
}

int conformance_has(conformance_t *t, unsigned int ability) {
    if ((t->abilities & ability) != 0)
        return 1;
    t->skipped = name_of(ability);
    return 0;
}

int conformance_has_vcpus(conformance_t *t, unsigned int count) {
    if (CONFIG_MAX_NUM_NODES >= count)
        return 1;
    t->skipped = "a vm_t with so many vCPUs";
    return 0;
}

int conformance_keeps(conformance_t *t, unsigned int kept) {
    if ((t->abilities & kept) == 0)
        return 0;
    t->skipped = name_of(kept);
    return 1;
}

unsigned int conformance_run(conformance_t *t, const conformance_test_t *test) {
    const size_t before = t->live != NULL ? t->live(t) : 0;
    t->failures = 0;
    t->skipped = NULL;
    test->run(t);
    if (t->live != NULL)
        CHECK(t, t->live(t) == before);
    return t->failures;
}
