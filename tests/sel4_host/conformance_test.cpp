// SPDX-License-Identifier: BSD-2-Clause
//
// The conformance suite on the seL4 host, over the double of seL4: nothing may be left, and no call may be one that can never be right.
#include <conformance/skipped.hpp>
#include <sel4_host/double/host.hpp>

#include <platform_support/platform_tests.h>
#include <sel4/sel4_tests.h>
#include <suite/conformance.h>

#include <gtest/gtest.h>

#include <span>

namespace sel4vm::sel4_double {
namespace {

class SuiteTest : public testing::Test {
public:
    SuiteTest(const conformance_test_t &test, int cpu) : test_(test), cpu_(cpu) {}
    void TestBody() override {
        vm_host_t host{};
#ifdef CONFIG_KERNEL_MCS
        shared().options.traps_wfi = false; // each variant has one of both
#endif
        ASSERT_EQ(vm_host_open(&host), 0);
        conformance_t t{};
        t.host = &host;
        t.abilities = CONFORMANCE_HAS_FRAMES | CONFORMANCE_HAS_SMP | CONFORMANCE_TRAPS_PMU;
        t.failed = [](conformance_t *, const char *file, int line, const char *what) {
            ADD_FAILURE_AT(file, line) << what;
        };
        t.live = [](conformance_t *c) { return environment_of(*c->host).live(); };
        t.repetitions = cpu_ == 0 ? 1000 : 10;
        t.cpu = cpu_;
        const bool passed = conformance_run(&t, &test_) == 0;
        EXPECT_EQ(kernel_of(host).violation, "");
        vm_host_close(&host);
        if (passed)
            conformance::say_skipped(t, test_);
    }

private:
    const conformance_test_t &test_;
    int cpu_;
};

bool register_all(std::span<const conformance_test_t> tests, const char *suite = "Conformance", int cpu = 0) {
    for (const conformance_test_t &test : tests)
        testing::RegisterTest(suite, test.name, nullptr, nullptr, __FILE__, __LINE__,
                              [&test, cpu]() -> SuiteTest * { return new SuiteTest(test, cpu); });
    return true;
}

const bool registered = register_all({conformance_tests, conformance_test_count}) &&
                        register_all({platform_support_tests, platform_support_test_count}) &&
                        register_all({sel4_vspace_tests, sel4_vspace_test_count}) &&
                        register_all({conformance_tests, conformance_test_count}, "ConformanceOnAnotherCpu", 1);

} // namespace
} // namespace sel4vm::sel4_double
