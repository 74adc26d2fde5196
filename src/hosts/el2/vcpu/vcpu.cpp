// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/vcpu/vcpu.hpp>

#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/portable/sched/deadline.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>
#include <hosts/el2/vcpu/identification.hpp>
#include <hosts/el2/vcpu/processor.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <algorithm>

namespace sel4vm::el2 {

namespace {

using aarch64::TimerControl;
namespace sysreg = aarch64::sysreg;

// MDSCR_EL1.SS, TDCC, KDE, MDE: debug of the guest by itself. The other bits belong to an external debugger.
constexpr u64 kMdscrAllowed = 0xb001;

// As on a board with this CPU.
u64 sctlr_after_reset() {
    return aarch64::kSctlrEl1Reset | (CpuLocal::current()->sctlr_el1 & aarch64::kSctlrEl1CpuBits);
}

} // namespace

Vcpu::Vcpu(Processor &processor, Stage2 &space, VmShare &share, const VcpuSetup &setup)
    : ScheduledTask(share), processor_(processor), space_(space), setup_(setup),
      hcr_(processor.controls_[Control::hcr]), counter_offset_(setup.counter_offset),
      interface_(processor.interface_.reset_state()) {
    exit_source_.kind = EventKind::exit;
    exit_source_.vm = setup.vm;
    exit_source_.vcpu = setup.vcpu;
    el1_.reset(sctlr_after_reset());
}

Vcpu::~Vcpu() { processor_.detach(*this); }

bool Vcpu::loaded() const { return processor_.loaded_ == this; }

void Vcpu::request(u32 what) {
    if (requests_.fetch_or(what, std::memory_order_acq_rel) == 0)
        processor_.queue_request(*this);
}

void Vcpu::kick() {
    if (requests_.fetch_add(kRequestKick, std::memory_order_acq_rel) == 0)
        processor_.queue_request(*this);
}

void Vcpu::set_el1(El1Register which, u64 value) {
    if (loaded())
        write_el1(which, value);
    else
        el1_.set(which, value);
}

void Vcpu::reset(const VcpuStart &start) {
    SEL4VM_ASSERT(state_ == State::stopped || state_ == State::working); // so it is in no hardware
    std::fill(std::begin(context_.x), std::end(context_.x), u64{0});
    context_.x[0] = start.argument;
    context_.pc = start.entry;
    context_.pstate = aarch64::kResetPstate;
    pending_ = Pending::nothing;
    due_ = 0;
    fault_address_ = 0;
    conflicts_ = {};
    hcr_ = processor_.controls_[Control::hcr];
    listing_.in_use = 0;
    timer_masked_ = false;
    timer_state_ = {};
    wait_until_ = kNever;
    el1_.reset(sctlr_after_reset());
    debug_ = {};
    interface_ = processor_.interface_.reset_state();
    fp_ = {};
    pmu_ = {};
    pmu_asserts_ = false;
    sequence_ = {};
}

Result<VcpuTimes, HostError> Vcpu::times() const { return account_.read(now_ticks()); }

Status<HostError> Vcpu::publish_stolen_time(volatile u64 *nanoseconds) {
    SEL4VM_ASSERT(state_ == State::stopped || state_ == State::working); // so nobody writes
    stolen_before_ = account_.stolen();
    *nanoseconds = 0;
    stolen_place_ = nanoseconds;
    return Ok{};
}

// It has its CPU now.
void Vcpu::run_from(u64 now) {
    account_.become(TimeUse::running, now);
    if (stolen_place_ == nullptr)
        return;
    const u64 ticks = account_.stolen() - stolen_before_;
    const u64 frequency = SEL4VM_READ_SYSREG(cntfrq_el0);
    constexpr u64 kBillion = 1'000'000'000;
    *stolen_place_ = ticks / frequency * kBillion + ticks % frequency * kBillion / frequency;
}

u64 Vcpu::timer_fires_at(u64 now) const {
    // A linked list register may have ended it behind our back.
    if (timer_masked_ && !(loaded() && !processor_.virtual_timer_is_active()))
        return kNever;
    aarch64::VirtualTimerState timer = timer_state_;
    if (loaded())
        timer = {static_cast<u32>(SEL4VM_READ_SYSREG(cntv_ctl_el0)), SEL4VM_READ_SYSREG(cntv_cval_el0)};
    return virtual_timer_fires_at(timer, counter_offset_, now);
}

u64 Vcpu::wakes_at(u64 now) const {
    // Its timer is the hardware's business while it is loaded.
    return std::min(wait_until_, loaded() ? kNever : timer_fires_at(now));
}

Vcpu::ThreadRegisters Vcpu::thread_registers() const {
    if (loaded())
        return {SEL4VM_READ_SYSREG(sp_el0), SEL4VM_READ_SYSREG(tpidr_el0), SEL4VM_READ_SYSREG(tpidrro_el0)};
    return {el1_.get(el1_register(sysreg::kSpEl0)), el1_.get(el1_register(sysreg::kTpidrEl0)),
            el1_.get(el1_register(sysreg::kTpidrroEl0))};
}

// Another state than these would be the host's, or AArch32 on a CPU that has none.
Status<HostError> Vcpu::set_pstate(u64 value) {
    switch (value & (aarch64::Spsr::AArch32::mask | aarch64::Spsr::Mode::mask)) {
    case static_cast<u64>(aarch64::Mode::el0t):
    case static_cast<u64>(aarch64::Mode::el1t):
    case static_cast<u64>(aarch64::Mode::el1h): context_.pstate = value; return Ok{};
    default:
        if (value == context_.pstate)
            return Ok{};
        return Err{HostError{HostErrorKind::invalid, 0}};
    }
}

u64 Vcpu::simd_register(unsigned n, unsigned half) {
    SEL4VM_ASSERT(n < 32 && half < 2);
    processor_.take_fp(*this);
    return fp_.v[n][half];
}

void Vcpu::set_simd_register(unsigned n, unsigned half, u64 value) {
    SEL4VM_ASSERT(n < 32 && half < 2);
    processor_.take_fp(*this);
    fp_.v[n][half] = value;
}

Result<u64, HostError> Vcpu::system_register(u32 id) {
    if (const std::optional<El1Register> which = el1_register_of(id, processor_.switched_extras_))
        return el1(*which);
    if (aarch64::is_id_group3(id))
        return read_id_register(id);
    switch (id) {
    case sysreg::kMidrEl1: return SEL4VM_READ_SYSREG(midr_el1);
    case sysreg::kMpidrEl1: return setup_.affinity | aarch64::MpidrEl1::Res1::mask;
    case sysreg::kCntfrqEl0: return SEL4VM_READ_SYSREG(cntfrq_el0);
    case sysreg::kCntvCtlEl0: return u64{timer_port_.state().control};
    case sysreg::kCntvCvalEl0: return timer_port_.state().compare_value;
    case sysreg::kFpcr: processor_.take_fp(*this); return fp_.fpcr;
    case sysreg::kFpsr: processor_.take_fp(*this); return fp_.fpsr;
    case sysreg::kCtrEl0: return SEL4VM_READ_SYSREG(ctr_el0);
    case sysreg::kDczidEl0: return SEL4VM_READ_SYSREG(dczid_el0);
    case sysreg::kClidrEl1: return SEL4VM_READ_SYSREG(clidr_el1);
    case sysreg::kSpsrEl2: return context_.pstate;
    case sysreg::kFarEl2: return fault_address_;
    case sysreg::kEsrEl2:
        if (static_cast<i64>(context_.esr) < 0) // an interrupt
            return Err{HostError{HostErrorKind::not_available, 0}};
        return context_.esr;
    default: return debug_.get(id);
    }
}

Status<HostError> Vcpu::set_system_register(u32 id, u64 value) {
    if (const std::optional<El1Register> which = el1_register_of(id, processor_.switched_extras_)) {
        set_el1(*which, *which == el1_register(sysreg::kMdscrEl1) ? value & kMdscrAllowed : value);
        return Ok{};
    }
    switch (id) {
    case sysreg::kSpsrEl2: return set_pstate(value);
    case sysreg::kMpidrEl1: setup_.affinity = value & aarch64::kMpidrAffinityMask; return Ok{};
    case sysreg::kCntvCtlEl0: {
        aarch64::VirtualTimerState timer = timer_port_.state();
        timer.control = static_cast<u32>(value & TimerControl::kWritable);
        timer_port_.set_state(timer);
        return Ok{};
    }
    case sysreg::kCntvCvalEl0: {
        aarch64::VirtualTimerState timer = timer_port_.state();
        timer.compare_value = value;
        timer_port_.set_state(timer);
        return Ok{};
    }
    case sysreg::kFpcr:
        processor_.take_fp(*this);
        fp_.fpcr = value;
        return Ok{};
    case sysreg::kFpsr:
        processor_.take_fp(*this);
        fp_.fpsr = value;
        return Ok{};
    default:
        SEL4VM_TRY(debug_.set(id, value));
        if (loaded())
            processor_.load_debug(*this);
        return Ok{};
    }
}

// ---------------------------------------------------------------- Virtual timer

void VcpuTimer::unmask() {
    if (!vcpu_.timer_masked_)
        return;
    vcpu_.timer_masked_ = false;
    if (vcpu_.loaded())
        vcpu_.processor_.unmask_virtual_timer();
    else
        vcpu_.processor_.plan_wake_up(vcpu_);
}

const Gic &Vcpu::physical_gic() const { return processor_.gic_; }

u16 VcpuTimer::physical_intid() { return static_cast<u16>(vcpu_.processor_.timer_.virt); }

aarch64::VirtualTimerState VcpuTimer::state() {
    if (vcpu_.loaded())
        return {static_cast<u32>(SEL4VM_READ_SYSREG(cntv_ctl_el0)), SEL4VM_READ_SYSREG(cntv_cval_el0)};
    return vcpu_.timer_state_;
}

void VcpuTimer::set_state(const aarch64::VirtualTimerState &state) {
    vcpu_.timer_state_ = state;
    if (vcpu_.loaded()) {
        SEL4VM_WRITE_SYSREG(cntv_cval_el0, state.compare_value);
        SEL4VM_WRITE_SYSREG(cntv_ctl_el0, u64{state.control} & TimerControl::kWritable);
    } else {
        vcpu_.processor_.plan_wake_up(vcpu_);
    }
}

u64 VcpuTimer::counter_offset() { return vcpu_.counter_offset_; }

void VcpuTimer::set_counter_offset(u64 ticks) {
    vcpu_.counter_offset_ = ticks;
    if (vcpu_.loaded())
        SEL4VM_WRITE_SYSREG(cntvoff_el2, ticks);
    else
        vcpu_.processor_.plan_wake_up(vcpu_);
}

// ---------------------------------------------------------------- Performance monitors

aarch64::PmuPort *Vcpu::pmu() { return processor_.lends_pmu() ? &pmu_port_ : nullptr; }

std::optional<u64> VcpuPmu::read_pmu(u32 id) {
    SEL4VM_ASSERT(vcpu_.loaded());
    vcpu_.processor_.lend_pmu(vcpu_);
    return vcpu_.processor_.pmu_.read(id);
}

bool VcpuPmu::write_pmu(u32 id, u64 value) {
    SEL4VM_ASSERT(vcpu_.loaded());
    vcpu_.processor_.lend_pmu(vcpu_);
    const bool written = vcpu_.processor_.pmu_.write(id, value, aarch64::Spsr{vcpu_.context_.pstate}.exception_level());
    vcpu_.processor_.follow_pmu_interrupt(vcpu_);
    return written;
}

// ---------------------------------------------------------------- List registers

[[gnu::cold]] aarch64::ListRegisterAbilities VcpuListRegisters::abilities() const {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    aarch64::ListRegisterAbilities abilities;
    abilities.count = static_cast<u8>(hardware.count());
    abilities.read_back = true;
    abilities.clear = true;
    // QEMU 7.2's GICv2 loses level interrupts that are linked, and nothing tells it from hardware.
    abilities.hardware_link = hardware.version() == GicVersion::v3;
    abilities.optional_eoi = true;
    abilities.source_cpu = hardware.version() == GicVersion::v2;
    abilities.maintenance_control = true;
    abilities.unlisted_ends = true;
    abilities.deactivation_trap = hardware.can_trap_dir();
    abilities.priority_bits = static_cast<u8>(hardware.priority_bits());
    abilities.max_intid = hardware.version() == GicVersion::v3 ? 0xffff : 1019; // 16 bits at least (ICH_VTR_EL2.IDbits)
    return abilities;
}

bool VcpuListRegisters::write(unsigned index, const aarch64::ListRegister &value) {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    if (index >= hardware.count())
        return false;
    const u64 mask = u64{1} << index;
    if (value.state == aarch64::ListRegisterState::empty)
        vcpu_.listing_.in_use &= ~mask;
    else
        vcpu_.listing_ = {vcpu_.listing_.in_use | mask, vcpu_.listing_.count + 1};
    const u64 raw = hardware.encode(value);
    if (vcpu_.loaded()) [[likely]]
        hardware.set_list_register(index, raw);
    else
        vcpu_.interface_.list[index] = raw;
    return true;
}

aarch64::ListRegister VcpuListRegisters::read(unsigned index) {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    SEL4VM_ASSERT(index < hardware.count());
    return hardware.decode(vcpu_.loaded() ? hardware.list_register(index) : vcpu_.interface_.list[index]);
}

u32 VcpuListRegisters::take_finished() {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    const u32 in_use = static_cast<u32>(vcpu_.listing_.in_use);
    if (in_use == 0)
        return 0;
    u32 finished = 0;
    if (vcpu_.loaded()) {
        const u32 ended = hardware.ended() & in_use;
        for (u32 rest = ended; rest != 0; rest &= rest - 1)
            hardware.set_list_register(static_cast<unsigned>(std::countr_zero(rest)), 0);
        finished = ended | (hardware.empty() & in_use);
    } else {
        for (u32 rest = in_use; rest != 0; rest &= rest - 1) {
            const auto index = static_cast<unsigned>(std::countr_zero(rest));
            if (hardware.decode(vcpu_.interface_.list[index]).state == aarch64::ListRegisterState::empty) {
                finished |= u32{1} << index;
                vcpu_.interface_.list[index] = 0;
            }
        }
    }
    vcpu_.listing_.in_use = in_use & ~finished;
    return finished;
}

[[gnu::cold]] void VcpuListRegisters::set_control_bits(u32 mask, u32 bits) {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    u32 &control = vcpu_.interface_.control;
    // The hardware counts in it.
    if (vcpu_.loaded())
        control = hardware.control();
    control = (control & ~mask) | (bits & mask);
    if (vcpu_.loaded())
        hardware.set_control(control);
}

[[gnu::cold]] u32 VcpuListRegisters::take_unlisted_ends() {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    const u32 ends =
        (vcpu_.loaded() ? hardware.control() : vcpu_.interface_.control) >> VirtualInterface::kEoiCountShift;
    if (ends != 0)
        set_control_bits(VirtualInterface::kEoiCount, 0);
    return ends;
}

[[gnu::cold]] bool VcpuListRegisters::priority_runs(u8 priority, bool group1) {
    const VirtualInterface &hardware = vcpu_.processor_.interface_;
    if (vcpu_.loaded())
        hardware.save_active_priorities(vcpu_.interface_);
    return hardware.priority_runs(vcpu_.interface_, interface_control(), priority, group1);
}

void VcpuListRegisters::set_maintenance(u32 causes) { set_control_bits(VirtualInterface::kMaintenanceCauses, causes); }

[[gnu::cold]] void VcpuListRegisters::set_deactivation(aarch64::Deactivation how) {
    set_control_bits(VirtualInterface::kTrapDir,
                     how == aarch64::Deactivation::trapped ? VirtualInterface::kTrapDir : 0);
}

u32 VcpuListRegisters::interface_control() {
    return vcpu_.loaded() ? vcpu_.processor_.interface_.machine_control() : vcpu_.interface_.machine_control;
}

void VcpuListRegisters::set_interface_control(u32 value) {
    vcpu_.interface_.machine_control = value;
    if (vcpu_.loaded())
        vcpu_.processor_.interface_.set_machine_control(value);
}

} // namespace sel4vm::el2
