// SPDX-License-Identifier: BSD-2-Clause
//
// Whose state is in the hardware: the loaded vCPU's EL1 registers, timer and interrupt interface, and the owner of the
// SIMD registers. Both change only when another vCPU needs the place. And whose account the time goes to.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/portable/registers/register_table.hpp>
#include <hosts/el2/vcpu/identification.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <utility>

extern "C" const char sel4vm_el2_guest_vectors[];

namespace sel4vm::el2 {

namespace {

using aarch64::CptrEl2;
using aarch64::HcrEl2;

aarch64::PstateFeatures pstate_features(CpuFeatures cpu) {
    return {.pan = cpu.has(CpuFeature::pan),
            .uao = cpu.has(CpuFeature::uao),
            .dit = cpu.has(CpuFeature::dit),
            .ssbs = cpu.has(CpuFeature::ssbs),
            .mte = cpu.has(CpuFeature::mte2),
            .nmi = cpu.has(CpuFeature::nmi)};
}

// From where a guest was interrupted to where the counter is read, and from there back to it, is about 400 instructions. Whoever made
// them necessary pays twice that, so that the interrupted one is no worse off than it.
constexpr u64 kUnseenNanoseconds = 800;

/// All of them but HCR_EL2 and CPTR_EL2, which depend on the vCPU.
void write_controls(const Controls &controls, CpuFeatures features) {
    static_assert(kControlRegisters[0].control == Control::hcr && kControlRegisters[1].control == Control::cptr);
    constexpr usize kFirst = 2;
    [&]<usize... I>(std::index_sequence<I...>) {
        ((features.has(kControlRegisters[kFirst + I].needs)
              ? write_sysreg<kControlRegisters[kFirst + I].id>(controls[kControlRegisters[kFirst + I].control])
              : void()),
         ...);
    }
    (std::make_index_sequence<std::size(kControlRegisters) - kFirst>{});
}

void set_cptr(u64 value) {
    SEL4VM_WRITE_SYSREG(cptr_el2, value);
    isb();
}

} // namespace

Processor::Processor(Gic &gic, Interrupts &interrupts, const ProcessorSetup &setup)
    : gic_(gic), timer_(setup.timer), interrupts_(interrupts), interface_(gic.version(), setup.gich),
      scheduler_(SEL4VM_READ_SYSREG(cntfrq_el0) * setup.slice_microseconds / 1'000'000,
                 SEL4VM_READ_SYSREG(cntfrq_el0) * kUnseenNanoseconds / 1'000'000'000 + 1),
      maintenance_intid_(setup.maintenance.intid), pmu_intid_(setup.pmu_intid),
      zva_bytes_(static_cast<u32>(aarch64::DczidEl0{SEL4VM_READ_SYSREG(dczid_el0)}.block_bytes())),
      signal_sources_(setup.waits_for_notifications ? 1 : 0) {
    configure();
    if (!features_.has_lendable_pmu())
        pmu_intid_ = 0;
    if (pmu_intid_ != 0) {
        gic_.configure(IrqInfo{pmu_intid_, IrqTrigger::level}, Gic::IrqCause::guest);
        gic_.clear_active(pmu_intid_);
        gic_.enable(pmu_intid_);
    }
    gic_.configure(IrqInfo{timer_.hypervisor, IrqTrigger::level});
    gic_.configure(IrqInfo{timer_.virt, IrqTrigger::level}, Gic::IrqCause::guest);
    gic_.configure(setup.maintenance, Gic::IrqCause::guest);
    gic_.configure(IrqInfo{kCallSgi, IrqTrigger::edge});
    gic_.enable(kCallSgi);
    for (const u32 intid : {timer_.virt, timer_.hypervisor, maintenance_intid_}) {
        gic_.clear_active(intid);
        gic_.enable(intid);
    }
}

void Processor::configure() {
    features_ = read_cpu_features();
    pmu_ = PmuUnit(features_);
    controls_ = Controls(features_, pmu_.event_counters());
    switched_extras_ = SwitchedExtras(features_);
    pstate_features_ = pstate_features(features_);
    SEL4VM_WRITE_SYSREG(cntv_ctl_el0, 0);
    SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 0);
    SEL4VM_WRITE_SYSREG(vbar_el2, reinterpret_cast<u64>(sel4vm_el2_guest_vectors));
    SEL4VM_WRITE_SYSREG(cptr_el2, controls_[Control::cptr] | CptrEl2::Tfp::mask);
    write_controls(controls_, features_);
    // The OS lock is locked after reset and would keep a guest's single steps from happening; guests see a lock of their own.
    SEL4VM_WRITE_SYSREG(oslar_el1, 0);
    SEL4VM_WRITE_SYSREG(vpidr_el2, SEL4VM_READ_SYSREG(midr_el1));
    DebugUnit::disable_all();
    isb();
    if (interface_.version() == GicVersion::v2 && features_.has(CpuFeature::gic))
        VirtualInterface::close_system_registers();
    interface_.initialise();
}

GicVersionsSupported Processor::gic_versions() const {
    return {interface_.version() == GicVersion::v2, interface_.version() == GicVersion::v3};
}

void Processor::load(Vcpu &vcpu) {
    save_loaded();
    ++counters_.vcpu_switches;
    SEL4VM_WRITE_SYSREG(vtcr_el2, vcpu.space_.translation_control());
    SEL4VM_WRITE_SYSREG(vttbr_el2, vcpu.space_.translation_base());
    SEL4VM_WRITE_SYSREG(vmpidr_el2, vcpu.setup_.affinity | aarch64::MpidrEl1::Res1::mask);
    SEL4VM_WRITE_SYSREG(cntvoff_el2, vcpu.counter_offset_);
    SEL4VM_WRITE_SYSREG(hcr_el2, vcpu.hcr_);
    vcpu.el1_.load(switched_extras_);
    interface_.load(vcpu.interface_);
    if (vcpu.timer_masked_)
        gic_.set_active(timer_.virt);
    SEL4VM_WRITE_SYSREG(cntv_cval_el0, vcpu.timer_state_.compare_value);
    SEL4VM_WRITE_SYSREG(cntv_ctl_el0, vcpu.timer_state_.control);
    SEL4VM_WRITE_SYSREG(cptr_el2, controls_[Control::cptr] | (fp_owner_ == &vcpu ? 0 : CptrEl2::Tfp::mask));
    load_debug(vcpu);
    if (vcpu.pmu_.needed) [[unlikely]]
        lend_pmu(vcpu);
    isb();
    // Two vCPUs may use one ASID for different tables, as two CPUs with a TLB each could.
    if (vcpu.share().task_count() > 1)
        asm volatile("tlbi vmalle1\n dsb nsh\n isb" ::: "memory");
    traps_wait_for_event_ = false;
    loaded_ = &vcpu;
}

void Processor::save_loaded() {
    if (loaded_ == nullptr)
        return;
    Vcpu &vcpu = *loaded_;
    vcpu.timer_state_ = vcpu.timer_port_.state();
    SEL4VM_WRITE_SYSREG(cntv_ctl_el0, 0);
    isb();
    if (vcpu.timer_masked_) {
        // A linked list register may have ended it behind our back.
        vcpu.timer_masked_ = gic_.is_active(timer_.virt);
        gic_.clear_active(timer_.virt);
    }
    if (pmu_lent_) [[unlikely]]
        take_back_pmu(vcpu);
    vcpu.hcr_ = SEL4VM_READ_SYSREG(hcr_el2) & ~u64{HcrEl2::Twe::mask}; // the guest may have taken its virtual SError
    vcpu.el1_.save(switched_extras_);
    interface_.save(vcpu.interface_);
    loaded_ = nullptr;
    running_ = nullptr;
    plan_wake_up(vcpu); // its timer is not the hardware's business any more
}

// Nothing of its EL1 state stays in the hardware.
void Processor::unload(const Vcpu &vcpu) {
    if (loaded_ != &vcpu)
        return;
    save_loaded();
    interface_.load(VirtualInterfaceState{});
    SEL4VM_WRITE_SYSREG(vttbr_el2, 0);
    isb();
    attention_.store(1, std::memory_order_relaxed);
}

void Processor::put_away(Vcpu &vcpu) {
    take_fp(vcpu);
    unload(vcpu);
}

// It is going away.
void Processor::forget(const Vcpu &vcpu) {
    if (fp_owner_ == &vcpu) {
        fp_owner_ = nullptr;
        set_cptr(controls_[Control::cptr] | CptrEl2::Tfp::mask);
    }
    unload(vcpu);
}

// Few guests ever use them, so the hardware is touched only when it holds something or is to hold something.
void Processor::load_debug(const Vcpu &vcpu) {
    if (vcpu.debug_.in_use())
        vcpu.debug_.load();
    else if (debug_loaded_)
        DebugUnit::disable_all();
    debug_loaded_ = vcpu.debug_.in_use();
}

void Processor::release() {
    if (fp_owner_ != nullptr)
        take_fp(*fp_owner_);
    save_loaded();
    if (debug_loaded_)
        DebugUnit::disable_all();
    debug_loaded_ = false;
    interface_.load(VirtualInterfaceState{});
    SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 0);
    SEL4VM_WRITE_SYSREG(vttbr_el2, 0);
    programmed_ = kNever;
    set_cptr(controls_[Control::cptr]);
    attention_.store(1, std::memory_order_relaxed);
}

