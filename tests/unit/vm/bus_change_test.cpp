// SPDX-License-Identifier: BSD-2-Clause
//
// A bus that changes while the guest runs, from inside exits and between them, and the second bus, of I/O ports.
#include <gtest/gtest.h>
#include <support/vm_fixture.hpp>

#include <functional>

namespace sel4vm::test {
namespace {

struct Card final : MmioDevice {
    explicit Card(u64 its_id) : id(its_id) {}
    const char *name() const override { return "card"; }
    Result<u64, BusFault> read(const Access &access) override {
        if (on_access)
            on_access();
        return id + access.offset;
    }
    Status<BusFault> write(const Access &access, u64 value) override {
        if (access.offset == 0x80)
            return Err{BusFault::unmapped};
        written = value;
        if (on_access)
            on_access();
        return Ok{};
    }
    void reset() override {
        ++resets;
        if (on_reset)
            on_reset();
    }
    std::function<void()> on_access;
    std::function<void()> on_reset;
    u64 id;
    u64 written = 0;
    int resets = 0;
};

struct BusChange : testing::Test {
    BusChange() { SEL4VM_ASSERT(f.vm.attach(range(0x900'0000, 0x1000), card).has_value()); }
    void reset() {
        ASSERT_TRUE(f.vm.start());
        ASSERT_TRUE(f.vm.reset());
        while (f.vm.state() != VmState::running)
            ASSERT_TRUE(f.executor.step());
    }
    VmFixture f{2};
    Card card{0x100};
    Card other{0x200};
};

TEST_F(BusChange, AnAttachedDeviceAnswersTheNextExit) {
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(read_exit(0xa00'0004)), Answer::inject(GuestFault::access));
    ASSERT_TRUE(f.vm.attach(range(0xa00'0000, 0x1000), other));
    EXPECT_EQ(f.handle(read_exit(0xa00'0004)), Answer::complete(0x204));
}

TEST_F(BusChange, ADetachedDeviceIsUnusedAtOnceBetweenTwoExits) {
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(read_exit(0x900'0000)), Answer::complete(0x100));
    EXPECT_FALSE(f.vm.detach(Gpa{0x900'0800}));
    ASSERT_TRUE(f.vm.detach(Gpa{0x900'0000}));
    EXPECT_TRUE(f.vm.detached_are_unused());
    EXPECT_EQ(f.handle(read_exit(0x900'0000)), Answer::inject(GuestFault::access));
}

TEST_F(BusChange, OneThatDetachesItselfIsUsedUntilItsExitEnds) {
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(read_exit(0x900'0000)), Answer::complete(0x100));
    bool unused = true;
    card.on_access = [&] {
        EXPECT_TRUE(f.vm.detach(Gpa{0x900'0000}));
        unused = f.vm.detached_are_unused();
    };
    EXPECT_EQ(f.handle(read_exit(0x900'0008)), Answer::complete(0x108));
    EXPECT_FALSE(unused);
    EXPECT_TRUE(f.vm.detached_are_unused());
    EXPECT_EQ(f.handle(read_exit(0x900'0008)), Answer::inject(GuestFault::access));
}

TEST_F(BusChange, AGuestMayMoveADeviceAsOftenAsItLikes) {
    ASSERT_TRUE(f.vm.start());
    u64 base = 0x900'0000;
    card.on_access = [&] {
        const u64 to = base == 0x900'0000 ? 0xb00'0000 : 0x900'0000;
        EXPECT_TRUE(f.vm.move(Gpa{base}, range(to, 0x1000)));
        base = to;
    };
    for (u64 n = 0; n < 1000; ++n) {
        const u64 here = base;
        ASSERT_EQ(f.handle(write_exit(here, n)), Answer::complete());
        EXPECT_EQ(card.written, n);
        ASSERT_EQ(f.handle(read_exit(here)), Answer::inject(GuestFault::access));
    }
    EXPECT_EQ(f.vm.map().size(), 1u);
    EXPECT_EQ(f.vm.move(Gpa{base}, range(0x4000'0000, 0x1000)).error(), AttachError::overlap) << "RAM";
}

TEST_F(BusChange, AVcpuThatIsOffForgetsWhatItUsedLast) {
    ASSERT_TRUE(f.vm.start());
    ASSERT_EQ(f.vm.power_on(f.vcpu(1), {0x4000'0000, 0}), Vm::PowerOn::done);
    EXPECT_EQ(f.handle(read_exit(0x900'0000), 1), Answer::complete(0x100));
    static_cast<void>(f.vm.power_off(f.vcpu(1)));
    f.ports[1].set_state(fake::Vcpu::State::stopped); // as the answer says
    f.vm.parked(f.vcpu(1));
    ASSERT_TRUE(f.vm.detach(Gpa{0x900'0000}));
    EXPECT_TRUE(f.vm.detached_are_unused());
    ASSERT_EQ(f.vm.power_on(f.vcpu(1), {0x4000'0000, 0}), Vm::PowerOn::done);
    EXPECT_EQ(f.handle(read_exit(0x900'0000), 1), Answer::inject(GuestFault::access));
}

TEST_F(BusChange, ADeviceIsResetOnceAlsoWhenItGivesItsFirstRangeUpMeanwhile) {
    ASSERT_TRUE(f.vm.attach(range(0xb00'0000, 0x1000), card));
    ASSERT_TRUE(f.vm.attach(range(0xa00'0000, 0x1000), other));
    card.on_reset = [&] { static_cast<void>(f.vm.detach(Gpa{0x900'0000})); };
    reset();
    EXPECT_EQ(other.resets, 1);
    EXPECT_EQ(card.resets, 1) << "the second of its ranges has become its first";
    EXPECT_EQ(f.handle(read_exit(0xb00'0000)), Answer::complete(0x100));
    EXPECT_EQ(f.handle(read_exit(0x900'0000)), Answer::inject(GuestFault::access));
}

TEST_F(BusChange, ADeviceIsInUseWhileTheOthersAreReset) {
    ASSERT_TRUE(f.vm.attach(range(0xa00'0000, 0x1000), other));
    bool unused = true;
    card.on_reset = [&] {
        EXPECT_TRUE(f.vm.detach(Gpa{0x900'0000}));
        unused = f.vm.detached_are_unused();
    };
    reset();
    EXPECT_FALSE(unused) << "this very function is its";
    EXPECT_TRUE(f.vm.detached_are_unused());
}

TEST_F(BusChange, ADeviceWithTwoRangesIsResetOnce) {
    ASSERT_TRUE(f.vm.attach(range(0xb00'0000, 0x1000), card));
    reset();
    EXPECT_EQ(card.resets, 1);
}

// ---------------------------------------------------------------- I/O ports

Exit in(u16 port, Width width = Width::b1) { return Exit{PortExit{port, width, false, 0}}; }
Exit out(u16 port, u32 data, Width width = Width::b1) { return Exit{PortExit{port, width, true, data}}; }

struct Ports : BusChange {
    Ports() { SEL4VM_ASSERT(f.vm.attach_ports(0x3f8, 8, other).has_value()); }
};

TEST_F(Ports, AreAnotherSpaceThanMemory) {
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(in(0x3f8)), Answer::complete(0x00)) << "0x200, of which a byte is read";
    EXPECT_EQ(f.handle(in(0x3fa, Width::b2)), Answer::complete(0x202));
    EXPECT_EQ(f.handle(out(0x3ff, 0x41)), Answer::complete());
    EXPECT_EQ(other.written, 0x41u);
    EXPECT_EQ(f.handle(read_exit(0x3f8)), Answer::inject(GuestFault::access));
}

TEST_F(Ports, ReadAsAllOnesWhereNothingAnswers) {
    ASSERT_TRUE(f.vm.attach_ports(0xff80, 0x80, card));
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.handle(in(0x80)), Answer::complete(0xff));
    EXPECT_EQ(f.handle(in(0xcf8, Width::b4)), Answer::complete(0xffff'ffff));
    EXPECT_EQ(f.handle(out(0x80, 1)), Answer::complete());
    EXPECT_EQ(f.handle(in(0x3ff, Width::b2)), Answer::complete(0xffff)) << "half of it behind the device";
    EXPECT_EQ(other.written, 0u);
    EXPECT_EQ(f.handle(in(0xffff)), Answer::complete(0x7f)) << "0x100 + 0x7f";
    EXPECT_EQ(f.handle(in(0xffff, Width::b4)), Answer::complete(0xffff'ffff));
    ASSERT_FALSE(f.log.lines.empty());
    EXPECT_NE(f.log.lines[0].text.find("read of 1 byte at I/O port 0x80, where nothing answers"), std::string::npos)
        << f.log.lines[0].text;
}

TEST_F(Ports, ThatADeviceRefusesAreAMistakeThatPolicyDecides) {
    ASSERT_TRUE(f.vm.attach_ports(0x1000, 0x100, card));
    f.vm.policy().set(Mistake::port_access, Response::stop_vm);
    ASSERT_TRUE(f.vm.start());
    static_cast<void>(f.handle(out(0x1080, 0)));
    EXPECT_EQ(f.vm.stop_reason(), StopReason::guest_error);
    EXPECT_EQ(f.vm.stop_detail().substr(0, 63), "vCPU 0: write of 1 byte at I/O port 0x1080, which the device re");
}

TEST_F(Ports, DoNotOverlapAndEndWithTheLast) {
    EXPECT_EQ(f.vm.attach_ports(0x3ff, 1, card).error(), AttachError::overlap);
    EXPECT_TRUE(f.vm.attach_ports(0x400, 1, card));
    EXPECT_EQ(f.vm.attach_ports(0xfff0, 0x11, card).error(), AttachError::overlap);
    EXPECT_EQ(f.vm.attach_ports(0xfff0, 0, card).error(), AttachError::overlap);
    EXPECT_TRUE(f.vm.attach_ports(0xfff0, 0x10, card));
    ASSERT_TRUE(f.vm.start());
    EXPECT_EQ(f.vm.attach_ports(0x10, 1, card).error(), AttachError::wrong_state);
}

TEST_F(Ports, AreResetWithTheMachine) {
    reset();
    EXPECT_EQ(other.resets, 1);
    EXPECT_EQ(card.resets, 1);
}

} // namespace
} // namespace sel4vm::test
