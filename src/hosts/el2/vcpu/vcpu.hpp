// SPDX-License-Identifier: BSD-2-Clause
//
// One virtual CPU of the el2 host: its register context and the ports onto it. It belongs to the Processor (the physical
// CPU) that it was made for, and its state is in that CPU's hardware (it is loaded) or here. Only kick(), resume() and
// request_turn() may be called from elsewhere; the rest as VcpuPort says. When it runs and what an exit means is the Processor's business.
#pragma once

#include <hosts/el2/portable/sched/fair_scheduler.hpp>
#include <hosts/el2/portable/sched/time_account.hpp>
#include <hosts/el2/stage2.hpp>
#include <hosts/el2/vcpu/context.hpp>
#include <hosts/el2/vcpu/debug_unit.hpp>
#include <hosts/el2/vcpu/el1_state.hpp>
#include <hosts/el2/vcpu/fp_state.hpp>
#include <hosts/el2/vcpu/pmu_unit.hpp>
#include <hosts/el2/vcpu/virtual_interface.hpp>

#include <sel4vm/arch/aarch64/access.hpp>
#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/arch/aarch64/ports/pmu_port.hpp>
#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/base/repeat_guard.hpp>
#include <sel4vm/host/event.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <atomic>

namespace sel4vm::el2 {

class Gic;
class Processor;
class Vcpu;

struct VcpuSetup {
    VmId vm; ///< named in its events
    VcpuId vcpu;
    u64 affinity = 0;       ///< the guest's MPIDR_EL1 affinity fields
    u64 counter_offset = 0; ///< see TimerPort::set_counter_offset
};

class VcpuListRegisters final : public aarch64::ListRegisterPort {
public:
    explicit VcpuListRegisters(Vcpu &vcpu) : vcpu_(vcpu) {}
    [[nodiscard]] aarch64::ListRegisterAbilities abilities() const override;
    [[nodiscard]] bool write(unsigned index, const aarch64::ListRegister &value) override;
    [[nodiscard]] aarch64::ListRegister read(unsigned index) override;
    [[nodiscard]] u32 take_finished() override;
    void set_maintenance(u32 causes) override;
    [[nodiscard]] u32 take_unlisted_ends() override;
    [[nodiscard]] bool priority_runs(u8 priority, bool group1) override;
    void set_deactivation(aarch64::Deactivation how) override;
    [[nodiscard]] u32 interface_control() override;
    void set_interface_control(u32 value) override;

private:
    void set_control_bits(u32 mask, u32 bits);
    Vcpu &vcpu_;
};

class VcpuTimer final : public aarch64::TimerPort {
public:
    explicit VcpuTimer(Vcpu &vcpu) : vcpu_(vcpu) {}
    void unmask() override;
    [[nodiscard]] u16 physical_intid() override;
    [[nodiscard]] aarch64::VirtualTimerState state() override;
    void set_state(const aarch64::VirtualTimerState &state) override;
    [[nodiscard]] u64 counter_offset() override;
    void set_counter_offset(u64 ticks) override;

private:
    Vcpu &vcpu_;
};

class VcpuPmu final : public aarch64::PmuPort {
public:
    explicit VcpuPmu(Vcpu &vcpu) : vcpu_(vcpu) {}
    void connect(aarch64::PmuSink &sink) override { sink_ = &sink; }
    [[nodiscard]] std::optional<u64> read_pmu(u32 id) override;
    [[nodiscard]] bool write_pmu(u32 id, u64 value) override;
    /// To be called when there is one: its guest has used the counters.
    [[nodiscard]] aarch64::PmuSink &sink() const { return *sink_; }

private:
    Vcpu &vcpu_;
    aarch64::PmuSink *sink_ = nullptr;
};

class Vcpu final : public VcpuPort, public ScheduledTask {
public:
    /// Stopped, with everything zero, until reset() and resume(). All but the setup outlive it; `share` is the VM's, one for
    /// all its vCPUs on this processor.
    Vcpu(Processor &processor, Stage2 &space, VmShare &share, const VcpuSetup &setup);
    ~Vcpu();
    Vcpu(const Vcpu &) = delete;
    Vcpu &operator=(const Vcpu &) = delete;

    [[nodiscard]] aarch64::ListRegisterPort &list_registers() { return list_registers_; }
    [[nodiscard]] aarch64::TimerPort &timer() { return timer_port_; }
    /// nullptr: its CPU has no performance monitors that this host can lend.
    [[nodiscard]] aarch64::PmuPort *pmu();

    [[nodiscard]] u64 general_register(unsigned n) override {
        SEL4VM_ASSERT(n <= 31);
        return n == 31 ? 0 : context_.x[n];
    }
    void set_general_register(unsigned n, u64 value) override {
        SEL4VM_ASSERT(n <= 31);
        if (n != 31)
            context_.x[n] = value;
    }
    [[nodiscard]] u64 program_counter() override { return context_.pc - beyond_call(); }
    void set_program_counter(u64 value) override {
        if (value != program_counter())
            due_ &= ~u32{kDuePart}; // not of another instruction
        context_.pc = value + beyond_call();
    }
    [[nodiscard]] Result<u64, HostError> system_register(u32 id) override;
    [[nodiscard]] Status<HostError> set_system_register(u32 id, u64 value) override;
    void reset(const VcpuStart &start) override;
    void resume() override { request(kRequestResume); }
    void kick() override;
    void request_turn() override { request(kRequestTurn); }
    [[nodiscard]] Result<VcpuTimes, HostError> times() const override;
    [[nodiscard]] VcpuCounts counts() const override { return {listing_.count, kicks_}; }
    [[nodiscard]] Status<HostError> publish_stolen_time(volatile u64 *nanoseconds) override;

