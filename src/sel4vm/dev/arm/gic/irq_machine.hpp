// SPDX-License-Identifier: BSD-2-Clause
//
// The interrupt state machine that GICv2 and GICv3 share: enable, pending, active, group, priority, configuration and
// routing of every interrupt, and the list of candidates for each vCPU's list registers, kept up to date with every
// change so that delivery never searches. It knows neither registers nor list registers nor threads: the caller holds the parts that it
// touches (gic_locks.hpp), and acts afterwards on what take_wakes() and finished() say.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/dev/arm/gic/gic_config.hpp>
#include <sel4vm/dev/arm/gic/irq_state.hpp>
#include <sel4vm/dev/arm/gic/lpis.hpp>
#include <sel4vm/dev/arm/gic/physical_irqs.hpp>
#include <sel4vm/vm/irq.hpp>

namespace sel4vm::dev {

/// The end of an interrupt, as seen in a list register; or of its refusal.
struct FinishedIrq {
    u16 cpu = 0;
    u16 intid = 0;
};

/// GICv3 IROUTER.Interrupt_Routing_Mode.
enum class Routing : u8 { listed, any_cpu };
/// GICv3 GICR_WAKER.
enum class RedistributorPower : u8 { asleep, awake };

/// Of a word of shared interrupts. True when one became a candidate of this vCPU.
bool change_shared_candidates(CpuState &cpu, u32 w, u32 bits, u32 ready);

class IrqMachine {
public:
    [[nodiscard]] Status<GicError> init(Allocator &allocator, const GicConfig &config);
    /// What the hosts' list registers allow; before anything is delivered.
    void adapt(const aarch64::ListRegisterAbilities &abilities);
    /// Whether list registers can be read and rewritten at any time.
    [[nodiscard]] bool can_rewrite() const { return can_rewrite_; }
    /// Power-on state of everything but the wires; list registers are the deliveries' business.
    void reset();
    void turned_on(u32 cpu);
    void turned_off(u32 cpu);

    [[nodiscard]] GicVersion version() const { return version_; }
    /// GICD_TYPER.
    [[nodiscard]] u32 distributor_type() const { return distributor_type_; }
    [[nodiscard]] bool has_message_spis() const;
    [[nodiscard]] u32 cpu_count() const { return static_cast<u32>(cpus_.size()); }
    [[nodiscard]] u32 word_count() const { return static_cast<u32>(shared_.size()) + 1; }
    /// One past the highest INTID.
    [[nodiscard]] u32 intid_limit() const { return kIrqsPerWord + spi_count_; }
    [[nodiscard]] CpuState &cpu(u32 index) { return cpus_[index]; }
    [[nodiscard]] std::span<CpuState> cpus() { return cpus_.view(); }
    [[nodiscard]] SharedWord &shared(u32 w) { return shared_[w - 1]; }
    [[nodiscard]] IrqWord &word(u32 cpu, u32 w) { return w == 0 ? cpus_[cpu].irq : shared_[w - 1].irq; }
    [[nodiscard]] IrqWord &word(CpuState &cpu, u32 w) { return w == 0 ? cpu.irq : shared_[w - 1].irq; }

    // -- inputs
    void set_wire(u32 cpu, u32 intid, Level level);
    void set_private_wire(CpuState &cpu, u32 intid, Level level) {
        const u32 b = bit<u32>(intid);
        if (drive(cpu.irq, b, level))
            update_private(cpu, b);
    }
    /// A write of an interrupt's number to the distributor: to SETSPI (high) or CLRSPI (low). Numbers of no shared interrupt are ignored.
    void send_message(u32 intid, Level level);
    void send_sgi(u32 target, u32 sgi, u8 source) { send_sgi(cpus_[target], sgi, source); }
    void send_sgi(CpuState &target, u32 sgi, u8 source) {
        target.sgi_sources[sgi] |= bit<u8>(source);
        target.irq.latched |= bit<u32>(sgi);
        update_private(target, bit<u32>(sgi));
    }

