// SPDX-License-Identifier: BSD-2-Clause
//
// Delivery to one vCPU: keeps its list registers loaded with the best of its candidates, and reads back what the guest
// did with them. Adapts to what the host declared (docs/gic.md): with `read_back` and `clear` a list register always says
// what the state machine says; without them it is loaded late, asks for maintenance on EOI, and is left alone until then.
// Also forwards the virtual timer. All calls on the vCPU's own executor, or while the vCPU is stopped, by who holds its part of the state.
#pragma once

#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

#include <optional>

namespace sel4vm::dev {

class CpuDelivery {
public:
    void attach(IrqMachine &irqs, u32 cpu, aarch64::ListRegisterPort &lists, aarch64::TimerPort &timer);
    [[nodiscard]] bool attached() const { return lists_ != nullptr; }

    /// Takes over what the guest did since the last time: acknowledged, ended.
    void fold() {
        if (state_->lists_in_use != 0)
            fold_lists(take_ended());
        if (state_->unlisted != 0) [[unlikely]]
            fold_unlisted();
    }
    /// fold(), and looks whether a pending timer interrupt still has its cause.
    void observe();
    /// Everything: fold, correct, load.
    void service();
    /// service() because the hardware asked for it.
    void maintain();
    /// Whether the CPU interface would signal an interrupt now. In doubt yes: a needless wake-up is harmless.
    [[nodiscard]] bool has_deliverable();
    /// Whether there is one for this vCPU, whatever the CPU interface does with it. In doubt yes.
    [[nodiscard]] bool has_wake_up();
    void timer_fired(u32 intid);
    /// An SGI of this vCPU to itself, when it has ended the last one and nothing else is about. False: it has to go the long way.
    [[nodiscard]] bool send_sgi_again(u32 sgi, u8 source);
    /// An interrupt of the hardware came for this vCPU.
    void physical_fired(u32 intid);
    /// Whether load_injected_alone() may be called although the vCPU may be executing its guest.
    [[nodiscard]] bool can_serve_now() const { return abilities_.any_time && lists_->can_write_now(); }
    /// Pends and lists a shared interrupt of this vCPU, number `i` of its word, while no other is about. False: nothing was done, it has
    /// to go the long way.
    [[nodiscard]] bool load_injected_alone(SharedWord &place, u32 i, u32 intid);
    /// Empties the list registers of a vCPU that is stopped: what was pending in them goes back to the distributor, and what was
    /// active stays active there.
    void give_back();
    /// The virtual timer outlives the reset that comes before the next start().
    void keep_timer() { kept_timer_ = timer_->state(); }
    /// The vCPU starts anew.
    void start();
    /// Whether the guest has chosen to deactivate interrupts by a write of its own (EOImode 1).
    [[nodiscard]] bool splits_ends();
    /// The CPU interface of a vCPU that is stopped, where the host lets it be read.
    [[nodiscard]] std::optional<u32> interface_control() {
        return abilities_.read_back ? std::optional(lists_->interface_control()) : std::nullopt;
    }
    void set_interface_control(u32 value) { lists_->set_interface_control(value); }
    /// Pending LPIs of a vCPU that is stopped, list registers included.
    [[nodiscard]] PendingLpis pending_lpis();

private:
    enum class TimerNews : u8 { none, just_fired };
    struct Choice {
        u32 intid;
        u8 priority;
    };
    [[nodiscard]] CpuState &state() { return *state_; }
    [[nodiscard]] IrqWord &word(u32 w) { return irqs_->word(*state_, w); }
    [[nodiscard]] IrqWord &word_of(const ListEntry &entry) { return word(entry.intid / kIrqsPerWord); }
    [[nodiscard]] u32 free_lists() { return ~state().lists_in_use & lists_mask_; }

    /// Without the shared part there is nothing of this vCPU's in it.
    [[nodiscard]] u32 words_seen() const { return state_->sees_shared ? irqs_->word_count() : 1; }
    /// Calls function(intid, word, number in the word) for each interrupt that this vCPU has active without a list register.
    template <class Function>
    void for_each_unlisted(Function function) {
        for (u32 w = 0; w < words_seen(); ++w) {
            IrqWord &irq = word(w);
            for (u32 bits = irq.unlisted; bits != 0; bits &= bits - 1) {
                const u32 i = static_cast<u32>(std::countr_zero(bits));
                if (irqs_->ender_of(cpu_, w * kIrqsPerWord + i) == cpu_)
                    function(w * kIrqsPerWord + i, irq, i);
            }
        }
    }
    void correct_and_load(TimerNews news);
    void pend_timer(u32 intid);
    /// Which of those in use hold nothing any more.
    [[nodiscard]] u32 take_ended() { return lists_->take_finished() & state_->lists_in_use; }

