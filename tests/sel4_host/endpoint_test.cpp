// SPDX-License-Identifier: BSD-2-Clause
//
// The exit path of the seL4 host on a kernel that is played: which calls it makes, what it makes of messages, true and forged.
#include <sel4_host/double/environment.hpp>

#include <hosts/sel4/endpoint_port.hpp>
#include <hosts/sel4/services.hpp>

#include <sel4vm/arch/aarch64/sysreg.hpp>

#include <gtest/gtest.h>

namespace sel4vm::sel4 {
namespace {

using sel4_double::Kernel;
using sel4_double::Tcb;

constexpr u64 kPc = 0x4008'0000;
constexpr u32 kReadW0 = 0x9380'0005; // data abort from EL1, ISV, word, read into w0, translation fault at level 1
constexpr u32 kWriteX28 = 0x939c'8045;

/// Destroyed last: everything is back, and nothing was wrong.
struct CheckedEnvironment : sel4_double::Environment {
    CheckedEnvironment() { kernel.options.executes = false; }
    ~CheckedEnvironment() {
        EXPECT_EQ(kernel.violation, "");
        EXPECT_EQ(live(), at_start);
    }
    usize at_start = live();
};

class Sel4Endpoint : public testing::Test {
protected:
    Sel4Endpoint() {
        EXPECT_TRUE(ep.allocate(environment.vka, seL4_EndpointObject, seL4_EndpointBits));
        EXPECT_TRUE(tcb.allocate(environment.vka, seL4_TCBObject, seL4_TCBBits));
        EXPECT_TRUE(endpoint.create(ep.cap()));
        EXPECT_TRUE(vcpu.create(environment.vka, tcb.cap()));
        vcpu.reset({kPc, 7});
        vcpu.resume();
    }

    void fault(seL4_Word label, std::vector<seL4_Word> words) {
        kernel.played.push_back({vcpu.badge(), label, std::move(words), &thread()});
    }
    void memory_fault(u32 esr, u64 gpa) { fault(seL4_Fault_VMFault, {kPc, gpa, 0, esr}); }
    void notification(u64 badge) { kernel.played.push_back({badge, 0, {}, nullptr}); }
    void wait(Answer answer = Answer::none()) { endpoint.resume_and_wait(answer, event); }
    Tcb &thread() { return *kernel.slot(tcb.cap())->as<Tcb>(); }
    seL4_Word &reg(unsigned word) { return thread().registers[word]; }

