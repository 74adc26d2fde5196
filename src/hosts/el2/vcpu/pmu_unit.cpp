// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/pmu_unit.hpp>

#include <hosts/el2/lib/sysreg.hpp>

namespace sel4vm::el2 {

namespace {

using aarch64::kCycleCounter;
using aarch64::PmcrEl0;
using aarch64::PmuName;
using aarch64::PmuRegister;

constexpr u64 kUserBits = 0xf;
constexpr u64 kAll = 0xffff'ffff;

// By way of PMSELR_EL0: their numbers are parts of the names of instructions otherwise. The selection is the guest's, and goes back.
class Selected {
public:
    explicit Selected(u64 counter) : before_(SEL4VM_READ_SYSREG(pmselr_el0)) {
        SEL4VM_WRITE_SYSREG(pmselr_el0, counter);
        isb();
    }
    ~Selected() {
        SEL4VM_WRITE_SYSREG(pmselr_el0, before_);
        isb();
    }
    Selected(const Selected &) = delete;
    Selected &operator=(const Selected &) = delete;

private:
    u64 before_;
};

} // namespace

PmuUnit::PmuUnit(CpuFeatures features)
    : exists_(features.has(CpuFeature::pmu)), has_machine_register_(features.has(CpuFeature::pmu_p4)),
      is_64_bit_(features.has(CpuFeature::pmu_p5)) {
    if (!exists_)
        return;
    events_ = static_cast<u8>(PmcrEl0{SEL4VM_READ_SYSREG(pmcr_el0)}.get<PmcrEl0::Counters>());
    SEL4VM_WRITE_SYSREG(pmcr_el0, 0);
    make_quiet();
}

void PmuUnit::make_quiet() const {
    SEL4VM_WRITE_SYSREG(pmuserenr_el0, 0);
    SEL4VM_WRITE_SYSREG(pmintenclr_el1, kAll);
    SEL4VM_WRITE_SYSREG(pmcntenclr_el0, kAll);
    SEL4VM_WRITE_SYSREG(pmovsclr_el0, kAll);
    isb();
}

void PmuUnit::save(PmuState &state) const {
    state.control = SEL4VM_READ_SYSREG(pmcr_el0) & aarch64::kPmcrWritable;
    SEL4VM_WRITE_SYSREG(pmcr_el0, state.control & ~u64{PmcrEl0::Enable::mask});
    isb(); // from here on they stand still
    state.user = SEL4VM_READ_SYSREG(pmuserenr_el0);
    state.enabled = SEL4VM_READ_SYSREG(pmcntenset_el0);
    state.interrupts = SEL4VM_READ_SYSREG(pmintenset_el1);
    state.overflows = SEL4VM_READ_SYSREG(pmovsset_el0);
    state.select = SEL4VM_READ_SYSREG(pmselr_el0);
    state.cycles = SEL4VM_READ_SYSREG(pmccntr_el0);
    state.types[kCycleCounter] = SEL4VM_READ_SYSREG(pmccfiltr_el0);
    make_quiet();
    for (u64 n = 0; n < events_; ++n) {
        SEL4VM_WRITE_SYSREG(pmselr_el0, n);
        isb();
        state.counts[n] = SEL4VM_READ_SYSREG(pmxevcntr_el0);
        state.types[n] = SEL4VM_READ_SYSREG(pmxevtyper_el0);
    }
    const bool on = PmcrEl0{state.control}.get<PmcrEl0::Enable>();
    state.needed = state.user != 0 || (on && (state.enabled | (state.interrupts & state.overflows)) != 0);
}

void PmuUnit::load(const PmuState &state) const {
    for (u64 n = 0; n < events_; ++n) {
        SEL4VM_WRITE_SYSREG(pmselr_el0, n);
        isb();
        SEL4VM_WRITE_SYSREG(pmxevtyper_el0, state.types[n]);
        SEL4VM_WRITE_SYSREG(pmxevcntr_el0, state.counts[n]);
    }
    SEL4VM_WRITE_SYSREG(pmccfiltr_el0, state.types[kCycleCounter]);
    SEL4VM_WRITE_SYSREG(pmccntr_el0, state.cycles);
    SEL4VM_WRITE_SYSREG(pmselr_el0, state.select);
    SEL4VM_WRITE_SYSREG(pmovsset_el0, state.overflows);
    SEL4VM_WRITE_SYSREG(pmcntenset_el0, state.enabled);
    SEL4VM_WRITE_SYSREG(pmintenset_el1, state.interrupts);
    SEL4VM_WRITE_SYSREG(pmuserenr_el0, state.user);
    isb();
    SEL4VM_WRITE_SYSREG(pmcr_el0, state.control);
    isb();
}

bool PmuUnit::interrupt_asserted() const {
    return aarch64::pmu_interrupt_asserted(SEL4VM_READ_SYSREG(pmcr_el0), SEL4VM_READ_SYSREG(pmovsset_el0),
                                           SEL4VM_READ_SYSREG(pmintenset_el1));
}

bool PmuUnit::has(PmuName name) const {
    switch (name.which) {
    case PmuRegister::none: return false;
    case PmuRegister::machine: return has_machine_register_;
    case PmuRegister::count: return name.number < events_;
    case PmuRegister::type: return name.number < events_ || name.number == kCycleCounter;
    default: return exists_;
    }
}

// Where the guest has selected no counter, what it does then is undefined, as it may be on hardware.
PmuName PmuUnit::resolve(u32 id) const {
    PmuName name = aarch64::pmu_register(id);
    if (name.which == PmuRegister::selected_type || name.which == PmuRegister::selected_count)
        name = aarch64::selected_pmu_register(name.which, SEL4VM_READ_SYSREG(pmselr_el0), events_);
    return has(name) ? name : PmuName{};
}

std::optional<u64> PmuUnit::read(u32 id) const {
    const PmuName name = resolve(id);
    switch (name.which) {
    case PmuRegister::control: return SEL4VM_READ_SYSREG(pmcr_el0);
    case PmuRegister::enable_set:
    case PmuRegister::enable_clear: return SEL4VM_READ_SYSREG(pmcntenset_el0);
    case PmuRegister::overflow_set:
    case PmuRegister::overflow_clear: return SEL4VM_READ_SYSREG(pmovsset_el0);
    case PmuRegister::interrupt_set:
    case PmuRegister::interrupt_clear: return SEL4VM_READ_SYSREG(pmintenset_el1);
    case PmuRegister::select: return SEL4VM_READ_SYSREG(pmselr_el0);
    case PmuRegister::events0: return SEL4VM_READ_SYSREG(pmceid0_el0);
    case PmuRegister::events1: return SEL4VM_READ_SYSREG(pmceid1_el0);
    case PmuRegister::machine: return read_sysreg<aarch64::sysreg::kPmmirEl1>();
    case PmuRegister::cycles: return SEL4VM_READ_SYSREG(pmccntr_el0);
    case PmuRegister::user: return SEL4VM_READ_SYSREG(pmuserenr_el0);
    case PmuRegister::count: {
        const Selected selected(name.number);
        return SEL4VM_READ_SYSREG(pmxevcntr_el0);
    }
    case PmuRegister::type: {
        const Selected selected(name.number);
        return SEL4VM_READ_SYSREG(pmxevtyper_el0);
    }
    case PmuRegister::increment: // write-only
    case PmuRegister::selected_type:
    case PmuRegister::selected_count:
    case PmuRegister::none: break;
    }
    return std::nullopt;
}

bool PmuUnit::write(u32 id, u64 value, unsigned level) const {
    const PmuName name = resolve(id);
    switch (name.which) {
    case PmuRegister::control:
        SEL4VM_WRITE_SYSREG(pmcr_el0,
                            value & (aarch64::kPmcrWritable | PmcrEl0::ClockReset::mask | PmcrEl0::EventReset::mask));
        break;
    case PmuRegister::enable_set: SEL4VM_WRITE_SYSREG(pmcntenset_el0, value & kAll); break;
    case PmuRegister::enable_clear: SEL4VM_WRITE_SYSREG(pmcntenclr_el0, value & kAll); break;
    case PmuRegister::overflow_set: SEL4VM_WRITE_SYSREG(pmovsset_el0, value & kAll); break;
    case PmuRegister::overflow_clear: SEL4VM_WRITE_SYSREG(pmovsclr_el0, value & kAll); break;
    case PmuRegister::interrupt_set: SEL4VM_WRITE_SYSREG(pmintenset_el1, value & kAll); break;
    case PmuRegister::interrupt_clear: SEL4VM_WRITE_SYSREG(pmintenclr_el1, value & kAll); break;
    case PmuRegister::increment: increment(value, level); break;
    case PmuRegister::select: SEL4VM_WRITE_SYSREG(pmselr_el0, value & kCycleCounter); break;
    case PmuRegister::cycles: SEL4VM_WRITE_SYSREG(pmccntr_el0, value); break;
    case PmuRegister::user: SEL4VM_WRITE_SYSREG(pmuserenr_el0, value & kUserBits); break;
    case PmuRegister::count: {
        const Selected selected(name.number);
        SEL4VM_WRITE_SYSREG(pmxevcntr_el0, value);
        break;
    }
    case PmuRegister::type: {
        const Selected selected(name.number);
        SEL4VM_WRITE_SYSREG(pmxevtyper_el0, value);
        break;
    }
    case PmuRegister::events0:
    case PmuRegister::events1:
    case PmuRegister::machine: // read-only
    case PmuRegister::selected_type:
    case PmuRegister::selected_count:
    case PmuRegister::none: return false;
    }
    isb();
    return true;
}

// PMSWINC_EL0, which written at EL2 counts nothing.
void PmuUnit::increment(u64 counters, unsigned level) const {
    const u64 control = SEL4VM_READ_SYSREG(pmcr_el0);
    if (!PmcrEl0{control}.get<PmcrEl0::Enable>())
        return;
    counters &= SEL4VM_READ_SYSREG(pmcntenset_el0);
    for (u64 n = 0; n < events_; ++n) {
        if ((counters >> n & 1) == 0)
            continue;
        const Selected selected(n);
        if (!aarch64::counts_software_increment(SEL4VM_READ_SYSREG(pmxevtyper_el0), level))
            continue;
        const aarch64::PmuStep step = aarch64::pmu_increment(SEL4VM_READ_SYSREG(pmxevcntr_el0), control, is_64_bit_);
        SEL4VM_WRITE_SYSREG(pmxevcntr_el0, step.value);
        if (step.overflowed)
            SEL4VM_WRITE_SYSREG(pmovsset_el0, u64{1} << n);
    }
}

} // namespace sel4vm::el2