    // cpu_delivery_alone.cpp
    [[nodiscard]] bool nothing_listed() const;
    [[nodiscard]] bool load_first(IrqWord &irq, u32 i, u32 intid, u8 source, bool eoi_maintenance, u16 linked_to);
    [[nodiscard]] bool end_alone(u32 ended);
    [[nodiscard]] bool load_timer_alone(u32 intid);
    [[nodiscard]] bool load_sgi_alone();
    [[nodiscard]] ListEntry *sole_entry(u32 ended);
    [[nodiscard]] bool load_sgi_again(u32 ended);
    [[nodiscard]] bool load_timer_again(u32 ended, u32 intid);
    void load_again(ListEntry &entry);
    [[nodiscard]] bool load_physical_alone(u32 intid);
    [[nodiscard]] bool load_physical_again(u32 ended, u32 intid);
    // cpu_delivery_fold.cpp
    void fold_lists(u32 ended);
    void finish(u32 index);
    void ended(u32 intid, bool was_linked);
    void saw(u32 index, aarch64::ListRegisterState now);
    void correct(u32 index);
    [[nodiscard]] bool should_be_pending(const ListEntry &entry, aarch64::ListRegisterState now);
    [[nodiscard]] bool take_latch(const ListEntry &entry);
    void give_back_latch(const ListEntry &entry);
    void withdraw(u32 index);
    void look_at_timer();
    // cpu_delivery_unlisted.cpp
    [[nodiscard]] u32 active_victim(u8 priority);
    void part_with(u32 index);
    void fold_unlisted();
    [[nodiscard]] u32 ended_unlisted();
    [[nodiscard]] u32 unlisted_priority();
    [[nodiscard]] bool can_unlist();
    void note_quiet();
    void watch_unlisted();
    void trap_deactivation(bool for_unlisted);
    void forget_unlisted();
    // cpu_delivery_power.cpp
    void let_go(u32 index);
    void abandon(u32 index);
    [[nodiscard]] bool claim_again(u32 intid);
    // cpu_delivery_gate.cpp
    void look_at_interface();
    [[nodiscard]] InterfaceGate gate();
    [[nodiscard]] u32 running_priority();
    [[nodiscard]] bool any_listed_passes();
    [[nodiscard]] bool any_candidate_passes(const InterfaceGate &open);
    // cpu_delivery_lpi.cpp
    template <class Function>
    void for_each_listed_lpi(Function function);
    void fold_lpis();
    void list_lpis();
    void take_lpi_back(u32 index);
    void give_back_lpis();
    [[nodiscard]] std::optional<Lpis::Choice> next_lpi();
    [[nodiscard]] u32 place_for_lpi(const Lpis::Choice &choice, u32 &listed);
    [[nodiscard]] bool lpi_passes(const InterfaceGate &open);
    // cpu_delivery_load.cpp
    void load();
    [[nodiscard]] Choice best_candidate();
    [[nodiscard]] Choice best_of_several();
    [[nodiscard]] Choice best_in(u32 w);
    void rank();
    [[nodiscard]] u32 victim_for(u8 priority);
    void list(u32 index, u32 intid);
    void refused(u32 index);
    void list_active(u32 index, u32 intid);
    void load_software_active();
    [[nodiscard]] u32 make_room(u8 priority);
    void arrange_refill();
    void report_each_end();
    void ask_for_refill(u32 causes);
    void ask_maintenance(u32 causes, u32 wanted);
    [[nodiscard]] bool write(u32 index) { return lists_->write(index, state_->lists[index]); }
    static void unlink(ListEntry &entry) {
        entry.hardware_linked = false;
        entry.physical_intid = 0;
    }
    void release(u32 index);
    void empty(u32 index);

    IrqMachine *irqs_ = nullptr;
    CpuState *state_ = nullptr;
    aarch64::ListRegisterPort *lists_ = nullptr;
    aarch64::TimerPort *timer_ = nullptr;
    u32 cpu_ = 0;
    u32 lists_mask_ = 0;
    aarch64::ListRegisterAbilities abilities_;
    bool can_rewrite_ = false;
    static constexpr u32 kNone = ~u32{0};
    bool always_eoi_ = false;
    bool links_physical_ = false; ///< list registers can be linked to interrupts of the hardware
    std::optional<aarch64::VirtualTimerState> kept_timer_;
    u16 timer_intid_ = 0; ///< physical; 0 when the timer's list register cannot be linked to it
};

} // namespace sel4vm::dev
