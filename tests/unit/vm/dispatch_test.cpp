// SPDX-License-Identifier: BSD-2-Clause
//
// Exit dispatch: who answers what, and what the policy does when nobody does.
#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

namespace sel4vm::test {
namespace {

/// Remembers the last access; offset 0x80 and above refuse.
struct Scratch final : MmioDevice {
    const char *name() const override { return "scratch"; }
    Result<u64, BusFault> read(const Access &access) override {
        last = access;
        if (access.offset >= 0x80)
            return Err{BusFault::width};
        return value;
    }
    Status<BusFault> write(const Access &access, u64 data) override {
        last = access;
        if (access.offset >= 0x80)
            return Err{BusFault::width};
        value = data;
        return Ok{};
    }
    void reset() override { ++resets; }
    Access last{};
    u64 value = 0;
    int resets = 0;
};

struct DispatchTest : testing::Test, VmFixture {
    DispatchTest() {
        EXPECT_TRUE(vm.attach(range(0x900'0000, 0x1000), device));
        EXPECT_TRUE(vm.start());
    }
    Scratch device;
};

TEST_F(DispatchTest, ReadReachesTheDeviceWithItsOffsetAndReturnsItsValueCutToTheWidth) {
    device.value = 0x1122'3344'5566'7788;
    EXPECT_EQ(handle(read_exit(0x900'0010, Width::b2)), Answer::complete(0x7788));
    EXPECT_EQ(device.last.offset, 0x10u);
    EXPECT_EQ(device.last.width, Width::b2);
    EXPECT_EQ(handle(read_exit(0x900'0010, Width::b8)), Answer::complete(0x1122'3344'5566'7788));
}

TEST_F(DispatchTest, WriteReachesTheDevice) {
    EXPECT_EQ(handle(write_exit(0x900'0004, 7)), Answer::complete());
    EXPECT_EQ(device.value, 7u);
    EXPECT_EQ(device.last.offset, 4u);
}

TEST_F(DispatchTest, AccessThatLeavesTheDevicesRangeIsAnExternalAbortAndNeverReachesIt) {
    device.last.offset = 99;
    EXPECT_EQ(handle(read_exit(0x900'0ffe, Width::b4)), Answer::inject(GuestFault::external_abort));
    EXPECT_EQ(device.last.offset, 99u);
}

TEST_F(DispatchTest, RefusedAccessIsAnExternalAbort) {
    EXPECT_EQ(handle(read_exit(0x900'0080)), Answer::inject(GuestFault::external_abort));
    EXPECT_EQ(handle(write_exit(0x900'0080, 1)), Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, UnmappedAccessIsAnExternalAbort) {
    EXPECT_EQ(handle(read_exit(0x100)), Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, FetchFromADeviceIsAnExternalAbort) {
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::fetch, Width::b4, true}}),
              Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, AccessThatTheHostCannotDecodeIsAnExternalAbort) {
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::read, Width::b4, false}}),
              Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, PartOfACompoundAccessInRamIsPerformedInPlace) {
    EXPECT_EQ(handle(write_exit(kRam + 8, 0xabcd, Width::b2)), Answer::complete());
    EXPECT_EQ(*vm.memory().load<u16>(Gpa{kRam + 8}), 0xabcd);
    EXPECT_EQ(handle(read_exit(kRam + 8, Width::b2)), Answer::complete(0xabcd));
}

TEST_F(DispatchTest, UnknownHypercallReturnsNotSupported) {
    ports[0].set_general_register(0, 0xc500'0000);
    EXPECT_EQ(handle(hypercall_exit(0xc500'0000)), Answer::complete());
    EXPECT_EQ(ports[0].general_register(0), ~u64{0});
}

TEST_F(DispatchTest, UnknownSystemRegisterIsUndefined) {
    EXPECT_EQ(handle(Exit{SystemRegisterExit{0x1234, false, 0}}), Answer::inject(GuestFault::undefined));
    EXPECT_EQ(handle(Exit{SystemRegisterExit{0x1234, true, 5}}), Answer::inject(GuestFault::undefined));
}

TEST_F(DispatchTest, WaitForInterruptBlocksAndWaitForEventDoesNot) {
    EXPECT_EQ(handle(wait_exit()), Answer::complete().then(Next::block));
    EXPECT_EQ(handle(Exit{WaitExit{true, 0}}), Answer::complete());
}

TEST_F(DispatchTest, PolicyCanIgnoreAccessesExceptThoseItCannotSkip) {
    vm.policy().set(Mistake::unmapped_access, Response::ignore);
    EXPECT_EQ(handle(read_exit(0x100)), Answer::complete(0));
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x100}, 0, MemoryAccess::read, Width::b4, false}}),
              Answer::inject(GuestFault::external_abort));
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x100}, 0, MemoryAccess::fetch, Width::b4, true}}),
              Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, PolicyCanStopTheVmAndSaysWhy) {
    vm.policy().set(Mistake::unmapped_access, Response::stop_vm);
    EXPECT_EQ(handle(read_exit(0x100)).next(), Next::stop);
    EXPECT_EQ(vm.state(), VmState::stopping);
    EXPECT_EQ(vm.stop_reason(), StopReason::guest_error);
    EXPECT_NE(vm.stop_detail().find("unmapped"), std::string_view::npos);
}

TEST_F(DispatchTest, ClientDecidesBeforeThePolicy) {
    struct Decider final : MistakeHandler {
        Answer decide(Vcpu &, Mistake mistake, const Exit &) override {
            seen = mistake;
            return answer;
        }
        Mistake seen = Mistake::count_;
        Answer answer = Answer::complete(0x77);
    } decider;
    vm.set_mistake_handler(&decider);
    EXPECT_EQ(handle(read_exit(0x100)), Answer::complete(0x77));
    EXPECT_EQ(decider.seen, Mistake::unmapped_access);
    decider.answer = Answer::none();
    EXPECT_EQ(handle(read_exit(0x100)), Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, ReservationAnswersOrPasses) {
    struct Handler final : ReservationHandler {
        Answer fault(Vcpu &, const MemoryExit &exit) override {
            return exit.access == MemoryAccess::read ? Answer::complete(5) : Answer::none();
        }
    } handler;
    EXPECT_TRUE(vm.reserve(range(0xa00'0000, 0x1000), handler));
    EXPECT_EQ(handle(read_exit(0xa00'0000)), Answer::complete(5));
    EXPECT_EQ(handle(write_exit(0xa00'0000, 1)), Answer::inject(GuestFault::external_abort));
}

TEST_F(DispatchTest, AGuestCannotFloodTheLog) {
    for (int i = 0; i < 1000; ++i)
        static_cast<void>(handle(read_exit(0x100)));
    EXPECT_EQ(log.lines.size(), 16u);
    EXPECT_NE(log.lines.back().text.find("not shown"), std::string::npos);
}

TEST_F(DispatchTest, RangesOfDevicesReservationsAndMemoryAreDisjoint) {
    Scratch other;
    EXPECT_EQ(vm.attach(range(0x900'0fff, 1), other).error(), AttachError::overlap);
    EXPECT_EQ(vm.attach(range(kRam, 0x1000), other).error(), AttachError::overlap);
    EXPECT_EQ(vm.add_memory(range(0x900'0000, 0x1000), RegionKind::ram).error(), RegionError::overlap);
    EXPECT_TRUE(vm.attach(range(0x900'1000, 0x10), other));
}

} // namespace
} // namespace sel4vm::test
