// SPDX-License-Identifier: BSD-2-Clause
//
// The vCPU's thread and the event port, on a kernel of the test's: it runs a script of exits, finishes accesses when it is entered again, and
// can be interrupted, as KVM.
#include <hosts/kvm/event_port.hpp>
#include <hosts/kvm/exit_decoding.hpp>
#include <hosts/kvm/services.hpp>
#include <hosts/kvm/vcpu.hpp>

#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <poll.h>

namespace sel4vm::kvm {
namespace {

/// One step of the script.
struct Step {
    enum class Kind : u8 { read, write, blind, shutdown, wait, fail } kind;
    u64 value = 0;       ///< what is written, or the errno
    unsigned target = 0; ///< the register of a read
};

class ScriptedVcpu final : public KernelVcpu {
public:
    [[nodiscard]] int run() override {
        ++entries;
        if (open_read_ || open_write_) {
            if (open_read_ && !aborted_) {
                u64 data = 0;
                for (unsigned i = 0; i < 8; ++i)
                    data |= u64{run_.mmio.data[i]} << (8 * i);
                registers[abi::general_register(read_target_)] = data;
            }
            if (!aborted_)
                registers[abi::kPc] += 4;
            open_read_ = open_write_ = false;
        }
        if (aborted_) {
            registers[abi::kPc] = kVector;
            registers[abi::encoded_register(aarch64::sysreg::kEsrEl1)] = 0xffff'ffff'9600'0010; // as Linux 6.1 does
            aborted_ = false;
            ++aborts;
        }
        if (immediate_exit() != 0)
            return EINTR;
        Step step{Step::Kind::wait};
        {
            const std::scoped_lock guard(lock_);
            if (!script_.empty()) {
                step = script_.front();
                script_.pop_front();
            }
        }
        switch (step.kind) {
        case Step::Kind::read:
        case Step::Kind::write:
            run_.exit_reason = KVM_EXIT_MMIO;
            run_.mmio.phys_addr = 0x0900'0000;
            run_.mmio.len = 4;
            run_.mmio.is_write = step.kind == Step::Kind::write ? 1 : 0;
            put_read_data(run_, step.value);
            (step.kind == Step::Kind::write ? open_write_ : open_read_) = true;
            read_target_ = step.target;
            return 0;
        case Step::Kind::blind:
            run_.exit_reason = KVM_EXIT_ARM_NISV;
            run_.arm_nisv.fault_ipa = 0x0a00'0000;
            run_.arm_nisv.esr_iss = 0;
            return 0;
        case Step::Kind::shutdown:
            run_.exit_reason = KVM_EXIT_SYSTEM_EVENT;
            run_.system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
            return 0;
        case Step::Kind::fail: return static_cast<int>(step.value);
        case Step::Kind::wait: break;
        }
        // As a guest that executes for ever: only a signal, or the flag that came before it, ends it.
        while (immediate_exit() == 0)
            poll(nullptr, 0, 1);
        return EINTR;
    }
    [[nodiscard]] kvm_run &shared() override { return run_; }
    [[nodiscard]] Result<u64, HostError> get(u64 name) override { return u64{registers[name]}; }
    [[nodiscard]] Status<HostError> set(u64 name, u64 value) override {
        registers[name] = value;
        return Ok{};
    }
    [[nodiscard]] Status<HostError> reset(PowerOn power) override {
        registers.clear();
        last_reset = power;
        ++resets;
        return Ok{};
    }
    [[nodiscard]] Status<HostError> raise_external_abort() override {
        aborted_ = true;
        return Ok{};
    }

    void script(Step step) {
        const std::scoped_lock guard(lock_);
        script_.push_back(step);
    }

