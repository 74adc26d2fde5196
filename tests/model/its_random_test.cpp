// SPDX-License-Identifier: BSD-2-Clause
//
// Thousands of random commands, messages, acknowledgements and ends, on the ITS and on the plain reference beside it: at each step what a vCPU
// is given must have the priority that the reference says, and be pending there.
#include <gtest/gtest.h>
#include <support/its_reference.hpp>
#include <support/its_rig.hpp>

#include <random>

namespace sel4vm::test {
namespace {

struct Plan {
    u32 cpus;
    u8 lists;
    u32 seed;
};

class ItsRandom : public testing::TestWithParam<Plan> {
protected:
    u32 below(u32 limit) { return std::uniform_int_distribution<u32>(0, limit - 1)(random); }
    /// Mostly good ones, which meet each other.
    u32 device() { return below(16) == 0 ? 500 + below(30) : below(4); }
    u32 event() { return below(16) == 0 ? below(40) : below(8); }
    u32 collection() { return below(16) == 0 ? 510 + below(4) : below(4); }
    u32 intid() { return below(16) == 0 ? 8190 + below(4) + (below(2) != 0 ? 8192 : 0) : 8192 + below(24); }
    u64 redistributor() { return below(16) == 0 ? GetParam().cpus + below(3) : below(GetParam().cpus); }
    void step();
    void acknowledge(u16 cpu);
    std::mt19937 random{GetParam().seed};
    ItsRig its{GetParam().cpus, GetParam().lists};
    ItsReference reference{GetParam().cpus};
    std::string last;
};

void ItsRandom::acknowledge(u16 cpu) {
    const auto expected = reference.next(cpu);
    const u32 taken = its.take(cpu);
    if (!expected) {
        ASSERT_EQ(taken, 1023u) << last;
        return;
    }
    ASSERT_NE(taken, 1023u) << last << ": nothing came, expected priority " << u32{*expected};
    ASSERT_TRUE(reference.deliverable(cpu, taken)) << last << ": " << taken << " is not pending";
    ASSERT_EQ(reference.priority(taken), *expected) << last << ": " << taken;
    reference.acknowledged(cpu, taken);
}

void ItsRandom::step() {
    const u32 d = device();
    const u32 e = event();
    const u32 c = collection();
    const u16 by = static_cast<u16>(below(GetParam().cpus));
    const u32 what = below(24);
    last = "operation " + std::to_string(what) + " device " + std::to_string(d) + " event " + std::to_string(e);
    switch (what) {
    case 0: {
        const u32 bits = below(8) == 0 ? 17 + below(16) : 3 + below(3);
        its.issue(ItsRig::mapd(d, bits), by);
        reference.mapd(d, bits);
        break;
    }
    case 1:
        if (below(4) == 0) {
            its.issue(ItsRig::unmapd(d), by);
            reference.unmapd(d);
        }
        break;
    case 2:
    case 3: {
        const u64 to = redistributor();
        its.issue(ItsRig::mapc(c, to), by);
        reference.mapc(c, to);
        break;
    }
    case 4:
        if (below(4) == 0) {
            its.issue(ItsRig::unmapc(c), by);
            reference.unmapc(c);
        }
        break;
    case 5:
    case 6:
    case 7: {
        const u32 lpi = intid();
        its.issue(ItsRig::mapti(d, e, lpi, c), by);
        reference.mapti(d, e, lpi, c);
        break;
    }
    case 8:
        its.issue(ItsRig::command(ItsCommand::mapi, d, e, c), by); // no event of these is an LPI
        reference.mapti(d, e, e, c);
        break;
    case 9:
        its.issue(ItsRig::command(ItsCommand::movi, d, e, c), by);
        reference.movi(d, e, c);
        break;
    case 10: {
        const u64 from = redistributor();
        const u64 to = redistributor();
        its.issue(ItsRig::movall(from, to), by);
        reference.movall(from, to);
        break;
    }
    case 11:
        its.issue(ItsRig::command(ItsCommand::clear, d, e), by);
        reference.clear(d, e);
        break;
    case 12:
        its.issue(ItsRig::command(ItsCommand::discard, d, e), by);
        reference.discard(d, e);
        break;
    case 13:
    case 14: {
        const u32 lpi = 8192 + below(24);
        const u8 priority = static_cast<u8>(8 * below(31));
        const bool enabled = below(4) != 0;
        its.configure(lpi, priority, enabled);
        reference.table[lpi] = static_cast<u8>(priority | (enabled ? 1 : 0));
        break;
    }
    case 15:
        its.issue(ItsRig::command(ItsCommand::inv, d, e), by);
        reference.inv(d, e);
        break;
    case 16:
        its.issue(ItsRig::command(ItsCommand::invall, 0, 0, c), by);
        reference.invall(c);
        break;
    case 17:
        its.rig.machine->msi().target->send(d, e);
        its.settle();
        reference.interrupt(d, e);
        break;
    case 18:
    case 19:
    case 20:
        its.interrupt(e, d, by);
        reference.interrupt(d, e);
        break;
    case 21:
        if (!reference.running[by].empty())
            its.end(reference.end(by), by);
        break;
    default: acknowledge(by); break;
    }
}

TEST_P(ItsRandom, AgreesWithTheReferenceAtEveryStep) {
    its.open();
    for (int n = 0; n < 6000; ++n) {
        step();
        ASSERT_EQ(its.its(gits::kCreadr), its.next) << last << " at step " << n;
        if (HasFatalFailure())
            FAIL() << "at step " << n;
        its.expect_no_violation();
    }
    // What is left comes, and nothing else.
    for (u16 cpu = 0; cpu < GetParam().cpus; ++cpu) {
        while (!reference.running[cpu].empty())
            its.end(reference.end(cpu), cpu);
        while (reference.next(cpu)) {
            acknowledge(cpu);
            if (HasFatalFailure())
                FAIL() << "at the end";
            its.end(reference.end(cpu), cpu);
        }
        acknowledge(cpu);
    }
}

INSTANTIATE_TEST_SUITE_P(Setups, ItsRandom,
                         testing::Values(Plan{1, 4, 1}, Plan{1, 2, 2}, Plan{2, 4, 3}, Plan{3, 3, 4}, Plan{4, 16, 5}),
                         [](const auto &setup) {
                             return "cpus" + std::to_string(setup.param.cpus) + "lists" +
                                    std::to_string(setup.param.lists);
                         });

} // namespace
} // namespace sel4vm::test