    CheckedEnvironment environment;
    Kernel &kernel = environment.kernel;
    CounterClock clock;
    OwnedObject ep;
    OwnedObject tcb;
    EndpointPort endpoint{environment.vka, clock};
    GuestSpace space{Environment{&environment.vka, nullptr, &CHeap::instance(), nullptr}};
    Vcpu vcpu{endpoint, space, VcpuSetup{VmId{0}, VcpuId{0}, 0, 0}};
    Event event;
};

TEST_F(Sel4Endpoint, LearnsHowManyListRegistersThereAre) { EXPECT_EQ(vcpu.list_registers().abilities().count, 4); }

TEST_F(Sel4Endpoint, AReadIsThreeCallsAndLeavesOtherRegistersAlone) {
    memory_fault(kReadW0, 0x0900'0018);
    wait();
    ASSERT_EQ(event.kind, EventKind::exit);
    EXPECT_EQ(event.exit.memory.gpa, Gpa{0x0900'0018});
    EXPECT_EQ(event.exit.memory.access, MemoryAccess::read);
    reg(kWordSp) = 0x1234;
    const unsigned before = kernel.calls;
    notification(1);
    wait(Answer::complete(0xffff'ffff'0000'0090));
    EXPECT_EQ(kernel.calls - before, 3u);
    EXPECT_EQ(reg(kWordX0), 0x90u);
    EXPECT_EQ(reg(kWordPc), kPc + 4);
    EXPECT_EQ(reg(kWordSp), 0x1234u);
}

TEST_F(Sel4Endpoint, AWriteTakesItsRegisterFromWhereTheKernelHasIt) {
    reg(word_of_x(28)) = 0xabcd'0123'4567'89ab;
    memory_fault(kWriteX28, 0x0900'0000);
    wait();
    EXPECT_EQ(event.exit.memory.access, MemoryAccess::write);
    EXPECT_EQ(event.exit.memory.data, 0x4567'89abu);
}

TEST_F(Sel4Endpoint, AnHvcIsAnsweredInTheReply) {
    std::vector<seL4_Word> words = {0x8400'0000, 1, 2, 3, 4, 5, 6, 7, kPc, 0, 0, 0x3c5, 0};
    fault(seL4_Fault_UnknownSyscall, words);
    wait();
    ASSERT_EQ(event.exit.kind, ExitKind::hypercall);
    EXPECT_EQ(event.exit.hypercall.function, 0x8400'0000u);
    vcpu.set_general_register(0, 0x10001);
    const unsigned before = kernel.calls;
    notification(1);
    wait(Answer::complete());
    EXPECT_EQ(kernel.calls - before, 1u);
    ASSERT_EQ(kernel.answers.back().size(), 9u);
    EXPECT_EQ(kernel.answers.back()[0], 0x10001u);
    EXPECT_EQ(kernel.answers.back()[7], 7u);
    EXPECT_EQ(kernel.answers.back()[8], kPc + 4);
}

TEST_F(Sel4Endpoint, ABlockedVcpuGetsNoAnswerAndGoesOnWhenKicked) {
    fault(seL4_Fault_VCPUFault, {0x0600'0000}); // WFI
    wait();
    ASSERT_EQ(event.exit.kind, ExitKind::wait);
    notification(1);
    wait(Answer::complete().then(Next::block));
    EXPECT_NE(thread().state, Tcb::State::running);
    vcpu.kick();
    wait();
    EXPECT_EQ(event.exit.kind, ExitKind::kicked);
    notification(1);
    wait(Answer::retry());
    EXPECT_EQ(thread().state, Tcb::State::running);
    EXPECT_EQ(reg(kWordPc), kPc + 4) << "it goes on after the WFI";
}

TEST_F(Sel4Endpoint, AKickFromElsewhereReachesAnExecutorThatWaits) {
    memory_fault(kReadW0, 0x0900'0000);
    wait();
    kernel.timers.emplace(u64{0}, [this] { vcpu.kick(); }); // while it waits
    wait(Answer::complete(5));
    ASSERT_EQ(event.exit.kind, ExitKind::kicked);
    EXPECT_EQ(thread().state, Tcb::State::running) << "the guest goes on meanwhile";
    EXPECT_EQ(vcpu.general_register(0), 5U);
    EXPECT_EQ(thread().state, Tcb::State::inactive) << "unless somebody looks at its registers";
    vcpu.set_general_register(1, 6);
    notification(1);
    wait(Answer::retry());
    EXPECT_EQ(thread().state, Tcb::State::running);
    EXPECT_EQ(reg(word_of_x(1)), 6U);
}

TEST_F(Sel4Endpoint, ASignalFromElsewhereIsAnEvent) {
    kernel.timers.emplace(u64{0}, [this] { endpoint.signal(0x40); });
    wait();
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 0x40U);
}

TEST_F(Sel4Endpoint, TurnsOfAStoppedVcpuLetMessagesOfOthersThroughBetweenThem) {
    memory_fault(kReadW0, 0x0900'0000);
    wait();
    endpoint.apply(Answer::retry().then(Next::stop)); // as a guest's that asked for a reset
    vcpu.request_turn();
    wait();
    ASSERT_EQ(event.kind, EventKind::turn);
    vcpu.request_turn(); // there is more to do
    notification(0x10);
    notification(0x20);
    wait();
    ASSERT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 0x10U);
    wait();
    EXPECT_EQ(event.kind, EventKind::turn) << "messages without an end do not keep it from its turns";
    wait();
    ASSERT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 0x20U);
    EXPECT_NE(thread().state, Tcb::State::running);
}

TEST_F(Sel4Endpoint, StoresOfABigEndianProcessOf32BitsAreInItsOrder) {
    constexpr u64 kProcess = 0x10;
    constexpr u64 kBigEndian = 0x200;
    constexpr u32 kWriteW3 = 0x9303'0045; // a byte
    const u64 expected[2][3] = {{0x44, 0x3344, 0x1122'3344}, {0x44, 0x4433, 0x4433'2211}};
    for (const bool big : {false, true})
        for (const u32 size : {0u, 1u, 2u}) {
            reg(kWordPstate) = kProcess | (big ? kBigEndian : 0);
            reg(kWordX0 + 3) = 0x1122'3344;
            memory_fault(kWriteW3 | size << 22, 0x0900'0018);
            wait();
            ASSERT_EQ(event.exit.memory.access, MemoryAccess::write);
            EXPECT_EQ(event.exit.memory.data, expected[big ? 1 : 0][size]);
            notification(1);
            wait(Answer::complete());
            EXPECT_EQ(reg(kWordX0 + 3), 0x1122'3344u);
        }
}

TEST_F(Sel4Endpoint, AProcessOf32BitsReachesTheTimersRegisters) {
    reg(kWordPstate) = 0x10;
    reg(kWordX0 + 2) = 0x7777;
    fault(seL4_Fault_VCPUFault, {0x1200'045d}); // MRRC p15, 0, r2, r1, c14
    wait();
    ASSERT_EQ(event.exit.kind, ExitKind::system_register);
    EXPECT_EQ(event.exit.system_register.id, aarch64::sysreg::kCntpctEl0);
    EXPECT_FALSE(event.exit.system_register.write);
    notification(1);
    wait(Answer::complete(0x1234'5678'9abc'def0));
    EXPECT_EQ(reg(kWordX0 + 2), 0x9abc'def0u);
    EXPECT_EQ(reg(kWordX0 + 1), 0x1234'5678u);
    EXPECT_EQ(reg(kWordPc), kPc + 4);
    fault(seL4_Fault_VCPUFault, {0x1202'045c}); // MCRR p15, 2, r2, r1, c14
    wait();
    ASSERT_EQ(event.exit.kind, ExitKind::system_register);
    EXPECT_EQ(event.exit.system_register.id, aarch64::sysreg::kCntpCvalEl0);
    EXPECT_TRUE(event.exit.system_register.write);
    EXPECT_EQ(event.exit.system_register.data, 0x1234'5678'9abc'def0u);
    notification(1);
    wait(Answer::complete());
    fault(seL4_Fault_VCPUFault, {0x0e04'3845}); // MRC p15, 0, r2, c14, c2, 2: no register
    wait();
    EXPECT_EQ(event.exit.kind, ExitKind::undefined);
}

TEST_F(Sel4Endpoint, AVcpuThatIsResumedHasNoTurnLeft) {
    memory_fault(kReadW0, 0x0900'0000);
    wait();
    endpoint.apply(Answer::retry().then(Next::stop));
    vcpu.request_turn();
    vcpu.resume();
    notification(1);
    wait();
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(thread().state, Tcb::State::running);
}

TEST_F(Sel4Endpoint, AVcpuThatIsBlockedIsResumedAndNotAnswered) {
    fault(seL4_Fault_VCPUFault, {0x0600'0000}); // WFI
    wait();
    kernel.timers.emplace(u64{0}, [this] { vcpu.kick(); });
    wait(Answer::complete().then(Next::block));
    ASSERT_EQ(event.exit.kind, ExitKind::kicked);
    const usize answers = kernel.answers.size();
    notification(1);
    wait(Answer::retry());
    EXPECT_EQ(kernel.answers.size(), answers);
    EXPECT_EQ(reg(kWordPc), kPc + 4);
    EXPECT_EQ(thread().state, Tcb::State::running);
}

TEST_F(Sel4Endpoint, ForgedMessagesAreAnsweredAndOtherwiseIgnored) {
    fault(seL4_Fault_VMFault, {kPc});                    // too short
    fault(seL4_Fault_VPPIEvent, {30});                   // not the virtual timer
    fault(99, {});                                       // no fault at all
    fault(seL4_Fault_VMFault, {kPc, 0, 0, 0x5e00'0000}); // no abort
    notification(0x10);
    wait();
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 0x10u);
    EXPECT_EQ(kernel.answers.size(), 4u);
}

TEST_F(Sel4Endpoint, AForgedMaintenanceIndexFinishesNothing) {
    ASSERT_TRUE(vcpu.list_registers().write(
        1, {.state = aarch64::ListRegisterState::pending, .priority = 0x80, .eoi_maintenance = true, .intid = 27}));
    for (const seL4_Word index : {seL4_Word{0}, seL4_Word{4}, ~seL4_Word{0}}) {
        fault(seL4_Fault_VGICMaintenance, {index});
        wait(event.kind == EventKind::exit ? Answer::retry() : Answer::none());
        EXPECT_EQ(vcpu.list_registers().take_finished(), 0u);
    }
    fault(seL4_Fault_VGICMaintenance, {1});
    wait(Answer::retry());
    EXPECT_EQ(vcpu.list_registers().take_finished(), 2u);
}

TEST_F(Sel4Endpoint, ABusyListRegisterIsRefusedBeforeTheKernelWouldOverwriteIt) {
    const aarch64::ListRegister irq{.state = aarch64::ListRegisterState::pending, .eoi_maintenance = true, .intid = 33};
    ASSERT_TRUE(vcpu.list_registers().write(0, irq));
    EXPECT_FALSE(vcpu.list_registers().write(0, irq));
    EXPECT_FALSE(vcpu.list_registers().write(4, irq));
}

TEST_F(Sel4Endpoint, AWalkFaultIsNotAnAccessToTheReportedAddress) {
    memory_fault(kReadW0 | 0x80, 0x0900'0000);
    notification(1);
    wait();
    EXPECT_EQ(event.kind, EventKind::notification) << "the guest gets an abort without anybody being asked";
    EXPECT_EQ(reg(kWordPstate) & 0xf, 5u);
}

// Of a fetch it is known which entry it was about.
TEST_F(Sel4Endpoint, AWalkFaultOfAFetchNamesTheEntryAndItsLevel) {
    ASSERT_TRUE(vcpu.set_system_register(aarch64::sysreg::kSctlrEl1, 1));
    ASSERT_TRUE(vcpu.set_system_register(aarch64::sysreg::kTcrEl1, 25));
    ASSERT_TRUE(vcpu.set_system_register(aarch64::sysreg::kTtbr0El1, 0x4100'0000));
    memory_fault(0x8200'0087, 0x0900'0000); // instruction abort from EL1, S1PTW, translation fault
    wait();
    ASSERT_EQ(event.exit.kind, ExitKind::memory);
    EXPECT_TRUE(event.exit.memory.table_walk);
    EXPECT_FALSE(event.exit.memory.emulatable);
    EXPECT_EQ(event.exit.memory.access, MemoryAccess::read);
    EXPECT_EQ(event.exit.memory.gpa, Gpa{0x4100'0008}) << "of PC, in the table of level 1";
    notification(1);
    wait(Answer::inject(GuestFault::access));
    EXPECT_EQ(*vcpu.system_register(aarch64::sysreg::kEsrEl1), 0x8600'0015u);
}

TEST_F(Sel4Endpoint, AVcpuThatWasStoppedSaysNothing) {
    memory_fault(kReadW0, 0x0900'0000);
    wait();
    endpoint.apply(Answer::complete().then(Next::stop));
    kernel.played.push_back({vcpu.badge(), seL4_Fault_VCPUFault, {0}, nullptr});
    notification(2);
    wait();
    EXPECT_EQ(event.kind, EventKind::notification);
}

TEST_F(Sel4Endpoint, AResetMakesTheVcpuObjectAgain) {
    const aarch64::ListRegister irq{.state = aarch64::ListRegisterState::pending, .eoi_maintenance = true, .intid = 33};
    ASSERT_TRUE(vcpu.list_registers().write(0, irq));
    memory_fault(kReadW0, 0x0900'0000);
    wait();
    endpoint.apply(Answer::retry().then(Next::stop));
    vcpu.reset({0x5000'0000, 1});
    EXPECT_EQ(reg(kWordPc), 0x5000'0000u);
    EXPECT_EQ(vcpu.list_registers().take_finished(), 1u) << "whatever was in it is gone";
    EXPECT_TRUE(vcpu.list_registers().write(0, irq));
}

} // namespace
} // namespace sel4vm::sel4
