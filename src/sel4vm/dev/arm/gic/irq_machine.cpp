// SPDX-License-Identifier: BSD-2-Clause
//
// Setup, inputs and routing of the interrupt state machine. What the guest's registers do to it is in irq_machine_state.cpp.
#include <sel4vm/dev/arm/gic/irq_machine.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>

#include <utility>

namespace sel4vm::dev {

namespace {
constexpr u32 kSgiBits = 0xffff;

template <class Function>
void for_each_bit(u32 bits, Function function) {
    for (; bits != 0; bits &= bits - 1)
        function(static_cast<u32>(std::countr_zero(bits)));
}

/// True when an interrupt became a candidate.
[[gnu::always_inline]] inline bool change_private_candidates(CpuState &cpu, u32 bits, u32 ready) {
    const u32 before = cpu.candidates[0];
    const u32 after = (before & ~bits) | (ready & bits);
    cpu.candidates[0] = after;
    cpu.candidate_words = after != 0 ? cpu.candidate_words | 1 : cpu.candidate_words & ~u32{1};
    return (after & ~before) != 0;
}
} // namespace

bool change_shared_candidates(CpuState &cpu, u32 w, u32 bits, u32 ready) {
    const u32 before = cpu.candidates[w];
    const u32 after = (before & ~bits) | (ready & bits);
    cpu.candidates[w] = after;
    const u32 word = u32{1} << w;
    const u32 words = cpu.shared_words.load(std::memory_order_relaxed);
    cpu.shared_words.store(after != 0 ? words | word : words & ~word, std::memory_order_relaxed);
    if (cpu.sees_shared) // else its holder looks at `shared_words` first
        cpu.candidate_words = after != 0 ? cpu.candidate_words | word : cpu.candidate_words & ~word;
    cpu.ranks.stale |= word;
    return (after & ~before) != 0;
}

[[gnu::cold]] Status<GicError> IrqMachine::init(Allocator &allocator, const GicConfig &config) {
    const u32 most = config.version == GicVersion::v2 ? 8 : kMaxGicCpus;
    if (config.vcpu_count == 0 || config.vcpu_count > most)
        return Err{GicError::vcpu_count};
    if (config.spi_count > kMaxSpiCount)
        return Err{GicError::spi_count};

    version_ = config.version;
    apart_ = config.locks == LockMode::spin;
    spi_count_ = config.spi_count;
    cpus_ = OwnedArray<CpuState>::make(allocator, config.vcpu_count);
    if (!cpus_)
        return Err{GicError::out_of_memory};
    const u32 words = (config.spi_count + kIrqsPerWord - 1) / kIrqsPerWord;
    if (words > 0) {
        shared_ = OwnedArray<SharedWord>::make(allocator, words);
        if (!shared_)
            return Err{GicError::out_of_memory};
    }
    for (u32 n = 0; n < config.vcpu_count; ++n) {
        cpus_[n].irq.implemented = ~u32{0};
        cpus_[n].index = static_cast<u8>(n);
        cpus_[n].affinity = aarch64::affinity_of_vcpu(n);
    }
    for (u32 w = 0; w < words; ++w) {
        const u32 left = config.spi_count - w * kIrqsPerWord;
        shared_[w].irq.implemented = low_mask<u32>(left < kIrqsPerWord ? left : kIrqsPerWord);
    }
    if (config.lpis && !lpis_.init(allocator, config.vcpu_count))
        return Err{GicError::out_of_memory};
    using aarch64::GicdTyper;
    const GicdTyper lines = GicdTyper{}.with<GicdTyper::ItLinesNumber>(static_cast<u8>(words));
    const u32 intid_bits = config.lpis ? kLpiIntidBits : 10;
    distributor_type_ = config.version == GicVersion::v2
                            ? lines.with<GicdTyper::CpuNumber>(static_cast<u8>(config.vcpu_count - 1)).raw()
                            : lines.with<GicdTyper::Rss>(true)
                                  .with<GicdTyper::IdBits>(static_cast<u8>(intid_bits - 1))
                                  .with<GicdTyper::Lpis>(config.lpis)
                                  .with<GicdTyper::Mbis>(config.message_spis)
                                  .raw(); // CPUNumber is about operation without affinity routing: zero
    reset();
    for (CpuState &cpu : cpus_)
        cpu.sees_shared = !apart_;
    return Ok{};
}

void IrqMachine::adapt(const aarch64::ListRegisterAbilities &abilities) {
    can_rewrite_ = abilities.read_back && abilities.clear;
    const u32 bits = abilities.priority_bits < 8 ? abilities.priority_bits : 8;
    priority_mask_ = static_cast<u8>(~low_mask<u32>(8 - bits));
}

void IrqMachine::reset_word(IrqWord &irq, u32 edge) {
    IrqWord fresh;
    fresh.implemented = irq.implemented;
    fresh.wire = irq.wire;
    fresh.listed = irq.listed; // by orphans; all others have been withdrawn
    fresh.listened = irq.listened;
    fresh.refused = irq.refused;
    fresh.edge = edge;
    irq = fresh;
}

[[gnu::cold]] void IrqMachine::reset() {
    forwarded_groups_ = 0;
    group0_mask_ = 0;
    group1_mask_ = 0;
    choices_ = 0;
    lpis_.reset();
    release_physical();
    for (u32 n = 0; n < cpu_count(); ++n) {
        cpus_[n].candidates = {};
        cpus_[n].candidate_words = 0;
        cpus_[n].shared_words.store(0, std::memory_order_relaxed);
        reset_private(n);
    }
    for (SharedWord &shared : shared_) {
        shared.irq.wire &= ~shared.messages; // nobody else holds those
        shared.messages = 0;
        reset_word(shared.irq, 0);
        if (physical_.exist())
            shared.irq.edge = physical_.words[static_cast<usize>(&shared - shared_.begin())].edge_at_reset;
        shared.any_cpu = 0;
        shared.choice = 0;
        for (u32 i = 0; i < kIrqsPerWord; ++i) {
            shared.route[i] = 0;
            shared.target[i] = resolve(shared, i);
        }
    }
}

[[gnu::cold]] void IrqMachine::reset_private(u32 n) {
    CpuState &cpu = cpus_[n];
    reset_word(cpu.irq, kSgiBits);
    cpu.sgi_sources = {};
    cpu.asleep = true;
    cpu.on = false;
    cpu.gate = {};
    cpu.chores = 0;
    cpu.unlisted = 0;
    update(n, 0, ~u32{0});
}

// The settings of its private interrupts stay: they belong to the distributor or redistributor, which has a reset of its own.
[[gnu::noinline, gnu::cold]] void IrqMachine::turned_on(u32 n) {
    CpuState &cpu = cpus_[n];
    cpu.on = true;
    if (has_choices()) {
        cpu.chores |= chore::kWatchInterface;
        retarget_choices();
    }
    if (can_rewrite_ && has_unlisted_active(n))
        cpu.chores |= chore::kListActive;
    if (lpis_.exist())
        cpu.chores |= chore::kLpis;
    if (cpu.chores != 0 || cpu.candidate_words != 0)
        wake(cpu);
}

[[gnu::noinline, gnu::cold]] void IrqMachine::forget_unlisted(u32 cpu, u32 w, u32 bits) {
    IrqWord &irq = word(cpu, w);
    bits &= irq.unlisted;
    irq.unlisted &= ~bits;
    for_each_bit(bits, [&](u32 i) { --cpus_[w == 0 ? cpu : shared(w).holder[i]].unlisted; });
}

/// Whether something that only this vCPU could end is active without a list register.
[[gnu::noinline, gnu::cold]] bool IrqMachine::has_unlisted_active(u32 n) {
    for (u32 w = 0; w < word_count(); ++w) {
        const IrqWord &irq = word(n, w);
        for (u32 bits = irq.active & ~irq.listed; bits != 0; bits &= bits - 1) {
            if (ender_of(n, w * kIrqsPerWord + static_cast<u32>(std::countr_zero(bits))) == n)
                return true;
        }
    }
    return false;
}

[[gnu::noinline, gnu::cold]] void IrqMachine::turned_off(u32 n) {
    CpuState &cpu = cpus_[n];
    cpu.on = false;
    cpu.chores = 0;
    cpu.gate = {};
    retarget_choices();
}

/// Mostly one, whatever their number.
[[gnu::noinline]] CpuSet IrqMachine::take_wakes() {
    if (apart_)
        return std::exchange(wakes_apart_, CpuSet{});
    CpuSet set;
    if (wakes_ == 1 && last_woken_->woken) {
        forget_wake(*last_woken_);
        return CpuSet::of(last_woken_->index);
    }
    for (u32 n = 0; wakes_ != 0; ++n) {
        if (cpus_[n].woken)
            set.add(CpuSet::of(n));
        forget_wake(cpus_[n]);
    }
    return set;
}

// -- inputs

void IrqMachine::set_wire(u32 cpu, u32 intid, Level level) {
    SEL4VM_ASSERT(intid < intid_limit());
    if (intid < kIrqsPerWord) {
        set_private_wire(cpus_[cpu], intid, level);
        return;
    }
    const u32 w = intid / kIrqsPerWord;
    const u32 b = bit<u32>(intid % kIrqsPerWord);
    if (drive(shared(w).irq, b, level))
        update_shared(w, b);
}

// -- routing

u8 IrqMachine::resolve(const SharedWord &shared, u32 i) const {
    if (version_ == GicVersion::v2) {
        // With one CPU interface there is nowhere else to go (IHI 0048B, GICD_ITARGETSRn).
        if (cpu_count() == 1)
            return 0;
        const u32 targets = shared.route[i];
        if (targets == 0 || is_power_of_two(targets))
            return targets == 0 ? kNoCpu : static_cast<u8>(std::countr_zero(targets));
        return choose(shared, i, targets);
    }
    if ((shared.any_cpu & bit<u32>(i)) != 0)
        return cpu_count() == 1 ? u8{0} : any_cpu_[shared.irq.group1 >> i & 1][shared.irq.priority[i]];
    // In MPIDR_EL1's layout.
    const u64 route = shared.route[i];
    const auto target = aarch64::vcpu_of_affinity((route >> 24) << 32 | (route & 0xff'ffff), cpu_count());
    return target ? static_cast<u8>(*target) : kNoCpu;
}

/// GICv2: one of several, the first that can take the interrupt, else the first that may be able to one day.
[[gnu::noinline, gnu::cold]] u8 IrqMachine::choose(const SharedWord &shared, u32 i, u32 among) const {
    const u8 priority = shared.irq.priority[i];
    const bool is_group1 = (shared.irq.group1 & bit<u32>(i)) != 0;
    u32 best = static_cast<u32>(std::countr_zero(among));
    u32 best_rank = 0;
    for (; among != 0; among &= among - 1) {
        const u32 n = static_cast<u32>(std::countr_zero(among));
        const CpuState &cpu = cpus_[n];
        u32 rank = 0;
        if (cpu.on)
            rank = cpu.gate.passes(priority, is_group1) ? 2 : 1;
        if (rank > best_rank) {
            best = n;
            best_rank = rank;
        }
    }
    return static_cast<u8>(best);
}

/// GICv3: the same choice among all, which may be many, for all interrupts at once: for each group and priority the first vCPU that lets it
/// through, and for what none does the first that is awake, or at least on.
[[gnu::noinline, gnu::cold]] void IrqMachine::survey() {
    if (version_ == GicVersion::v2)
        return;
    const CpuState *reachable = nullptr;
    const CpuState *on = nullptr;
    std::array<u32, 2> covered{}; // priorities below have their vCPU
    for (const CpuState &cpu : cpus_) {
        if (!cpu.on)
            continue;
        on = on != nullptr ? on : &cpu;
        if (cpu.asleep)
            continue;
        reachable = reachable != nullptr ? reachable : &cpu;
        for (u32 group = 0; group < 2; ++group) {
            if (!(group == 1 ? cpu.gate.group1 : cpu.gate.group0))
                continue;
            for (; covered[group] < cpu.gate.below; ++covered[group])
                any_cpu_[group][covered[group]] = cpu.index;
        }
    }
    const CpuState *last = reachable != nullptr ? reachable : on;
    for (u32 group = 0; group < 2; ++group) {
        for (; covered[group] < kPriorities; ++covered[group])
            any_cpu_[group][covered[group]] = last != nullptr ? last->index : u8{0};
    }
}

void IrqMachine::retarget(u32 w, u32 i) {
    SharedWord &place = shared(w);
    const u8 target = resolve(place, i);
    if (target == place.target[i])
        return;
    if (place.target[i] != kNoCpu)
        static_cast<void>(change_shared_candidates(cpus_[place.target[i]], w, bit<u32>(i), 0));
    place.target[i] = target;
    // Listed on the old target: its holder gives back what the guest has not acknowledged, and then it moves.
    update(0, w, bit<u32>(i));
}

[[gnu::cold]] void IrqMachine::set_route(u32 intid, u32 route, Routing routing) {
    const u32 w = intid / kIrqsPerWord;
    const u32 i = intid % kIrqsPerWord;
    SharedWord &place = shared(w);
    if ((place.irq.implemented & bit<u32>(i)) == 0)
        return;
    place.route[i] = route;
    place.any_cpu = routing == Routing::any_cpu ? place.any_cpu | bit<u32>(i) : place.any_cpu & ~bit<u32>(i);
    const bool several = cpu_count() > 1 && (version_ == GicVersion::v2 ? route != 0 && !is_power_of_two(route)
                                                                        : routing == Routing::any_cpu);
    if (several != ((place.choice & bit<u32>(i)) != 0)) {
        place.choice ^= bit<u32>(i);
        choices_ = several ? choices_ + 1 : choices_ - 1;
        if (several && choices_ == 1) {
            watch_interfaces();
            survey();
        }
    }
    retarget(w, i);
    forwarding_changed(0, w);
}

[[gnu::cold]] void IrqMachine::set_power(u32 cpu, RedistributorPower power) {
    const bool asleep = power == RedistributorPower::asleep;
    if (cpus_[cpu].asleep == asleep)
        return;
    cpus_[cpu].asleep = asleep;
    retarget_choices();
}

[[gnu::noinline, gnu::cold]] void IrqMachine::saw_gate(CpuState &cpu, const InterfaceGate &gate) {
    if (cpu.gate == gate)
        return;
    cpu.gate = gate;
    retarget_choices();
}

/// From now on it matters which of them are open. Each looks for itself.
[[gnu::noinline, gnu::cold]] void IrqMachine::watch_interfaces() {
    for (CpuState &cpu : cpus_) {
        if (cpu.on) {
            cpu.chores |= chore::kWatchInterface;
            wake(cpu);
        }
    }
}

void IrqMachine::retarget_choices(u32 w, u32 bits) {
    for_each_bit(shared(w).choice & bits, [&](u32 i) { retarget(w, i); });
}

[[gnu::noinline, gnu::cold]] void IrqMachine::retarget_choices() {
    survey();
    for (u32 w = 1; w < word_count(); ++w)
        retarget_choices(w, ~u32{0});
}

[[gnu::cold]] void IrqMachine::set_forwarded_groups(u32 groups) {
    forwarded_groups_ = groups & 3;
    group0_mask_ = (groups & 1) != 0 ? ~u32{0} : 0;
    group1_mask_ = (groups & 2) != 0 ? ~u32{0} : 0;
    update_all();
    everything_changed();
    lpis_changed();
}

bool IrqMachine::is_forwarded(u32 cpu, u32 intid) {
    return (forwarded_bits(word(cpu, intid / kIrqsPerWord)) & bit<u32>(intid % kIrqsPerWord)) != 0 &&
           target_of(cpu, intid) == cpu;
}

// -- candidates

void IrqMachine::update_private(CpuState &cpu, u32 bits) {
    const bool news = change_private_candidates(cpu, bits, ready_bits(cpu.irq));
    if (news || (can_rewrite_ && (cpu.irq.listed & bits) != 0))
        wake_own(cpu);
}

void IrqMachine::update_shared(u32 w, u32 bits) {
    const SharedWord &place = shared(w);
    if ((place.physical & bits) != 0) [[unlikely]]
        follow_physical(w, bits);
    const u32 ready = ready_bits(place.irq);
    for_each_bit(bits & place.irq.implemented, [&](u32 i) {
        const u8 target = place.target[i];
        if (target != kNoCpu && change_shared_candidates(cpus_[target], w, bit<u32>(i), ready))
            wake(target);
    });
    if (can_rewrite_)
        for_each_bit(bits & place.irq.listed, [&](u32 i) { wake(place.holder[i]); });
}

[[gnu::cold]] void IrqMachine::update_all() {
    for (u32 n = 0; n < cpu_count(); ++n)
        update(n, 0, ~u32{0});
    for (u32 w = 1; w < word_count(); ++w)
        update(0, w, ~u32{0});
}

void IrqMachine::wake_holders(u32 caller, u32 cpu, u32 w) {
    if (!can_rewrite_)
        return;
    const u32 listed = word(cpu, w).listed;
    if (w == 0) {
        if (listed != 0 && cpu != caller)
            wake(cpu);
        return;
    }
    for_each_bit(listed, [&](u32 i) {
        if (shared(w).holder[i] != caller)
            wake(shared(w).holder[i]);
    });
}

} // namespace sel4vm::dev