    static constexpr u64 kVector = 0xf00;
    std::map<u64, u64> registers; // the port's rules say who touches them when
    std::atomic<unsigned> entries{0};
    unsigned aborts = 0;
    unsigned resets = 0;
    PowerOn last_reset = PowerOn::running;

private:
    [[nodiscard]] u8 immediate_exit() {
        return std::atomic_ref<u8>(run_.immediate_exit).load(std::memory_order_seq_cst);
    }
    kvm_run run_{};
    std::mutex lock_;
    std::deque<Step> script_;
    bool open_read_ = false;
    bool open_write_ = false;
    bool aborted_ = false;
    unsigned read_target_ = 0;
};

class KvmVcpuThread : public testing::Test, protected Siblings {
protected:
    void SetUp() override {
        for (Vcpu *vcpu : {&boot, &other})
            ASSERT_TRUE(vcpu->start_thread());
        boot.reset({0x4000'0000, 0x1234});
    }
    void reset_others() override { ++siblings_reset; }

    Event next(Answer answer = Answer::none()) {
        Event event;
        port.resume_and_wait(answer, event);
        return event;
    }
    /// The next event is an exit of this kind.
    Exit exit(Answer answer, ExitKind kind, VcpuId vcpu = VcpuId{0}) {
        const Event event = next(answer);
        EXPECT_EQ(event.kind, EventKind::exit);
        EXPECT_EQ(event.vm, VmId{3});
        EXPECT_EQ(event.vcpu, vcpu);
        EXPECT_EQ(event.exit.kind, kind);
        return event.exit;
    }
    [[nodiscard]] u64 pc() { return kernel.registers[abi::kPc]; }

    Clock clock;
    Mailbox mailbox;
    EventPort port{clock, mailbox};
    ScriptedVcpu kernel;
    ScriptedVcpu other_kernel;
    unsigned siblings_reset = 0;
    Vcpu boot{VmId{3}, VcpuId{0}, kernel, *this, port};
    Vcpu other{VmId{3}, VcpuId{1}, other_kernel, *this, port};
};

TEST_F(KvmVcpuThread, AResetOfTheBootVcpuSetsItsStartAndResetsTheOthers) {
    EXPECT_EQ(pc(), 0x4000'0000u);
    EXPECT_EQ(boot.general_register(0), 0x1234u);
    EXPECT_EQ(siblings_reset, 1u);
    EXPECT_EQ(kernel.resets, 1u);
    // The kernel's PSCI says where another one starts.
    other.reset({0x8000'0000, 7});
    EXPECT_EQ(other_kernel.resets, 0u);
    EXPECT_EQ(siblings_reset, 1u);
}

TEST_F(KvmVcpuThread, AnAnsweredReadReachesItsRegisterAndTheNextInstruction) {
    kernel.script({Step::Kind::read, 0, 5});
    kernel.script({Step::Kind::write, 0x42});
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    EXPECT_EQ(pc(), 0x4000'0000u) << "the instruction is not finished while its exit is open";
    const Exit write = exit(Answer::complete(0xabcd), ExitKind::memory);
    EXPECT_EQ(boot.general_register(5), 0xabcdu);
    EXPECT_EQ(pc(), 0x4000'0004u);
    EXPECT_EQ(write.memory.data, 0x42u);
    port.apply(Answer::complete().then(Next::stop));
    EXPECT_EQ(pc(), 0x4000'0008u) << "finished before the stop";
}

TEST_F(KvmVcpuThread, ARetriedReadChangesNothing) {
    kernel.script({Step::Kind::read, 0, 5});
    kernel.script({Step::Kind::read, 0, 6});
    kernel.registers[abi::general_register(5)] = 0x77;
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    exit(Answer::retry(), ExitKind::memory);
    EXPECT_EQ(boot.general_register(5), 0x77u);
    EXPECT_EQ(pc(), 0x4000'0000u);
    port.apply(Answer::retry().then(Next::stop));
    EXPECT_EQ(pc(), 0x4000'0000u);
}

TEST_F(KvmVcpuThread, AnExternalAbortIsTheKernelsToRaiseAndTheAccessDoesNotHappen) {
    kernel.script({Step::Kind::read, 0, 5});
    kernel.registers[abi::general_register(5)] = 0x77;
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    port.apply(Answer::inject(GuestFault::access).then(Next::stop));
    EXPECT_EQ(kernel.aborts, 1u);
    EXPECT_EQ(pc(), ScriptedVcpu::kVector) << "entered before the stop";
    EXPECT_EQ(kernel.registers[abi::encoded_register(aarch64::sysreg::kEsrEl1)], 0x9600'0010u);
    EXPECT_EQ(boot.general_register(5), 0x77u);
}

TEST_F(KvmVcpuThread, AnotherFaultIsEnteredByItsRegisters) {
    kernel.script({Step::Kind::write, 1});
    kernel.registers[abi::encoded_register(aarch64::sysreg::kVbarEl1)] = 0x8000;
    kernel.registers[abi::kPstate] = 5; // EL1h
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    port.apply(Answer::inject(GuestFault::instruction).then(Next::stop));
    EXPECT_EQ(kernel.aborts, 0u);
    EXPECT_EQ(pc(), 0x8200u);
    EXPECT_EQ(kernel.registers[abi::kElrEl1], 0x4000'0000u);
    EXPECT_EQ(kernel.registers[abi::kSpsrEl1], 5u);
}

TEST_F(KvmVcpuThread, AnAccessWithoutSyndromeIsSkippedWhenItIsCompleted) {
    kernel.script({Step::Kind::blind});
    boot.resume();
    EXPECT_FALSE(exit(Answer::none(), ExitKind::memory).memory.emulatable);
    port.apply(Answer::complete().then(Next::stop));
    EXPECT_EQ(pc(), 0x4000'0004u);
}

TEST_F(KvmVcpuThread, ACallIsNotAnInstructionToSkip) {
    kernel.script({Step::Kind::shutdown});
    boot.resume();
    exit(Answer::none(), ExitKind::hypercall);
    port.apply(Answer::complete().then(Next::stop));
    EXPECT_EQ(pc(), 0x4000'0000u);
}

TEST_F(KvmVcpuThread, AKickEndsARunOfAnyLength) {
    boot.resume();
    while (kernel.entries == 0)
        poll(nullptr, 0, 1);
    boot.kick();
    exit(Answer::none(), ExitKind::kicked);
    // One that comes while the exit is open is delivered next.
    boot.kick();
    exit(Answer::retry(), ExitKind::kicked);
    port.apply(Answer::retry().then(Next::stop));
}

TEST_F(KvmVcpuThread, AKickBeforeTheStartIsDeliveredFirst) {
    kernel.script({Step::Kind::read, 0, 5});
    boot.kick();
    boot.resume();
    exit(Answer::none(), ExitKind::kicked);
    EXPECT_EQ(kernel.entries, 0u);
    exit(Answer::retry(), ExitKind::memory);
    port.apply(Answer::complete().then(Next::stop));
}

TEST_F(KvmVcpuThread, AKickFindsTheAccessBeforeItFinished) {
    kernel.script({Step::Kind::read, 0, 5});
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    boot.kick();
    exit(Answer::complete(0x99), ExitKind::kicked);
    EXPECT_EQ(boot.general_register(5), 0x99u);
    EXPECT_EQ(pc(), 0x4000'0004u);
    port.apply(Answer::retry().then(Next::stop));
}

TEST_F(KvmVcpuThread, ABlockLastsUntilAKickAlsoOneThatCameBefore) {
    kernel.script({Step::Kind::shutdown});
    kernel.script({Step::Kind::shutdown});
    boot.resume();
    exit(Answer::none(), ExitKind::hypercall);
    EXPECT_EQ(next(Answer::complete().then(Next::block)).kind, EventKind::idle) << "nobody could end it";
    boot.kick();
    exit(Answer::none(), ExitKind::kicked);
    exit(Answer::retry(), ExitKind::hypercall);
    boot.kick();
    exit(Answer::complete().then(Next::block), ExitKind::kicked);
    port.apply(Answer::retry().then(Next::stop));
}

TEST_F(KvmVcpuThread, AFailureOfTheKernelIsAnExit) {
    kernel.script({Step::Kind::fail, EFAULT});
    boot.resume();
    EXPECT_EQ(exit(Answer::none(), ExitKind::unknown).unknown.syndrome, u64{EFAULT});
    port.apply(Answer::retry().then(Next::stop));
}

TEST_F(KvmVcpuThread, AStoppedVcpuGetsOneTurnAndOneThatRunsNone) {
    boot.request_turn();
    boot.request_turn();
    const Event event = next();
    EXPECT_EQ(event.kind, EventKind::turn);
    EXPECT_EQ(event.vcpu, VcpuId{0});
    EXPECT_EQ(next().kind, EventKind::idle) << "it was one";
    boot.request_turn();
    kernel.script({Step::Kind::read, 0, 5});
    boot.resume();
    exit(Answer::none(), ExitKind::memory);
    port.apply(Answer::complete().then(Next::stop));
}

TEST_F(KvmVcpuThread, SignalsCollectTheirBits) {
    port.signal(1);
    port.signal(4);
    const Event event = next();
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 5u);
    EXPECT_EQ(next().kind, EventKind::idle);
}

TEST_F(KvmVcpuThread, AClientThatSignalsAtEachSignalDoesNotKeepVcpusWaiting) {
    kernel.script({Step::Kind::read, 0, 5});
    boot.resume();
    while (!boot.has_exit())
        poll(nullptr, 0, 1);
    port.signal(1);
    EXPECT_EQ(next().kind, EventKind::notification);
    port.signal(1);
    exit(Answer::none(), ExitKind::memory);
    port.apply(Answer::complete().then(Next::stop));
    EXPECT_EQ(next().kind, EventKind::notification);
}

TEST_F(KvmVcpuThread, ATimeoutComesWhenItsTimeHasCome) {
    const u64 at = clock.now_ticks() + clock.ticks_per_second() / 50;
    port.set_timeout(at);
    EXPECT_EQ(next().kind, EventKind::timeout);
    EXPECT_GE(clock.now_ticks(), at);
    port.set_timeout(clock.now_ticks());
    port.cancel_timeout();
    EXPECT_EQ(next().kind, EventKind::idle);
}

TEST_F(KvmVcpuThread, ATimeoutThatIsDueDoesNotWaitForExits) {
    kernel.script({Step::Kind::read, 0, 5});
    boot.resume();
    while (kernel.entries == 0)
        poll(nullptr, 0, 1);
    port.set_timeout(clock.now_ticks());
    EXPECT_EQ(next().kind, EventKind::timeout);
    exit(Answer::none(), ExitKind::memory);
    port.apply(Answer::complete().then(Next::stop));
}

TEST_F(KvmVcpuThread, VcpusHaveTheirExitsAtTheSameTime) {
    constexpr unsigned kEach = 300;
    for (unsigned i = 0; i < kEach; ++i) {
        kernel.script({Step::Kind::read, 0, 5});
        other_kernel.script({Step::Kind::write, i});
    }
    boot.resume();
    other.resume();
    unsigned seen[2] = {};
    Answer answer = Answer::none();
    for (unsigned i = 0; i < 2 * kEach; ++i) {
        const Event event = next(answer);
        ASSERT_EQ(event.kind, EventKind::exit);
        ++seen[event.vcpu.value()];
        answer = Answer::complete(i);
    }
    EXPECT_EQ(seen[0], kEach);
    EXPECT_EQ(seen[1], kEach);
    port.apply(answer);
    boot.kick();
    other.kick();
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(next().exit.kind, ExitKind::kicked);
        port.apply(Answer::retry().then(Next::stop));
    }
    EXPECT_EQ(pc(), 0x4000'0000u + 4 * kEach);
    EXPECT_EQ(next().kind, EventKind::idle);
}

TEST_F(KvmVcpuThread, OneThatRunsCanBeDestroyed) {
    ScriptedVcpu running;
    {
        Vcpu vcpu{VmId{0}, VcpuId{0}, running, *this, port};
        ASSERT_TRUE(vcpu.start_thread());
        vcpu.resume();
        while (running.entries == 0)
            poll(nullptr, 0, 1);
    }
    {
        Vcpu vcpu{VmId{0}, VcpuId{0}, running, *this, port};
        ASSERT_TRUE(vcpu.start_thread());
        running.script({Step::Kind::read, 0, 5});
        vcpu.resume();
        while (!vcpu.has_exit())
            poll(nullptr, 0, 1);
    }
    EXPECT_EQ(next().kind, EventKind::idle) << "and takes its exit with it";
}

TEST_F(KvmVcpuThread, InputIsToldOnceUntilItWasRead) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const File reading{ends[0]};
    const File writing{ends[1]};
    port.set_input(reading.number(), 8);
    ASSERT_EQ(write(writing.number(), "x", 1), 1);
    Event event = next();
    EXPECT_EQ(event.kind, EventKind::notification);
    EXPECT_EQ(event.badge, 8u);
    // Nobody read it, so nothing new is to be told; the timeout comes instead.
    port.set_timeout(clock.now_ticks() + clock.ticks_per_second() / 100);
    EXPECT_EQ(next().kind, EventKind::timeout);
    port.arm_input();
    EXPECT_EQ(next().badge, 8u);
    port.end_input();
    EXPECT_EQ(next().kind, EventKind::idle);
}

} // namespace
} // namespace sel4vm::kvm
