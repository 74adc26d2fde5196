// SPDX-License-Identifier: BSD-2-Clause
//
// The EL1 physical timer of each vCPU and reads of the physical counter, emulated (Arm ARM DDI 0487, "The Generic Timer"), for
// hosts that keep the real physical timer for themselves. The virtual timer is the hardware's own (TimerPort), not here.
// The guest's physical counter is the host's clock minus one offset, chosen to be that of the virtual counter, so that both
// counters of a guest agree.
// Chosen: with ENABLE clear ISTATUS reads as zero (the architecture leaves it unknown); CVAL is zero after reset.
// The guest cannot see the condition met (ISTATUS, or the counter behind the compare value) before its interrupt is pending: whatever
// it reads here brings the line up to date first.
//
// Threads: a vCPU's registers on its executor; the timeouts on the one that owns the queue given for it, which may be another.
#pragma once

#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/object_vector.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/timeout.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::dev {

struct GenericTimerConfig {
    u32 intid = aarch64::kTimerIntidPhysical;
    u64 counter_offset_ticks = 0; ///< host clock at which the guest's counter is zero
    LockMode locks = LockMode::none;
};

class GenericTimer final : public SystemRegisterHandler {
public:
    /// What a guest can see of one vCPU's timer.
    struct State {
        u64 compare_value = 0; ///< CNTP_CVAL_EL0
        u64 control = 0;       ///< CNTP_CTL_EL0 without ISTATUS
        friend bool operator==(const State &, const State &) = default;
    };

    /// All of them outlive it.
    GenericTimer(IrqRouter &irqs, Clock &clock, Allocator &allocator, const GenericTimerConfig &config = {})
        : irqs_(irqs), clock_(clock), config_(config), channels_(allocator) {}
    GenericTimer(const GenericTimer &) = delete;
    GenericTimer &operator=(const GenericTimer &) = delete;

    /// Gives the next vCPU (0 first) its timer. False when there are Vm::kMaxVcpus already, or no memory for one more.
    [[nodiscard]] bool add_vcpu(TimeoutQueue &timeouts);
    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);

    /// Moves the guest's counter; the lines follow. No vCPU may be running.
    void set_counter_offset(u64 ticks);
    [[nodiscard]] u64 counter_offset() const { return config_.counter_offset_ticks; }

    [[nodiscard]] const char *name() const override { return "generic timer"; }
    [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
    [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
    void reset_vcpu(Vcpu &vcpu) override { restore(vcpu.id(), State{}); }

    [[nodiscard]] const State &state(VcpuId vcpu) const { return channels_[vcpu.value()].state; }
    void restore(VcpuId vcpu, const State &state);

private:
    struct Channel final : TimeoutHandler {
        Channel(GenericTimer &timer, VcpuId vcpu, TimeoutQueue &queue)
            : owner(timer), id(vcpu), timeouts(queue), lock(LockRank::device, timer.config_.locks), deadline(*this) {}
        ~Channel() { timeouts.cancel(deadline); }
        // Whatever has changed since it became due: what is true now counts.
        void timeout() override {
            LockGuard guard(lock);
            owner.update(*this);
        }

        GenericTimer &owner;
        VcpuId id;
        TimeoutQueue &timeouts;
        Mutex lock; ///< of all that follows
        Timeout deadline;
        Level driven = Level::low;
        State state;
    };

    [[nodiscard]] u64 counter() { return clock_.now_ticks() - config_.counter_offset_ticks; }
    [[nodiscard]] bool asserts(const Channel &channel, u64 now_ticks) const;
    /// Brings line and timeout in step with the registers at this moment of the host's clock.
    void update(Channel &channel, u64 now_ticks);
    void update(Channel &channel) { update(channel, clock_.now_ticks()); }

    IrqRouter &irqs_;
    Clock &clock_;
    GenericTimerConfig config_;
    ObjectVector<Channel, Vm::kMaxVcpus> channels_;
};

} // namespace sel4vm::dev