    /// Of the CPU that it runs on.
    [[nodiscard]] const Gic &physical_gic() const;
    /// x0-x30 and PSTATE, for whoever wants many of them; PC is program_counter().
    [[nodiscard]] const GuestContext &context() const { return context_; }
    /// Registers of EL0 software's own.
    struct ThreadRegisters {
        u64 sp_el0, tpidr_el0, tpidrro_el0;
    };
    [[nodiscard]] ThreadRegisters thread_registers() const;
    /// SIMD register `n` (0 to 31), its low (0) or high (1) half.
    [[nodiscard]] u64 simd_register(unsigned n, unsigned half);
    void set_simd_register(unsigned n, unsigned half, u64 value);

private:
    friend class Processor;
    friend class VcpuListRegisters;
    friend class VcpuPmu;
    friend class VcpuTimer;
    friend class GuestRegisters;
    friend class GuestTranslator;

    enum class State : u8 {
        stopped,
        working, ///< stopped, and the VMM wants turns to work for it
        blocked,
        ready,
    };
    /// What completing the last exit takes.
    enum class Pending : u8 {
        call, ///< HVC, which hardware has gone past already: to everybody else PC is that of the call until the exit is answered
        advance,     ///< on to the next instruction
        load,        ///< the data goes where the syndrome says, then on
        mrs,         ///< the same for a system register
        sequence,    ///< one part of a compound access is done
        coprocessor, ///< like `mrs`, for AArch32
        nothing,     ///< no instruction to finish
    };
    /// Exits that are delivered before the guest runs again.
    enum Due : u32 { kDueKick = 1, kDueTimer = 2, kDueMaintenance = 4, kDuePart = 8, kDueTurn = 16 };
    /// What others asked for, and kicks: how many, in units of kRequestKick. It is in its Processor's inbox while that is not 0.
    enum Request : u32 { kRequestResume = 1, kRequestTurn = 2, kRequestKick = 4 };

    /// Its place among those that wake up by themselves.
    struct WakeUp final : el2::HeapNode {
        explicit WakeUp(Vcpu &its_vcpu) : vcpu(its_vcpu) {}
        Vcpu &vcpu;
    };

    [[nodiscard]] u64 beyond_call() const { return pending_ == Pending::call ? 4 : 0; }
    [[nodiscard]] bool loaded() const;
    void request(u32 what);
    void run_from(u64 now);
    [[nodiscard]] u64 el1(El1Register which) const { return loaded() ? read_el1(which) : el1_.get(which); }
    void set_el1(El1Register which, u64 value);
    [[nodiscard]] Status<HostError> set_pstate(u64 value);
    [[nodiscard]] u64 timer_fires_at(u64 now) const;
    /// When a blocked vCPU goes on by itself and the hardware does not see to it; kNever when it does not.
    [[nodiscard]] u64 wakes_at(u64 now) const;

    GuestContext context_;
    EventSource exit_source_; ///< of its exits
    Pending pending_ = Pending::nothing;
    Pending part_pending_ = Pending::nothing; ///< what it is for the part that is due
    State state_ = State::stopped;
    u32 due_ = 0;
    u64 fault_address_ = 0; ///< FAR_EL2 of the last abort
    u8 walk_level_ = 0;     ///< of the table, when that was an abort of a stage 1 walk
    RepeatGuard conflicts_; ///< aborts that are answered by another try
    Processor &processor_;
    Stage2 &space_;
    VcpuSetup setup_;

    u64 hcr_; ///< its HCR_EL2, without TWE
    /// Side by side, because one instruction fetches both.
    struct {
        u64 in_use = 0; ///< list registers
        u64 count = 0;  ///< how often one was filled; statistics only
    } listing_;
    bool timer_masked_ = false; ///< its interrupt was taken and is active, until unmask() or a linked EOI
    aarch64::VirtualTimerState timer_state_;
    u64 counter_offset_;
    u64 wait_until_ = kNever; ///< WFIT: physical ticks
    El1State el1_;
    VirtualInterfaceState interface_;
    DebugUnit debug_;
    FpState fp_;
    PmuState pmu_;
    /// Its guest has the wire of the counters' interrupt high: accesses trap, and the physical one is active.
    bool pmu_asserts_ = false;
    aarch64::AccessSequence sequence_;
    VcpuListRegisters list_registers_{*this};
    VcpuTimer timer_port_{*this};
    VcpuPmu pmu_port_{*this};

    std::atomic<u32> requests_{0};
    u64 kicks_ = 0;                ///< that it was told of; statistics only
    Vcpu *next_request_ = nullptr; ///< in the inbox
    WakeUp wake_up_{*this};
    TimeAccount account_;
    volatile u64 *stolen_place_ = nullptr;
    u64 stolen_before_ = 0; ///< ticks that do not count there
};

} // namespace sel4vm::el2
