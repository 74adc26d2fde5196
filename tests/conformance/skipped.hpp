// SPDX-License-Identifier: BSD-2-Clause
//
// The tests of the suite that no native build can do. Any other one that is skipped has failed: whoever skips it has lost an ability.
#pragma once

#include <suite/conformance.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace sel4vm::conformance {

/// After conformance_run() without a failure.
inline void say_skipped(const conformance_t &t, const conformance_test_t &test) {
    constexpr std::array<std::string_view, 2> kKnown = {
        "test_a_vcpu_of_another_cluster_is_started_by_the_guest", // CONFIG_MAX_NUM_NODES of 18 and more
        "test_the_parts_of_a_pair_may_be_finished_later",         // a host that hands over the parts of a pair apart
    };
    if (t.skipped == nullptr)
        return;
    if (std::find(kKnown.begin(), kKnown.end(), test.name) == kKnown.end())
        ADD_FAILURE() << "skipped, although it can be done here; the host lacks: " << t.skipped;
    else
        GTEST_SKIP() << "the host lacks: " << t.skipped;
}

} // namespace sel4vm::conformance