    /// SGIs from vCPUs that do not hold the target's part (sgi_inbox.hpp), with LockMode::spin only.
    [[nodiscard]] SgiInbox &inbox(u32 cpu) { return cpus_[cpu].inbox; }
    /// Takes over what is in the inbox of a vCPU.
    void collect_sgis(CpuState &cpu) {
        if (!cpu.inbox.is_empty()) [[unlikely]]
            collect_posted(cpu);
    }

    // -- parts of the state (gic_locks.hpp), with LockMode::spin only
    /// Whether what a vCPU has to do with its own interrupts touches the shared part.
    [[nodiscard]] static bool needs_shared(const CpuState &cpu) {
        return (cpu.shared_words.load(std::memory_order_relaxed) | cpu.unlisted | cpu.chores | (cpu.tied ? 1u : 0u)) !=
               0;
    }
    /// The holder of this vCPU's part has got the shared one, too; or is about to let go of it.
    static void join_shared(CpuState &cpu);
    static void leave_shared(CpuState &cpu);

    // -- state, by words; `bits` of interrupts that do not exist are ignored
    void enable(u32 cpu, u32 w, u32 bits);
    void disable(u32 cpu, u32 w, u32 bits);
    void set_groups(u32 cpu, u32 w, u32 group1);
    void set_edge(u32 cpu, u32 w, u32 bits, u32 edge);
    void set_pending(u32 cpu, u32 w, u32 bits);
    void clear_pending(u32 cpu, u32 w, u32 bits);
    void clear_sgi_sources(u32 cpu, u32 sgi, u8 sources);
    void set_active(u32 cpu, u32 w, u32 bits);
    void clear_active(u32 cpu, u32 w, u32 bits);
    [[nodiscard]] u32 pending(u32 cpu, u32 w);
    /// Sending CPUs of a pending SGI, list registers included.
    [[nodiscard]] u8 sgi_sources(u32 cpu, u32 sgi);
    void set_priority(u32 cpu, u32 intid, u8 priority);

    // -- routing of shared interrupts
    void set_route(u32 intid, u32 route, Routing routing);
    void set_power(u32 cpu, RedistributorPower power);
    /// Whether any goes to more than one vCPU, which then depends on their CPU interfaces.
    [[nodiscard]] bool has_choices() const { return choices_ != 0; }
    /// What a vCPU that watches its CPU interface found.
    void saw_gate(CpuState &cpu, const InterfaceGate &gate);

    // -- distributor control: which groups are forwarded; bit 0 group 0, bit 1 group 1
    void set_forwarded_groups(u32 groups);
    [[nodiscard]] u32 forwarded_groups() const { return forwarded_groups_; }

    // -- for delivery
    /// Bits of the word that are enabled in a forwarded group.
    [[nodiscard]] u32 forwarded_bits(const IrqWord &irq) const {
        return irq.enabled & ((irq.group1 & group1_mask_) | (~irq.group1 & group0_mask_));
    }
    /// Whether it is one of them, and goes to this vCPU.
    [[nodiscard]] bool is_forwarded(u32 cpu, u32 intid);
    /// Recomputes the candidates of these interrupts after a change; `cpu` matters for word 0.
    void update(u32 cpu, u32 w, u32 bits) {
        if (w == 0)
            update_private(cpus_[cpu], bits);
        else
            update_shared(w, bits);
    }
    void update(CpuState &cpu, u32 w, u32 bits) {
        if (w == 0)
            update_private(cpu, bits);
        else
            update_shared(w, bits);
    }
    void set_holder(u32 cpu, u32 intid) {
        if (intid >= kIrqsPerWord)
            shared(intid / kIrqsPerWord).holder[intid % kIrqsPerWord] = static_cast<u8>(cpu);
    }
    /// Whether the list register that holds it, if any does, is this vCPU's.
    [[nodiscard]] bool is_held_by(u32 cpu, u32 intid) {
        if (intid < kIrqsPerWord)
            return true;
        const SharedWord &place = shared(intid / kIrqsPerWord);
        return (place.irq.listed & bit<u32>(intid % kIrqsPerWord)) != 0 && place.holder[intid % kIrqsPerWord] == cpu;
    }
    /// The vCPU that can end an interrupt that is active without a list register.
    [[nodiscard]] u8 ender_of(u32 cpu, u32 intid) {
        if (intid < kIrqsPerWord)
            return static_cast<u8>(cpu);
        const SharedWord &place = shared(intid / kIrqsPerWord);
        const u32 i = intid % kIrqsPerWord;
        return (place.irq.unlisted & bit<u32>(i)) != 0 ? place.holder[i] : place.target[i];
    }
    /// They are listed again, or no longer active, or nobody is there to end them.
    void forget_unlisted(u32 cpu, u32 w, u32 bits);
    [[nodiscard]] u8 target_of(u32 cpu, u32 intid) {
        return intid < kIrqsPerWord ? static_cast<u8>(cpu) : shared(intid / kIrqsPerWord).target[intid % kIrqsPerWord];
    }
    /// Wakes the vCPUs other than `caller` whose list registers hold an interrupt of this word, so that they report.
    void wake_holders(u32 caller, u32 cpu, u32 w);

