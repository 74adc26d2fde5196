// SPDX-License-Identifier: BSD-2-Clause
//
// Exit dispatch: who answers what, and what the policy does when nobody does.
#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

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
    EXPECT_EQ(handle(read_exit(0x900'0ffe, Width::b4)), Answer::inject(GuestFault::access));
    EXPECT_EQ(device.last.offset, 99u);
}

TEST_F(DispatchTest, RefusedAccessIsAnExternalAbort) {
    EXPECT_EQ(handle(read_exit(0x900'0080)), Answer::inject(GuestFault::access));
    EXPECT_EQ(handle(write_exit(0x900'0080, 1)), Answer::inject(GuestFault::access));
}

TEST_F(DispatchTest, UnmappedAccessIsAnExternalAbort) {
    EXPECT_EQ(handle(read_exit(0x100)), Answer::inject(GuestFault::access));
}

TEST_F(DispatchTest, FetchFromADeviceIsAnExternalAbort) {
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::fetch, Width::b4, true}}),
              Answer::inject(GuestFault::access));
}

TEST_F(DispatchTest, AccessThatTheHostCannotDecodeIsAnExternalAbort) {
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::read, Width::b4, false}}),
              Answer::inject(GuestFault::access));
}

Exit walk_exit(u64 gpa, MemoryAccess access = MemoryAccess::read) {
    return Exit{MemoryExit{Gpa{gpa}, 0, access, Width::b8, false, true}};
}

