// SPDX-License-Identifier: BSD-2-Clause
//
// Accesses to the pending and active registers: they count from what list registers hold now. The caller looks at its own; the holder
// of another's is woken, and does so itself.
#include <support/gic_rig.hpp>

#include <gtest/gtest.h>

namespace sel4vm::test {
namespace {

using dev::GicVersion;
using fake::ListRegisters;

struct RegisterAccess {
    u32 family;
    bool write;
};
constexpr RegisterAccess kAccesses[] = {{gicd::kIspendr, false},   {gicd::kIspendr, true},    {gicd::kIcpendr, false},
                                        {gicd::kIcpendr, true},    {gicd::kIsactiver, false}, {gicd::kIsactiver, true},
                                        {gicd::kIcactiver, false}, {gicd::kIcactiver, true}};

class GicObserve : public testing::TestWithParam<GicVersion> {
protected:
    static GicRig make(GicVersion version, const ListRegisters::Abilities &abilities = ListRegisters::full()) {
        GicRig rig({version, 3, 64, abilities});
        rig.open();
        rig.make_edge(40);
        rig.arm(40, 0x80, 1);
        rig.make_edge(20, 1);
        rig.arm(20, 0x80, 1);
        return rig;
    }
    /// One access by `cpu` to a word (word 0: of `owner`), after which nobody has done anything yet; who is woken by it.
    static u32 access(GicRig &rig, const RegisterAccess &how, u32 word, u32 cpu, u32 owner) {
        rig.automatic = false;
        static_cast<void>(rig.take_wakes());
        const bool redistributor = !rig.v2() && word == 0;
        const u64 offset = redistributor ? u64{gicr::kFrameBytes} + how.family : u64{how.family} + 4 * word;
        if (redistributor && how.write)
            rig.write_redistributor(owner, offset, 0, cpu);
        else if (redistributor)
            static_cast<void>(rig.read_redistributor(owner, offset, cpu));
        else if (how.write)
            rig.write(offset, 0, cpu);
        else
            static_cast<void>(rig.read(offset, cpu));
        rig.automatic = true;
        return rig.take_wakes();
    }
};
INSTANTIATE_TEST_SUITE_P(Versions, GicObserve, testing::Values(GicVersion::v2, GicVersion::v3),
                         [](const auto &which) { return which.param == GicVersion::v2 ? "v2" : "v3"; });

TEST_P(GicObserve, TheCallerLooksAtItsOwnListRegisters) {
    for (const RegisterAccess &how : kAccesses) {
        GicRig rig = make(GetParam());
        rig.pulse(40);
        const unsigned reads = rig.lists[1].reads();
        EXPECT_EQ(access(rig, how, 1, 1, 1), 0u) << how.family;
        EXPECT_GT(rig.lists[1].reads(), reads) << how.family << how.write;
        const unsigned private_reads = rig.lists[1].reads();
        EXPECT_EQ(access(rig, how, 0, 1, 1), 0u) << how.family;
        EXPECT_GT(rig.lists[1].reads(), private_reads) << how.family << how.write;
    }
}

TEST_P(GicObserve, TheHolderOfASharedInterruptIsWokenByAnother) {
    for (const RegisterAccess &how : kAccesses) {
        GicRig rig = make(GetParam());
        EXPECT_EQ(access(rig, how, 1, 0, 0), 0u) << "nobody holds any";
        rig.pulse(40);
        const unsigned reads = rig.lists[1].reads();
        EXPECT_EQ(access(rig, how, 1, 0, 0), u32{1} << 1) << how.family;
        EXPECT_EQ(rig.lists[1].reads(), reads) << "only the holder may look";
        EXPECT_EQ(access(rig, how, 1, 2, 2), u32{1} << 1) << how.family;
    }
}

TEST(GicObserveV3, TheOwnerOfARedistributorIsWokenByAnother) {
    GicRig rig({GicVersion::v3, 3, 64, ListRegisters::full()});
    rig.open();
    rig.make_edge(20, 1);
    rig.arm(20, 0x80, 1);
    for (const RegisterAccess &how : kAccesses) {
        const u64 offset = u64{gicr::kFrameBytes} + how.family;
        const auto woken = [&](u32 caller) {
            rig.automatic = false;
            static_cast<void>(rig.take_wakes());
            if (how.write)
                rig.write_redistributor(1, offset, 0, caller);
            else
                static_cast<void>(rig.read_redistributor(1, offset, caller));
            rig.automatic = true;
            return rig.take_wakes();
        };
        EXPECT_EQ(woken(0), 0u) << "it holds nothing";
        rig.pulse(20, 1);
        const unsigned reads = rig.lists[1].reads();
        EXPECT_EQ(woken(0), u32{1} << 1) << how.family << how.write;
        EXPECT_EQ(woken(2), u32{1} << 1) << how.family << how.write;
        EXPECT_EQ(rig.lists[1].reads(), reads) << "only the owner may look";
        EXPECT_EQ(woken(1), 0u) << how.family << how.write;
        EXPECT_EQ(rig.serve(1), 20u);
        rig.sync(1);
    }
}

TEST_P(GicObserve, NobodyIsWokenWhoCouldNotSayAnyMore) {
    for (const RegisterAccess &how : kAccesses) {
        GicRig rig = make(GetParam(), ListRegisters::injection_only());
        rig.pulse(40);
        rig.pulse(20, 1);
        EXPECT_EQ(access(rig, how, 1, 0, 0), 0u) << how.family;
        EXPECT_EQ(access(rig, how, 0, 0, 1), 0u) << how.family;
    }
}

TEST_P(GicObserve, AnInterruptThatHasEndedUnseenCanBeMadeActive) {
    GicRig rig = make(GetParam());
    rig.pulse(40);
    ASSERT_EQ(rig.take(1), 40u);
    rig.automatic = false;
    rig.end(40, 1);
    rig.write_bit(gicd::kIsactiver, 40, 1);
    EXPECT_TRUE(rig.bit_of(gicd::kIsactiver, 40, 1));
}

TEST(GicObserveV2, TheSendersOfOnesOwnSgisWakeNobody) {
    GicRig rig({GicVersion::v2, 3, 64, ListRegisters::full()});
    rig.open();
    rig.make_edge(70);
    rig.arm(70, 0x80, 1); // of word 2
    rig.pulse(70);
    rig.automatic = false;
    for (const u64 offset : {u64{gicd::kSpendsgir}, u64{gicd::kCpendsgir}}) {
        static_cast<void>(rig.read(offset, 2));
        EXPECT_EQ(rig.take_wakes(), 0u);
    }
    rig.write(gicd::kCpendsgir, 0, 2);
    EXPECT_EQ(rig.take_wakes(), 0u);
}

} // namespace
} // namespace sel4vm::test
