// SPDX-License-Identifier: BSD-2-Clause
//
// The conformance suite on the KVM host. What needs something that the kernel keeps to itself is skipped, and says so.
#include <suite/conformance.h>

#include <bindings/kvm/environment.hpp>

#include <cstdio>
#include <cstring>

namespace {

void failed(conformance_t *, const char *file, int line, const char *what) {
    std::printf("%s:%d: %s\n", file, line, what);
}

size_t live(conformance_t *t) { return sel4vm::kvm::Environment::of(*t->host).live(); }

} // namespace

/// With an argument: only tests whose names have it.
int main(int argc, char **argv) {
    vm_host_t host;
    conformance_t t{};
    t.host = &host;
    t.abilities = CONFORMANCE_HAS_FRAMES | CONFORMANCE_KEEPS_CALLS | CONFORMANCE_KEEPS_IRQS | CONFORMANCE_DROPS_SIGNS;
    t.failed = failed;
    t.live = live;
    t.repetitions = 20;
    if (vm_host_open(&host) != 0)
        return 2;
    size_t count = 0;
    size_t bad = 0;
    size_t skipped = 0;
    for (size_t i = 0; i < conformance_test_count; ++i) {
        const conformance_test_t &test = conformance_tests[i];
        if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr)
            continue;
        const unsigned failures = conformance_run(&t, &test);
        const char *const result = failures != 0 ? "FAILED " : t.skipped != nullptr ? "skipped" : "ok     ";
        std::printf("%s %s\n", result, test.name);
        std::fflush(stdout);
        ++count;
        bad += failures != 0;
        skipped += failures == 0 && t.skipped != nullptr;
    }
    std::printf("conformance: %zu tests, %zu failed, %zu skipped\n", count, bad, skipped);
    vm_host_close(&host);
    return bad == 0 ? 0 : 1;
}