    // -- LPIs, by INTID (irq_machine_lpis.cpp)
    [[nodiscard]] Lpis &lpis() { return lpis_; }
    /// They are all of group 1.
    [[nodiscard]] bool forwards_lpis() const { return group1_mask_ != 0; }
    void pend_lpi(u32 cpu, u32 intid);
    void clear_lpi(u32 cpu, u32 intid);
    void move_lpi(u32 from, u32 to, u32 intid);
    void move_all_lpis(u32 from, u32 to);
    void set_pending_lpis(u32 cpu, const PendingLpis &more);
    /// What is pending may be deliverable now, or no longer.
    void lpis_changed();

    /// By whoever holds the shared part.
    void wake(u32 cpu) { wake(cpus_[cpu]); }
    void wake(CpuState &cpu) {
        if (apart_) [[unlikely]]
            wakes_apart_.add(CpuSet::of(cpu.index));
        else
            wake_own(cpu);
    }
    /// By whoever holds this vCPU's part.
    void wake_own(CpuState &cpu) {
        if (cpu.woken)
            return;
        cpu.woken = true;
        if (apart_) [[unlikely]]
            return;
        last_woken_ = &cpu;
        ++wakes_;
    }
    /// By whoever holds the part that this word is in.
    void wake(u32 w, u32 cpu) {
        if (w == 0)
            wake_own(cpus_[cpu]);
        else
            wake(cpus_[cpu]);
    }
    void forget_wake(CpuState &cpu) {
        if (apart_) [[unlikely]] {
            if (cpu.sees_shared)
                wakes_apart_.remove(CpuSet::of(cpu.index));
        } else {
            wakes_ -= cpu.woken ? 1 : 0;
        }
        cpu.woken = false;
    }
    [[nodiscard]] bool is_woken(const CpuState &cpu) const {
        return cpu.woken || (apart_ && cpu.sees_shared && wakes_apart_.has(cpu.index));
    }
    /// With LockMode::spin those that wake() has named, and no others.
    [[nodiscard]] CpuSet take_wakes();

    /// Whether there are wakes or finished interrupts to act on.
    [[nodiscard]] bool has_news() const { return wakes_ != 0 || !finished_.empty(); }

    /// An injection was refused. When somebody listens, it becomes one of finished() as soon as the guest has made it deliverable.
    void note_refused(u32 cpu, u32 intid);
    /// Whether there are more of them than fitted; they are in finished() now.
    [[nodiscard]] bool has_more_refused() {
        everything_changed();
        return !finished_.empty();
    }

    static constexpr usize kRefusedAtOnce = 4;
    // One of each list register of the one vCPU that folds, a word that a register write ends, and refused ones; the caller empties it
    // every time.
    using FinishedIrqs = FixedVector<FinishedIrq, kMaxListRegisters + kIrqsPerWord + kRefusedAtOnce>;
    void note_finished(u32 cpu, u32 intid, EndedBy how = EndedBy::software) {
        if (physical_.exist() && end_physical(intid, how)) [[unlikely]]
            return;
        static_cast<void>(finished_.emplace_back(FinishedIrq{static_cast<u16>(cpu), static_cast<u16>(intid)}));
    }
    [[nodiscard]] FinishedIrqs &finished() { return finished_; }