TEST_F(DispatchTest, AWalkThroughTablesThatAreNoMemoryIsAnExternalAbort) {
    EXPECT_EQ(handle(walk_exit(0x100)), Answer::inject(GuestFault::access));
    EXPECT_EQ(handle(walk_exit(0x900'0008)), Answer::inject(GuestFault::access)) << "a device";
    EXPECT_EQ(handle(walk_exit(0x900'0008, MemoryAccess::write)), Answer::inject(GuestFault::access));
    EXPECT_EQ(device.last.offset, 0u) << "it is not asked";
}

// The access flag in tables that are ROM: the policy would drop a store, but nothing tells the walker so.
TEST_F(DispatchTest, AWalkersUpdateOfReadOnlyTablesIsAnExternalAbort) {
    ASSERT_TRUE(vm.add_memory(range(0x1000'0000, 0x1000), RegionKind::rom));
    EXPECT_EQ(handle(walk_exit(0x1000'0000, MemoryAccess::write)), Answer::inject(GuestFault::access));
    EXPECT_EQ(handle(write_exit(0x1000'0000, 1)), Answer::complete());
}

TEST_F(DispatchTest, AWalkThroughMemoryThatWasNotMappedYetIsTriedAgain) {
    ASSERT_TRUE(vm.add_memory(range(0x8000'0000, 4 * kMiB), RegionKind::demand_ram));
    for (int tries = 0; space.page(Gpa{0x8000'0000}) == nullptr && tries < 100; ++tries) // it is cleared in parts
        EXPECT_EQ(handle(walk_exit(0x8000'0000)), Answer::retry());
    EXPECT_NE(space.page(Gpa{0x8000'0000}), nullptr);
}

// Whatever keeps the host from letting a guest at its memory, the guest does not hang.
TEST_F(DispatchTest, MemoryThatTheHostKeepsRefusingIsAnAbortInTheEnd) {
    const Exit exits[] = {walk_exit(kRam), walk_exit(kRam, MemoryAccess::write),
                          Exit{MemoryExit{Gpa{kRam}, 0, MemoryAccess::fetch, Width::b4, true}},
                          Exit{MemoryExit{Gpa{kRam}, 0, MemoryAccess::read, Width::b1, false}}};
    for (const Exit &exit : exits) {
        u32 tries = 0;
        while (tries < 1000 && handle(exit) == Answer::retry())
            ++tries;
        EXPECT_EQ(tries, RepeatGuard::kLimit);
        ports[0].set_program_counter(ports[0].program_counter() + 4);
    }
    EXPECT_EQ(log.lines.size(), std::size(exits));
}

TEST_F(DispatchTest, AccessesThatSucceedAtTheSecondTryNeverAddUp) {
    for (u32 i = 0; i < 10 * RepeatGuard::kLimit; ++i) {
        ports[0].set_program_counter(kRam + i % 2 * 4);
        EXPECT_EQ(handle(walk_exit(kRam)), Answer::retry());
    }
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
    EXPECT_EQ(handle(Exit{SystemRegisterExit{0x1234, false, 0}}), Answer::inject(GuestFault::instruction));
    EXPECT_EQ(handle(Exit{SystemRegisterExit{0x1234, true, 5}}), Answer::inject(GuestFault::instruction));
}

TEST_F(DispatchTest, WaitForInterruptBlocksAndWaitForEventDoesNot) {
    EXPECT_EQ(handle(wait_exit()), Answer::complete().then(Next::block));
    EXPECT_EQ(handle(Exit{WaitExit{true}}), Answer::complete());
}

TEST_F(DispatchTest, PolicyCanIgnoreAccessesExceptThoseItCannotSkip) {
    vm.policy().set(Mistake::unmapped_access, Response::ignore);
    EXPECT_EQ(handle(read_exit(0x100)), Answer::complete(0));
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x100}, 0, MemoryAccess::read, Width::b4, false}}),
              Answer::inject(GuestFault::access));
    EXPECT_EQ(handle(Exit{MemoryExit{Gpa{0x100}, 0, MemoryAccess::fetch, Width::b4, true}}),
              Answer::inject(GuestFault::access));
}

TEST_F(DispatchTest, PolicyCanAnswerNotSupportedToCallsOnly) {
    for (const Mistake mistake :
         {Mistake::unmapped_access, Mistake::unknown_system_register, Mistake::unknown_hypercall})
        vm.policy().set(mistake, Response::not_supported);
    ports[0].set_general_register(0, 0x77);
    EXPECT_EQ(handle(read_exit(0x100)), Answer::inject(GuestFault::instruction));
    EXPECT_EQ(handle(Exit{SystemRegisterExit{0x1234, false, 0}}), Answer::inject(GuestFault::instruction));
    EXPECT_EQ(ports[0].general_register(0), 0x77u);
    EXPECT_EQ(handle(Exit{aarch64::hypercall(0xc300'1234, 0, aarch64::Conduit::hvc)}), Answer::complete());
    EXPECT_EQ(ports[0].general_register(0), ~u64{0});
}

TEST_F(DispatchTest, PolicyCanStopTheVmAndSaysWhy) {
    vm.policy().set(Mistake::unmapped_access, Response::stop_vm);
    EXPECT_EQ(handle(read_exit(0x100)).next(), Next::stop);
    EXPECT_EQ(vm.state(), VmState::stopping);
    EXPECT_EQ(vm.stop_reason(), StopReason::guest_error);
    EXPECT_EQ(vm.stop_detail(), "vCPU 0: read of 4 bytes at 0x100, where nothing answers, pc 0x40000000");
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
    EXPECT_EQ(handle(read_exit(0x100)), Answer::inject(GuestFault::access));
}

TEST_F(DispatchTest, ReservationAnswersOrPasses) {
    struct Handler final : ReservationHandler {
        Answer fault(Vcpu &, const MemoryExit &exit) override {
            return exit.access == MemoryAccess::read ? Answer::complete(5) : Answer::none();
        }
    } handler;
    EXPECT_TRUE(vm.reserve(range(0xa00'0000, 0x1000), handler));
    EXPECT_EQ(handle(read_exit(0xa00'0000)), Answer::complete(5));
    EXPECT_EQ(handle(write_exit(0xa00'0000, 1)), Answer::inject(GuestFault::access));
}

struct Message {
    Exit exit;
    const char *text;
};

TEST_F(DispatchTest, MessagesNameWhatWasTriedWhereAndWhatIsThere) {
    ASSERT_TRUE(vm.add_memory(range(0x1000'0000, 0x1000), RegionKind::rom));
    const Message messages[] = {
        {write_exit(0x100, 1, Width::b1), "write of 1 byte at 0x100, where nothing answers"},
        {Exit{MemoryExit{Gpa{0x200}, 0, MemoryAccess::fetch, Width::b4, true}},
         "instruction fetch at 0x200, where nothing answers"},
        {Exit{MemoryExit{Gpa{0x300}, 0, MemoryAccess::read, Width::b1, false}},
         "access at 0x300 by an instruction that cannot be emulated, where nothing answers"},
        {walk_exit(0x400), "translation table walk that reads the entry at 0x400, where nothing answers"},
        {walk_exit(0x900'0008),
         "translation table walk that reads the entry at 0x9000008, which is a device (scratch)"},
        {walk_exit(0x1000'0010, MemoryAccess::write),
         "translation table walk that updates the entry at 0x10000010, which is read-only memory"},
        {write_exit(0x1000'0010, 1, Width::b8), "write of 8 bytes at 0x10000010, which is read-only memory"},
        {read_exit(0x900'0080), "read of 4 bytes at 0x9000080, which the device refuses (scratch)"},
        {read_exit(0x900'0ffe), "read of 4 bytes at 0x9000ffe, part of it behind the end of a device (scratch)"},
        {Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::fetch, Width::b4, true}},
         "instruction fetch at 0x9000000, which is a device (scratch)"},
        {Exit{MemoryExit{Gpa{0x900'0000}, 0, MemoryAccess::read, Width::b1, false}},
         "access at 0x9000000 by an instruction that cannot be emulated, which is a device (scratch)"},
        {Exit{SystemRegisterExit{0xc5a3, true, 0}}, "write of the unknown system register s3_0_c11_c4_3"},
        {Exit{SystemRegisterExit{0xc5a3, false, 0}}, "read of the unknown system register s3_0_c11_c4_3"},
        {Exit{ExitKind::undefined}, "undefined instruction"},
        {Exit{ExitKind::debug}, "debug exception"},
        {Exit{UnknownExit{0x3f, 0x12}}, "unknown exit, reason 0x3f, syndrome 0x12"},
    };
    for (const Message &message : messages) {
        static_cast<void>(handle(message.exit));
        EXPECT_EQ(log.lines.back().text.substr(0, log.lines.back().text.find(" (further")),
                  std::string("vCPU 0: ") + message.text + ", pc 0x40000000");
    }
    EXPECT_EQ(vm.stop_detail(), "vCPU 0: unknown exit, reason 0x3f, syndrome 0x12, pc 0x40000000");
}

TEST_F(DispatchTest, AGuestWhoseExceptionsGoWhereNothingIsIsSaidToBeStuckOnce) {
    const Exit fetch{MemoryExit{Gpa{0x200}, 0, MemoryAccess::fetch, Width::b4, true}};
    ASSERT_TRUE(ports[0].set_system_register(aarch64::sysreg::kVbarEl1, 0));
    ports[0].set_program_counter(0x200);
    log.lines.clear();
    for (unsigned i = 0; i < 100; ++i)
        EXPECT_EQ(handle(fetch), Answer::inject(GuestFault::access));
    ASSERT_EQ(log.lines.size(), 1u);
    EXPECT_EQ(log.lines[0].text,
              "vCPU 0: instruction fetch at 0x200, where nothing answers, pc 0x200: its own exceptions go there, so "
              "that it is stuck (has it set its vectors?)");
    // A handler elsewhere may do something about it.
    ASSERT_TRUE(ports[0].set_system_register(aarch64::sysreg::kVbarEl1, 0x4000'0000));
    static_cast<void>(handle(fetch));
    EXPECT_EQ(log.lines.back().text, "vCPU 0: instruction fetch at 0x200, where nothing answers, pc 0x200");
}

TEST_F(DispatchTest, AHypercallThatStopsTheVmIsNamed) {
    vm.policy().set(Mistake::unknown_hypercall, Response::stop_vm);
    EXPECT_EQ(handle(Exit{aarch64::hypercall(0xc300'1234, 7, aarch64::Conduit::smc)}).next(), Next::stop);
    EXPECT_EQ(vm.stop_detail(), "vCPU 0: unknown call 0xc3001234 by smc #7, pc 0x40000000");
}

TEST_F(DispatchTest, MemoryThatTheHostCannotMapIsNamedWithWhoUsedIt) {
    ASSERT_TRUE(vm.add_memory(range(0x8000'0000, 4 * kMiB), RegionKind::demand_ram));
    Answer answer = Answer::retry();
    for (int tries = 0; tries < 100 && answer.next() == Next::run; ++tries) {
        space.fail_at(1);
        answer = handle(write_exit(0x8000'0123, 1));
    }
    EXPECT_EQ(answer.next(), Next::stop);
    EXPECT_EQ(vm.stop_reason(), StopReason::host_error);
    EXPECT_EQ(vm.stop_detail(),
              "the host could not map the guest's memory at 0x80000123, which vCPU 0 uses first, pc 0x40000000");
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

TEST(WithoutAnArchitecture, MessagesHaveNumbersAndRefusedCallsFault) {
    VmFixture f;
    Vm vm(VmConfig{.name = "plain", .id = VmId{1}}, f.space, f.allocator, f.log);
    fake::Vcpu port;
    Vcpu &vcpu = **vm.add_vcpu(port);
    const Answer fault = Answer::inject(GuestFault::instruction).then(Next::stop); // it does not run
    EXPECT_EQ(vm.handle(vcpu, Exit{HypercallExit{0x12, 0}}), fault);
    EXPECT_EQ(vm.handle(vcpu, Exit{SystemRegisterExit{0x1234, false, 0}}), fault);
    ASSERT_EQ(f.log.lines.size(), 1u) << "calls are how guests look for services";
    EXPECT_EQ(f.log.lines[0].text, "vCPU 0: read of the unknown system register 0x1234, pc 0x0");
}

} // namespace
} // namespace sel4vm::test
