// SPDX-License-Identifier: BSD-2-Clause
//
// An ITS that is saved and restored into another machine, with the guest's memory.
#include <gtest/gtest.h>
#include <support/its_rig.hpp>

#include <memory>
#include <vector>

namespace sel4vm::test {
namespace {

constexpr u32 kNone = 1023;

dev::Its &its_of(ItsRig &rig) { return static_cast<dev::Its &>(*rig.rig.machine->msi().target); }

std::unique_ptr<dev::ItsSnapshot> saved(ItsRig &rig) {
    auto state = std::make_unique<dev::ItsSnapshot>();
    its_of(rig).save(*state);
    return state;
}

void copy_memory(ItsRig &from, ItsRig &to) {
    std::vector<u8> bytes(4 * kMiB);
    ASSERT_TRUE(from.memory().read(Gpa{ItsRig::kDevices}, bytes));
    ASSERT_TRUE(to.memory().write(Gpa{ItsRig::kDevices}, bytes));
}

/// What others restore.
void open_gic(ItsRig &rig) {
    rig.store(kGicdBase, 3);
    for (fake::ListRegisters &lists : rig.rig.lists)
        lists.set_control(fake::ListRegisters::kOpen);
}

TEST(ItsState, GoesIntoAnotherMachine) {
    ItsRig first(2);
    first.open();
    first.map_some();
    first.issue(ItsRig::mapc(1, 1));
    for (u32 event = 0; event < 6; ++event)
        first.interrupt(event); // some in list registers, some not
    first.issue(ItsRig::command(ItsCommand::movi, 1, 2, 1));
    first.configure(8192 + 5, 0x80, false);
    first.issue(ItsRig::command(ItsCommand::inv, 1, 5));
    const auto state = saved(first);

    ItsRig second(2);
    open_gic(second);
    copy_memory(first, second);
    its_of(second).restore(*state);
    second.next = first.next;
    EXPECT_EQ(*saved(second), *state);
    for (const u64 at :
         {u64{gits::kBaser}, u64{gits::kBaser} + 8, u64{gits::kCbaser}, u64{gits::kCwriter}, u64{gits::kCreadr}})
        EXPECT_EQ(second.its(at), first.its(at)) << at;
    for (const u32 intid : {8192u, 8193u, 8195u, 8196u})
        EXPECT_EQ(second.serve(0), intid);
    EXPECT_EQ(second.serve(0), kNone);
    EXPECT_EQ(second.serve(1), 8194u);
    second.configure(8192 + 5, 0x80, true);
    second.issue(ItsRig::command(ItsCommand::inv, 1, 5));
    EXPECT_EQ(second.serve(0), 8197u);
    second.interrupt(7);
    EXPECT_EQ(second.serve(0), 8199u);
    second.expect_no_violation();
}

TEST(ItsState, CommandsThatAreLeftAreCarriedOutThere) {
    ItsRig first;
    first.open();
    first.map_some();
    first.store(kItsBase + gits::kCtlr, 0);
    first.put(ItsRig::command(ItsCommand::int_, 1, 0));
    first.ring();
    auto state = saved(first);
    state->its.enabled = 1;
    ItsRig second;
    open_gic(second);
    copy_memory(first, second);
    its_of(second).restore(*state);
    EXPECT_EQ(second.serve(), 8192u);
}

TEST(ItsState, AnyValueIsAState) {
    ItsRig rig(2);
    open_gic(rig);
    auto state = std::make_unique<dev::ItsSnapshot>();
    // SAFETY: it has no padding, and every pattern of bits is a value.
    std::fill_n(reinterpret_cast<u8 *>(state.get()), sizeof *state, u8{0xff});
    its_of(rig).restore(*state);
    rig.settle();
    rig.ring(0, 1);
    EXPECT_EQ(rig.serve(), kNone);
    EXPECT_NE(rig.its(gits::kCreadr) & 1, 0u); // stalled: there is no queue at such a place
    rig.expect_no_violation();
}

} // namespace
} // namespace sel4vm::test