    // -- interrupts of the hardware behind shared ones (irq_machine_physical.cpp)
    /// False: there is no memory for it.
    [[nodiscard]] bool connect_physical(Allocator &allocator, u32 intid, Trigger trigger,
                                        aarch64::PhysicalIrqPort &port, aarch64::PhysicalIrqSink &sink);
    [[nodiscard]] bool is_physical(u32 intid) {
        return intid >= kIrqsPerWord && (shared(intid / kIrqsPerWord).physical & bit<u32>(intid % kIrqsPerWord)) != 0;
    }
    /// Whether the hardware's is active for the guest's.
    [[nodiscard]] bool is_taken(u32 intid) {
        return intid >= kIrqsPerWord && (shared(intid / kIrqsPerWord).taken & bit<u32>(intid % kIrqsPerWord)) != 0;
    }
    /// It came, and is active in the hardware.
    void take_physical(u32 intid);
    /// None comes any more, and none is active, until the guest enables it again.
    void release_physical();

private:
    /// Moves one wire; true when that may make a difference.
    [[nodiscard]] static bool drive(IrqWord &irq, u32 b, Level level) {
        const bool high = level == Level::high;
        if (((irq.wire & b) != 0) == high)
            return false;
        irq.wire ^= b;
        if ((irq.edge & b) != 0) {
            if (high)
                irq.latched |= b;
            return high;
        }
        // A listed level interrupt has EOI maintenance, which looks at the wire again.
        return !high || (irq.listed & b) == 0;
    }
    void reset_word(IrqWord &irq, u32 edge);
    /// Of one word, or of all: refused interrupts may be deliverable now.
    void forwarding_changed(u32 cpu, u32 w) {
        if (word(cpu, w).refused != 0) [[unlikely]]
            collect_refused(cpu, w);
    }
    void everything_changed() {
        if (refused_ != 0) [[unlikely]]
            collect_refused();
    }
    void collect_refused();
    void collect_refused(u32 cpu, u32 w);
    [[nodiscard]] u32 ready_bits(const IrqWord &irq) const {
        return irq.waiting() & forwarded_bits(irq) & ~(irq.active | irq.listed);
    }
    void update_private(CpuState &cpu, u32 bits);
    void update_shared(u32 w, u32 bits);
    void collect_posted(CpuState &cpu);
    void retarget(u32 w, u32 i);
    [[nodiscard]] u8 resolve(const SharedWord &shared, u32 i) const;
    [[nodiscard]] u8 choose(const SharedWord &shared, u32 i, u32 among) const;
    void survey();
    void retarget_choices(u32 w, u32 bits);
    void retarget_choices();
    void watch_interfaces();
    [[nodiscard]] bool has_unlisted_active(u32 cpu);
    [[nodiscard]] bool end_physical(u32 intid, EndedBy how);
    void follow_physical(u32 w, u32 bits);
    void let_go_physical(u32 w, u32 b);
    void reset_private(u32 cpu);
    void serve_lpis(u32 cpu);
    void update_all();

    GicVersion version_ = GicVersion::v3;
    bool can_rewrite_ = false;
    bool apart_ = false; ///< LockMode::spin: the parts of the state have different holders
    u8 priority_mask_ = 0xf8;
    u32 spi_count_ = 0;
    u32 distributor_type_ = 0;
    u32 forwarded_groups_ = 0;
    u32 group0_mask_ = 0;
    u32 group1_mask_ = 0;
    u32 wakes_ = 0; ///< how many are woken
    CpuState *last_woken_ = nullptr;
    CpuSet wakes_apart_; ///< likewise, while the parts have different holders
    u32 choices_ = 0;    ///< interrupts that go to more than one vCPU
    u32 refused_ = 0;    ///< interrupts of which an injection was refused
    FinishedIrqs finished_;
    OwnedArray<CpuState> cpus_;
    OwnedArray<SharedWord> shared_;
    /// GICv3: who takes what may go to any vCPU, by group and priority; up to date while there are choices.
    static constexpr usize kPriorities = 256;
    std::array<std::array<u8, kPriorities>, 2> any_cpu_{};
    Lpis lpis_; ///< empty without them
    PhysicalIrqs physical_;
};

} // namespace sel4vm::dev
