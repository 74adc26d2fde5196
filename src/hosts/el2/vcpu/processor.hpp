// SPDX-License-Identifier: BSD-2-Clause
//
// One physical CPU at EL2: runs vCPUs of any number of VMs, one at a time, and is the executor's EventPort. It owns the
// CPU's virtualization registers, its EL2 timer, and the loaded vCPU's state (see README.md). Everything here runs on that CPU with
// interrupts masked, except signal(), wake(), timeouts, and what Vcpu::kick(), resume() and request_turn() reach: those may come from another
// CPU, and call this one by an interrupt when it may not look around by itself.
// Deliberately not here: booting the CPU, physical devices, and any policy about what the guest did.
#pragma once

#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/platform/interrupts.hpp>
#include <hosts/el2/portable/platform_info.hpp>
#include <hosts/el2/portable/registers/controls.hpp>
#include <hosts/el2/portable/sched/fair_scheduler.hpp>
#include <hosts/el2/vcpu/vcpu.hpp>
#include <hosts/el2/vcpu/virtual_interface.hpp>

#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/host/event_port.hpp>

#include <atomic>

namespace sel4vm::aarch64 {
class TableReader;
}

namespace sel4vm::el2 {

struct ProcessorSetup {
    TimerInfo timer;
    IrqInfo maintenance{25, IrqTrigger::level};
    u32 pmu_intid = 0;                                  ///< the counters' interrupt, a private one; 0: there is none
    Mmio gich;                                          ///< GICv2: the GICH registers
    u64 slice_microseconds = kDefaultSliceMicroseconds; ///< what one runs at a time while others wait
    /// Something may call signal() when all vCPUs wait: never report idle. Otherwise only while there are announced sources.
    bool waits_for_notifications = true;

    /// For the interrupts and registers of this machine.
    [[nodiscard]] static ProcessorSetup of(const PlatformInfo &platform) {
        ProcessorSetup setup;
        setup.timer = platform.timer;
        if (platform.gic.maintenance)
            setup.maintenance = *platform.gic.maintenance;
        setup.pmu_intid = platform.pmu_intid;
        if (platform.gic.hypervisor)
            setup.gich = Mmio{platform.gic.hypervisor->base()};
        return setup;
    }
};

/// Which guest interrupt controllers this hardware can virtualize.
struct GicVersionsSupported {
    bool v2 = false;
    bool v3 = false;
};

/// Counts of what the host does by itself; statistics only.
struct ProcessorCounters {
    u64 interrupts = 0;
    u64 vcpu_switches = 0;
    u64 fp_switches = 0;
    u64 idle_waits = 0;
};

class Processor final : public EventPort {
public:
    /// Takes over the calling CPU's vectors and virtualization registers.
    Processor(Gic &gic, Interrupts &interrupts, const ProcessorSetup &setup);
    Processor(const Processor &) = delete;
    Processor &operator=(const Processor &) = delete;

    void resume_and_wait(Answer answer, Event &event) override;
    /// The same as a part of its caller (exit_path.hpp): what Executor::run_on() takes.
    void resume_here(Answer answer, Event &event);
    void apply(Answer answer) override;
    void set_timeout(u64 at_ticks) override;
    void cancel_timeout() override { set_timeout(kNever); }
    void signal(u64 badge) override;
    void wait_for_others() override;
    void wake() override;

    /// Takes everything of its vCPUs out of the hardware, so that another Processor of the same CPU can use it; no vCPU
    /// of this one runs until take_over(), which it calls before its next resume_and_wait(). SIMD registers are the host's own
    /// meanwhile.
    void release();
    /// Makes the hardware this Processor's again.
    void take_over();

    /// Something may call signal() from now on, until as many calls of remove_signal_source().
    void add_signal_source() { ++signal_sources_; }
    void remove_signal_source() { --signal_sources_; }

    [[nodiscard]] GicVersionsSupported gic_versions() const;
    /// Guests can have the performance monitors of this CPU.
    [[nodiscard]] bool lends_pmu() const { return pmu_intid_ != 0; }
    [[nodiscard]] const ProcessorCounters &counters() const { return counters_; }

private:
    friend class Vcpu;
    friend class VcpuListRegisters;
    friend class VcpuPmu;
    friend class VcpuTimer;
    friend class GuestRegisters;
    friend class GuestTranslator;

    enum class Outcome : u8 { deliver, go_on };
    enum class Taken : u8 { from_a_guest, from_the_host };

    // exit_path.hpp
    void finish(Answer answer);
    void complete(Vcpu &vcpu, u64 data);
    void advance(Vcpu &vcpu);
    [[nodiscard]] Outcome on_exit(Vcpu &vcpu, u64 cause, Event &event);
    [[nodiscard]] Outcome on_data_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    template <class Payload>
    Outcome deliver(Vcpu &vcpu, Vcpu::Pending pending, const Payload &payload, Event &event);
    Outcome deliver_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Gpa gpa, Event &event);
    void resume_slowly(Event &event);

    // scheduling.cpp: who runs, and what wakes it
    void call_attention();
    void queue_request(Vcpu &vcpu);
    void detach(Vcpu &vcpu);
    void leave_running(Vcpu &vcpu, AnswerKind how, Next next);
    void post(Vcpu &vcpu, u32 due);
    void wake_queued(Vcpu &vcpu);
    void read_inbox(u64 now);
    void serve_requests(Vcpu &vcpu);
    [[nodiscard]] Vcpu *pick();
    void give_time(Vcpu *vcpu, u64 now);
    [[nodiscard]] Vcpu *choose(Event &event);
    [[nodiscard]] bool deliver_notification(Event &event);
    void deliver_due(Vcpu &vcpu, Event &event);
    [[nodiscard]] bool deliver_turn(Vcpu &vcpu, Event &event);
    void plan_wake_up(Vcpu &vcpu);
    void queue_wake_up(Vcpu &vcpu);
    void wake_due(u64 now);
    [[nodiscard]] bool anything_can_happen(u64 now) const;
    void program_timer();

