// SPDX-License-Identifier: BSD-2-Clause
//
// The conformance suite on the KVM host: the tests of the C++ interface, which this host has. Those of the C interface are listed as skipped.
#include <suite/list.h>
#include <suite/tests.h>

#include <cstdio>

namespace {

#define TEST(function) {#function, function},
constexpr conformance_test_t kTests[] = {CONFORMANCE_CXX_TESTS(TEST)};
#undef TEST
#define TEST(function) #function,
constexpr const char *kSkipped[] = {CONFORMANCE_C_TESTS(TEST)};
#undef TEST

void failed(conformance_t *, const char *file, int line, const char *what) {
    std::printf("%s:%d: %s\n", file, line, what);
}

} // namespace

int main() {
    vm_host_t host{}; // of the C interface; nobody looks at it
    conformance_t t{};
    t.host = &host;
    t.abilities = CONFORMANCE_CALLS_BY_HVC;
    t.failed = failed;
    t.repetitions = 1;
    size_t bad = 0;
    size_t count = 0;
    for (const conformance_test_t &test : kTests) {
        const unsigned failures = conformance_run(&t, &test);
        std::printf("%s %s\n", failures == 0 ? "ok     " : "FAILED ", test.name);
        std::fflush(stdout);
        bad += failures != 0;
        ++count;
    }
    size_t skipped = 0;
    for (const char *name : kSkipped) {
        std::printf("skipped %s\n", name);
        ++skipped;
    }
    std::printf("conformance: %zu tests, %zu failed, %zu skipped\n", count, bad, skipped);
    return bad == 0 ? 0 : 1;
}