void Processor::take_over() { configure(); }

// WFE is worth an exit only while another vCPU could use the time.
void Processor::trap_wait_for_event(bool trapped) {
    if (trapped == traps_wait_for_event_)
        return;
    traps_wait_for_event_ = trapped;
    const u64 hcr = SEL4VM_READ_SYSREG(hcr_el2) & ~u64{HcrEl2::Twe::mask};
    SEL4VM_WRITE_SYSREG(hcr_el2, hcr | (trapped ? u64{HcrEl2::Twe::mask} : 0));
}

// One that arrives while a guest runs came with the guest's accesses: it becomes a virtual one.
Processor::Outcome Processor::on_serror() {
    SEL4VM_WRITE_SYSREG(hcr_el2, SEL4VM_READ_SYSREG(hcr_el2) | HcrEl2::Vse::mask);
    return Outcome::go_on;
}

void Processor::unmask_virtual_timer() { gic_.deactivate(IrqToken::of(timer_.virt)); }

// Whose time it is from now on; nullptr: nobody's.
[[gnu::noinline]] void Processor::give_time(Vcpu *vcpu, u64 now) {
    if (Vcpu *const before = std::exchange(has_time_, vcpu)) {
        const bool could_run = before->state_ == Vcpu::State::ready;
        const bool waits = before->state_ == Vcpu::State::blocked;
        before->account_.become(could_run ? TimeUse::stolen : waits ? TimeUse::waiting : TimeUse::nothing, now);
    }
    if (vcpu != nullptr)
        vcpu->run_from(now);
}

// ---------------------------------------------------------------- SIMD registers

void Processor::give_fp(Vcpu &vcpu) {
    set_cptr(controls_[Control::cptr]);
    if (fp_owner_ == &vcpu)
        return;
    ++counters_.fp_switches;
    if (fp_owner_ != nullptr)
        sel4vm_el2_fp_save(&fp_owner_->fp_);
    sel4vm_el2_fp_load(&vcpu.fp_);
    fp_owner_ = &vcpu;
}

void Processor::take_fp(Vcpu &vcpu) {
    if (fp_owner_ != &vcpu)
        return;
    set_cptr(controls_[Control::cptr]);
    sel4vm_el2_fp_save(&vcpu.fp_);
    fp_owner_ = nullptr;
    set_cptr(controls_[Control::cptr] | CptrEl2::Tfp::mask);
}

} // namespace sel4vm::el2