    // physical_interrupts.cpp
    void wait_for_interrupt();
    [[nodiscard]] Outcome take_interrupt(Event *event);
    [[nodiscard]] bool take_own_kick();
    [[nodiscard]] Outcome take_passed(const PassedIrqTable::Owner &owner, u32 intid, Event *event);
    void take_pmu_interrupt(IrqToken token);
    void take_host_interrupt(IrqToken token, Taken taken);

    // switching.cpp: whose state is in the hardware
    void configure();
    void load(Vcpu &vcpu);
    void save_loaded();
    void unload(const Vcpu &vcpu);
    void put_away(Vcpu &vcpu);
    void forget(const Vcpu &vcpu);
    void trap_wait_for_event(bool trapped);
    void unmask_virtual_timer();
    [[nodiscard]] bool virtual_timer_is_active() const { return gic_.is_active(timer_.virt); }
    [[nodiscard]] Outcome on_serror();
    /// The vCPU's SIMD registers are in the unit from now on.
    void give_fp(Vcpu &vcpu);
    void load_debug(const Vcpu &vcpu);
    /// They are in vcpu.fp_ from now on.
    void take_fp(Vcpu &vcpu);
    // lending_pmu.cpp: the counters are the loaded vCPU's from now on, and back in vcpu.pmu_
    void lend_pmu(Vcpu &vcpu);
    void take_back_pmu(Vcpu &vcpu);
    void follow_pmu_interrupt(Vcpu &vcpu);
    void trap_pmu(const Vcpu &vcpu);

    // table_walks.cpp: the guest's own translation
    [[nodiscard]] aarch64::ParEl1 translate(Vcpu &vcpu, u64 address, MemoryAccess access);
    [[nodiscard]] std::optional<Gpa> stage1(Vcpu &vcpu, u64 address, MemoryAccess access);
    static void search_walk(Vcpu &vcpu, u64 address, aarch64::TableReader &search);
    [[nodiscard]] Outcome on_walk_fault(Vcpu &vcpu, u64 address, Gpa page, aarch64::FaultStatus kind, Event &event);
    [[nodiscard]] Outcome on_lost_translation(Vcpu &vcpu, aarch64::ParEl1 par, u64 address, MemoryAccess access,
                                              Event &event);

    // exits.cpp: the rarer synchronous exits
    void advance_carefully(Vcpu &vcpu);
    void leave_instruction(Vcpu &vcpu, AnswerKind how, GuestFault fault);
    void inject(Vcpu &vcpu, aarch64::GuestException fault);
    void raise(Vcpu &vcpu, const aarch64::EntrySyndrome &syndrome);
    [[nodiscard]] Outcome on_tlb_conflict(Vcpu &vcpu);
    [[nodiscard]] Outcome on_other(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_other_data_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_instruction_abort(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_system_register(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_coprocessor(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome on_wait(Vcpu &vcpu, aarch64::EsrEl2 esr, Event &event);
    [[nodiscard]] Outcome start_sequence(Vcpu &vcpu, aarch64::IssDataAbort iss, Gpa gpa, Event &event);
    void complete_slowly(Vcpu &vcpu, Vcpu::Pending pending, u64 data);
    void advance_answered(Vcpu &vcpu);
    void continue_sequence(Vcpu &vcpu, u64 data);
    void end_sequence(Vcpu &vcpu, aarch64::AccessStep step);
    [[nodiscard]] bool host_register(Vcpu &vcpu, u32 id, aarch64::EsrEl2 esr);

    // Hot fields first.
    std::atomic<u32> attention_{1}; ///< not zero: look around before entering the guest
    Vcpu *running_ = nullptr;       ///< loaded and to be entered while nothing asks for attention
    Vcpu *answered_ = nullptr;      ///< whose exit the next answer is about
    Vcpu *loaded_ = nullptr;        ///< whose state is in the hardware
    Gic &gic_;
    TimerInfo timer_;
    Interrupts &interrupts_;
    VirtualInterface interface_;
    FairScheduler<Vcpu> scheduler_;
    MinHeap wake_ups_; ///< of vCPUs that are blocked
    Vcpu *fp_owner_ = nullptr;
    Vcpu *has_time_ = nullptr; ///< whose account the time goes to that is spent running
    std::atomic<Vcpu *> inbox_{nullptr};
    std::atomic<u64> badge_{0};
    std::atomic<bool> woken_{false}; ///< somebody called wake()
    std::atomic<u64> timeout_{kNever};
    u64 planned_timeout_ = kNever; ///< the timeout that the EL2 timer was last set for
    u64 programmed_ = kNever;      ///< what the EL2 timer is set to
    u32 maintenance_intid_;
    u32 pmu_intid_; ///< 0: guests have no counters
    u32 zva_bytes_;
    u32 signal_sources_;
    bool traps_wait_for_event_ = false;
    bool notified_last_ = false; ///< the last event was a notification
    bool pmu_lent_ = false;      ///< the counters are the loaded vCPU's
    bool debug_loaded_ = false;  ///< breakpoints or watchpoints of the loaded vCPU are in the hardware
    SwitchedExtras switched_extras_;
    CpuFeatures features_;
    PmuUnit pmu_;
    /// Of guests. As needed, HCR_EL2 has TWE and VSE, CPTR_EL2 has TFP in addition, and MDCR_EL2 has no TPM and TPMCR.
    Controls controls_;
    aarch64::PstateFeatures pstate_features_;
    ProcessorCounters counters_;
};

} // namespace sel4vm::el2
