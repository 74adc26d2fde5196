// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/gic.hpp>

#include <sel4vm/arch/aarch64/irq_service.hpp>
namespace sel4vm::dev {

namespace {
constexpr u64 kIntidMask = 0xff'ffff; // ICC_DIR_EL1.INTID

constexpr auto needs_all = [] { return Need{Part::all}; };
constexpr auto needs_shared = [] { return Need{Part::shared}; };
/// To serve its list registers.
auto needs_own(const Vcpu &vcpu) {
    return [&vcpu] { return Need{Part::own, vcpu.id().value(), true}; };
}
Need inject_need(VcpuId vcpu, u32 intid) {
    return intid < kIrqsPerWord ? Need{Part::own, vcpu.value()} : Need{Part::shared};
}
} // namespace

// SAFETY of the exemptions: the frames only keep the reference here; the analysis cannot follow a lock through a member.
Gic::Gic(const GicConfig &config) SEL4VM_NO_THREAD_SAFETY_ANALYSIS
    : config_(config),
      lock_(LockRank::irq_chip, config.locks),
      distributor_v2_(core_),
      distributor_v3_(core_),
      redistributor_frames_(core_, config.first_redistributors),
      distributor_device_v2_(*this, distributor_v2_),
      distributor_device_v3_(*this, distributor_v3_),
      redistributors_(*this, 0),
      more_redistributors_(*this, config.first_redistributors *Redistributors::kBytesPerCpu),
      deactivation_(*this),
      deactivation_register_(*this),
      sgi_registers_(*this) {}

[[gnu::cold]] Status<GicError> Gic::init(Allocator &allocator) {
    LockGuard guard(lock_);
    SEL4VM_TRY(core_.init(allocator, config_));
    vcpus_ = OwnedArray<Vcpu *>::make(allocator, config_.vcpu_count);
    listeners_ = OwnedArray<EoiListener *>::make(allocator, core_.irqs().intid_limit());
    if (!vcpus_ || !listeners_)
        return Err{GicError::out_of_memory};
    return Ok{};
}

[[gnu::cold]] Status<GicError> Gic::attach(Vcpu &vcpu, aarch64::ListRegisterPort &lists, aarch64::TimerPort &timer) {
    LockGuard guard(lock_);
    SEL4VM_TRY(core_.attach(vcpu.id().value(), lists, timer));
    vcpus_[vcpu.id().value()] = &vcpu;
    return Ok{};
}

[[gnu::cold]] Status<RegisterError> Gic::register_all(SystemRegisterTable &table) {
    SEL4VM_TRY(table.add(aarch64::sysreg::kIccDirEl1, aarch64::sysreg::kIccDirEl1, deactivation_register_));
    return table.add(aarch64::sysreg::kIccSgi1rEl1, aarch64::sysreg::kIccSgi0rEl1, sgi_registers_);
}

bool Gic::handles_deactivation() {
    LockGuard guard(lock_);
    return core_.handles_deactivation();
}

u64 Gic::distributor_bytes() const {
    return config_.version == GicVersion::v2 ? DistributorV2::kBytes : DistributorV3::kBytes;
}

[[gnu::cold]] bool Gic::set_eoi_listener(u32 intid, EoiListener *listener) {
    SEL4VM_ASSERT(has(intid));
    Session session(*this, kNobody, needs_all);
    if (core_.irqs().is_physical(intid))
        return false; // its end is the hardware's business
    listeners_[intid] = listener;
    for (u32 cpu = 0; cpu < config_.vcpu_count; ++cpu) {
        IrqWord &irq = core_.irqs().word(cpu, intid / kIrqsPerWord);
        const u32 b = bit<u32>(intid % kIrqsPerWord);
        irq.listened = listener != nullptr ? irq.listened | b : irq.listened & ~b;
    }
    return true;
}

// -- the lock, and what follows it

void Gic::serve_caller(u32 caller) {
    if (caller == kNobody)
        return;
    CpuState &cpu = core_.irqs().cpu(caller);
    if (!cpu.woken)
        return;
    core_.irqs().forget_wake(cpu);
    core_.delivery(caller).service();
}

[[gnu::noinline]] void Gic::leave_with_news() {
    for (;;) {
        IrqMachine::FinishedIrqs &finished = core_.irqs().finished();
        const CpuSet wakes = core_.irqs().take_wakes();
        if (wakes.empty() && finished.size() == 1) { // the end of one that was forwarded
            const FinishedIrq one = finished[0];
            finished.clear();
            lock_.unlock();
            return tell(one);
        }
        std::array<FinishedIrq, IrqMachine::FinishedIrqs::capacity()> told;
        const usize count = finished.size();
        for (usize n = 0; n < count; ++n)
            told[n] = finished[n];
        finished.clear();
        const bool more = count >= IrqMachine::kRefusedAtOnce && core_.irqs().has_more_refused();
        lock_.unlock();
        act(wakes);
        for (usize n = 0; n < count; ++n)
            tell(told[n]);
        if (!more) [[likely]]
            return;
        lock_.lock();
    }
}

void Gic::act(const CpuSet &wakes) {
    wakes.for_each([this](u32 cpu) { act(cpu); });
}

void Gic::tell(const FinishedIrq &finished) {
    if (EoiListener *listener = listeners_[finished.intid])
        listener->interrupt_ended(VcpuId{finished.cpu}, finished.intid);
}

// -- IrqRouter and IrqDelivery

void Gic::set_level(u32 intid, Level level) {
    SEL4VM_ASSERT(intid >= kIrqsPerWord && has(intid));
    Session session(*this, kNobody, needs_shared);
    core_.irqs().set_wire(0, intid, level);
}

bool Gic::inject(VcpuId vcpu, u32 intid) {
    SEL4VM_ASSERT(has(intid));
    Session session(*this, kNobody, [=] { return inject_need(vcpu, intid); });
    return pend(vcpu, intid);
}

bool Gic::inject_quickly(VcpuId vcpu, u32 intid) {
    SEL4VM_ASSERT(has(intid));
    Session session(*this, kNobody, needs_all); // whoever it goes to
    return (intid >= kIrqsPerWord && inject_now(intid)) || pend(vcpu, intid);
}

bool Gic::pend(VcpuId vcpu, u32 intid) {
    IrqMachine &irqs = core_.irqs();
    const u8 target = irqs.target_of(vcpu.value(), intid);
    if (target == kNoCpu || !irqs.is_forwarded(target, intid)) {
        irqs.note_refused(vcpu.value(), intid);
        return false;
    }
    irqs.set_pending(vcpu.value(), intid / kIrqsPerWord, bit<u32>(intid % kIrqsPerWord));
    return true;
}

// Not so for a wire, which may fall again before the guest would have seen it: a list register cannot take it back everywhere.
bool Gic::inject_now(u32 intid) {
    const u32 i = intid % kIrqsPerWord;
    SharedWord &place = core_.irqs().shared(intid / kIrqsPerWord);
    if (place.target[i] == kNoCpu)
        return false;
    CpuDelivery &delivery = core_.delivery(place.target[i]);
    return delivery.can_serve_now() && delivery.load_injected_alone(place, i, intid);
}

void Gic::set_private_level(VcpuId vcpu, u32 intid, Level level) {
    SEL4VM_ASSERT(intid >= kSgiCount && intid < kIrqsPerWord);
    Session session(*this, kNobody, [=] { return Need{Part::own, vcpu.value()}; });
    core_.irqs().set_wire(vcpu.value(), intid, level);
}

void Gic::sync(Vcpu &vcpu) {
    Session session(*this, vcpu.id().value(), needs_own(vcpu));
    core_.delivery(vcpu.id().value()).service();
}

void Gic::service(Vcpu &vcpu, u32 source) {
    Session session(*this, vcpu.id().value(), [&vcpu, source] {
        const bool physical = source >= aarch64::kFirstPhysicalSource;
        return Need{physical ? Part::own_and_shared : Part::own, vcpu.id().value(), true};
    });
    CpuDelivery &delivery = core_.delivery(vcpu.id().value());
    // The host says which of its own timers it was; the guest's board decides which interrupt that is.
    if (source == aarch64::irq_service(aarch64::IrqService::virtual_timer).source)
        delivery.timer_fired(config_.timer_intid);
    else if (source < aarch64::kFirstPhysicalSource) [[likely]]
        delivery.maintain();
    else
        delivery.physical_fired(source);
}

bool Gic::has_deliverable(Vcpu &vcpu) {
    Session session(*this, vcpu.id().value(), needs_own(vcpu));
    return core_.delivery(vcpu.id().value()).has_deliverable();
}

void Gic::reset() {
    Session session(*this, kNobody, needs_all);
    core_.reset();
}

// Both as nobody: what waits for this vCPU must reach it when it starts, not now.
void Gic::turned_on(Vcpu &vcpu) {
    Session session(*this, kNobody, needs_all);
    core_.turned_on(vcpu.id().value());
}

void Gic::turned_off(Vcpu &vcpu) {
    Session session(*this, kNobody, needs_all);
    core_.turned_off(vcpu.id().value());
}

[[gnu::cold]] bool Gic::has_wake_up(Vcpu &vcpu) {
    Session session(*this, vcpu.id().value(), needs_own(vcpu));
    return core_.delivery(vcpu.id().value()).has_wake_up();
}

[[gnu::cold]] void Gic::lost_power(Vcpu &vcpu) {
    Session session(*this, kNobody, needs_all);
    core_.delivery(vcpu.id().value()).keep_timer();
    core_.turned_off(vcpu.id().value());
}

// -- state

[[gnu::cold]] void Gic::save(GicState &to) {
    Session session(*this, kNobody, needs_all);
    core_.save(to);
}

[[gnu::cold]] void Gic::restore(const GicState &from) {
    Session session(*this, kNobody, needs_all);
    core_.restore(from);
}

// -- register frames

template <class Registers>
const char *Gic::DistributorDevice<Registers>::name() const {
    return gic.version() == GicVersion::v2 ? "gicv2 distributor" : "gicv3 distributor";
}

template <class Registers>
Result<u64, BusFault> Gic::DistributorDevice<Registers>::read(const Access &access) {
    Session session(gic, access.vcpu.value(), [&] { return gic.distributor_need(access, false); });
    return registers.read(access.vcpu.value(), access.offset, access.width);
}

template <class Registers>
Status<BusFault> Gic::DistributorDevice<Registers>::write(const Access &access, u64 value) {
    if (gic.is_apart() && gic.send_sgi_apart(access, value)) [[unlikely]]
        return Ok{};
    Session session(gic, access.vcpu.value(), [&] { return gic.distributor_need(access, true); });
    return registers.write(access.vcpu.value(), access.offset, access.width, value);
}

// The chip is reset as a whole.
template <class Registers>
void Gic::DistributorDevice<Registers>::reset() {
    gic.reset();
}

template struct Gic::DistributorDevice<DistributorV2>;
template struct Gic::DistributorDevice<DistributorV3>;

const char *Gic::RedistributorDevice::name() const { return "gicv3 redistributors"; }

Result<u64, BusFault> Gic::RedistributorDevice::read(const Access &access) {
    Session session(gic, access.vcpu.value(),
                    [&] { return gic.redistributor_need(access, first_offset + access.offset, false); });
    return gic.redistributor_frames_.read(access.vcpu.value(), first_offset + access.offset, access.width);
}

Status<BusFault> Gic::RedistributorDevice::write(const Access &access, u64 value) {
    Session session(gic, access.vcpu.value(),
                    [&] { return gic.redistributor_need(access, first_offset + access.offset, true); });
    return gic.redistributor_frames_.write(access.vcpu.value(), first_offset + access.offset, access.width, value);
}

void Gic::RedistributorDevice::reset() {}

[[gnu::noinline, gnu::cold]] void Gic::deactivate(u32 cpu, u32 intid) {
    // The end of a shared one may be another vCPU's business.
    Session session(*this, cpu, [=] { return Need{intid < kIrqsPerWord ? Part::own : Part::all, cpu}; });
    core_.deactivate(cpu, intid);
}

const char *Gic::DeactivationDevice::name() const { return "gicv2 deactivation"; }

// GICC_DIR is write-only, and the rest of the page is empty.
Result<u64, BusFault> Gic::DeactivationDevice::read(const Access &) { return u64{0}; }

Status<BusFault> Gic::DeactivationDevice::write(const Access &access, u64 value) {
    constexpr u64 kDir = aarch64::gicc::kDir - kDeactivationOffset;
    if (access.offset != kDir)
        return Ok{};
    gic.deactivate(access.vcpu.value(), aarch64::GiccIar{static_cast<u32>(value)}.get<aarch64::GiccIar::Intid>());
    return Ok{};
}

void Gic::DeactivationDevice::reset() {}

const char *Gic::DeactivationRegister::name() const { return "gicv3 deactivation register"; }

// It is write-only, as are those of SGIs; reading one is UNDEFINED.
Result<u64, BusFault> Gic::DeactivationRegister::read(Vcpu &, u32) { return Err{BusFault::denied}; }

Status<BusFault> Gic::DeactivationRegister::write(Vcpu &vcpu, u32, u64 value) {
    gic.deactivate(vcpu.id().value(), static_cast<u32>(value & kIntidMask));
    return Ok{};
}

const char *Gic::SgiRegisters::name() const { return "gicv3 sgi registers"; }

Result<u64, BusFault> Gic::SgiRegisters::read(Vcpu &, u32) { return Err{BusFault::denied}; }

Status<BusFault> Gic::SgiRegisters::write(Vcpu &vcpu, u32 id, u64 value) {
    SgiRegister which = SgiRegister::sgi1;
    switch (id) {
    case aarch64::sysreg::kIccSgi1rEl1: break;
    case aarch64::sysreg::kIccAsgi1rEl1: which = SgiRegister::asgi1; break;
    case aarch64::sysreg::kIccSgi0rEl1: which = SgiRegister::sgi0; break;
    default: return Err{BusFault::unmapped};
    }
    if (gic.is_apart()) [[unlikely]] {
        gic.send_sgi_apart(vcpu.id().value(), which, value);
        return Ok{};
    }
    Session session(gic, vcpu.id().value(), needs_all);
    send_sgi_v3(gic.core_, vcpu.id().value(), which, value);
    return Ok{};
}

} // namespace sel4vm::dev
