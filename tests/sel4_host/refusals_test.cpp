// SPDX-License-Identifier: BSD-2-Clause
//
// Nothing asserts and nothing leaks, whatever is refused; and what is done a thousand times leaves everything as it was.
#include <sel4_host/everything.hpp>

#include <array>

#include <gtest/gtest.h>

namespace sel4vm::sel4_double {
namespace {

/// All there is to count: what is not given back, threads, ASIDs, pieces of memory, heap blocks.
using Account = std::array<usize, 5>;

Account account_of(EverythingHost &everything) {
    const Environment &environment = everything.environment();
    const Kernel &kernel = environment.kernel;
    return {environment.live(), kernel.threads.size(), kernel.asids.size(),
            kernel.memory.pieces() - environment.space.tables(), kernel.heap_blocks};
}

void refuse_each(Refusals::Which which, usize at_least) {
    EverythingHost everything;
    Refusals &refusals = everything.kernel().refusals;
    everything.use_everything();
    const Account before = account_of(everything);
    const usize start = refusals.count(which);
    everything.use_everything();
    const usize requests = refusals.count(which) - start;
    EXPECT_GE(requests, at_least);
    for (usize n = 1; n <= requests; ++n) {
        refusals.refuse_at(which, n);
        everything.use_everything();
        refusals.refuse_at(which, 0);
        ASSERT_EQ(everything.kernel().violation, "") << "after request " << n << " was refused";
        ASSERT_EQ(account_of(everything), before) << "after request " << n << " was refused";
    }
}

TEST(Sel4Refusals, LackOfMemorySlotsOrIdentifiersLeavesNothingBehind) { refuse_each(Refusals::Which::resources, 200); }

TEST(Sel4Refusals, ACallThatIsRefusedLeavesNothingBehind) { refuse_each(Refusals::Which::calls, 100); }

TEST(Sel4Accounting, AThousandVmsLeaveVkaVspaceAndHeapAsTheyWere) {
    EverythingHost everything;
    everything.use_everything();
    const Account before = account_of(everything);
    // Those of the VMM's own address space are vspace's, which keeps them; they serve again.
    const usize tables = everything.environment().space.tables();
    for (int i = 0; i < 1000; ++i)
        everything.use_everything();
    EXPECT_EQ(everything.environment().space.tables(), tables);
    EXPECT_EQ(everything.kernel().violation, "");
    EXPECT_EQ(account_of(everything), before);
}

} // namespace
} // namespace sel4vm::sel4_double
