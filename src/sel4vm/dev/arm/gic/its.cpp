// SPDX-License-Identifier: BSD-2-Clause
//
// The ITS's registers, and the LPI registers of redistributors.
#include <sel4vm/dev/arm/gic/its.hpp>

#include <sel4vm/dev/arm/gic/identification.hpp>

namespace sel4vm::dev {

namespace gits = aarch64::gits;
namespace gicr = aarch64::gicr;
using aarch64::GicrCtlr;
using aarch64::GicrPendbaser;
using aarch64::GicrPropbaser;
using aarch64::GicrTyper;
using aarch64::GitsBaser;
using aarch64::GitsCtlr;
using aarch64::GitsTable;
using aarch64::GitsTyper;

namespace {

constexpr u64 kValid = u64{1} << 63;
constexpr u64 kAddress = (u64{1} << 52) - kPageBytes;       // 51 to 12
constexpr u64 kPendingAddress = (u64{1} << 52) - 64 * kKiB; // 51 to 16
constexpr u64 kOffset = 0xf'ffe0;                           // GITS_CWRITER and CREADR
constexpr u64 kRetry = 1;
constexpr u32 kEntryBytes = 8;

constexpr u64 kType = GitsTyper{}
                          .with<GitsTyper::Devbits>(15)
                          .with<GitsTyper::IdBits>(15)
                          .with<GitsTyper::IttEntry>(kEntryBytes - 1)
                          .with<GitsTyper::Physical>(true)
                          .raw();

constexpr u64 table_of(GitsTable type, u64 value) {
    return GitsBaser{value}
        .with<GitsBaser::Type>(static_cast<u8>(type))
        .with<GitsBaser::EntrySize>(kEntryBytes - 1)
        .raw();
}
constexpr u64 kTableWritable = kValid | GitsBaser::Indirect::mask | gits::kTableAttributes | kAddress |
                               GitsBaser::PageSize::mask | GitsBaser::Pages::mask;
constexpr u64 kQueueWritable = kValid | gits::kTableAttributes | kAddress | GitsBaser::Pages::mask;
constexpr u64 kConfigurationWritable = gits::kRedistributorAttributes | kAddress | GicrPropbaser::IdBits::mask;
constexpr u64 kPendingWritable = gits::kRedistributorAttributes | kPendingAddress | GicrPendbaser::Ptz::mask;

} // namespace

struct Its::Registers {
    static constexpr auto kBank = register_bank<Its, kBytes>(std::array{
        reg<Its, &Its::control, &Its::set_control>("CTLR", gits::kCtlr),
        constant<Its>("IIDR", gits::kIidr, kGicIidr, kWidth4),
        reg64<Its, &Its::type, nullptr>("TYPER", gits::kTyper),
        reg64<Its, &Its::command_queue, &Its::set_command_queue>("CBASER", gits::kCbaser),
        reg64<Its, &Its::written, &Its::set_written>("CWRITER", gits::kCwriter),
        reg64<Its, &Its::read_so_far, nullptr>("CREADR", gits::kCreadr),
        family(reg64<Its, &Its::table, &Its::set_table>("BASER0 and BASER1", gits::kBaser), 2),
        family(reg<Its, &Its::identification, nullptr>("PIDR, CIDR", gits::kPidr4), 12),
    });
};

u64 Its::type() const { return kType; }

u32 Its::identification(RegisterUse use) const { return kIdentificationV3[use.index()]; }

u32 Its::control() const {
    const bool on = state_.enabled != 0;
    return GitsCtlr{}.with<GitsCtlr::Enabled>(on).with<GitsCtlr::Quiescent>(!on).raw();
}

void Its::set_control(RegisterUse use, u32 value) {
    state_.enabled = GitsCtlr{value}.get<GitsCtlr::Enabled>() ? 1 : 0;
    if (has_commands())
        worker_ = use.vcpu().value();
}

void Its::set_command_queue(u64 value) {
    if (state_.enabled != 0)
        return;
    state_.command_queue = value & kQueueWritable;
    state_.written = 0;
    state_.read = 0;
    state_.stalled = 0;
}

void Its::set_written(RegisterUse use, u64 value) {
    const u32 offset = static_cast<u32>(value & kOffset);
    if (offset >= queue_bytes())
        return;
    state_.written = offset;
    if ((value & kRetry) != 0)
        state_.stalled = 0;
    if (has_commands())
        worker_ = use.vcpu().value();
}

u64 Its::table(RegisterUse use) const {
    return use.index() == 0 ? table_of(GitsTable::devices, state_.devices)
                            : table_of(GitsTable::collections, state_.collections);
}

void Its::set_table(RegisterUse use, u64 value) {
    if (state_.enabled != 0)
        return;
    (use.index() == 0 ? state_.devices : state_.collections) = value & kTableWritable;
}

const char *Its::name() const { return "gicv3 its"; }

Result<u64, BusFault> Its::read(const Access &access) {
    LockGuard guard(lock_);
    return Registers::kBank.read(*this, access);
}

Status<BusFault> Its::write(const Access &access, u64 value) {
    {
        LockGuard guard(lock_);
        SEL4VM_TRY(Registers::kBank.write(*this, access, value));
    }
    if (worker_.load(std::memory_order_relaxed) == access.vcpu.value())
        carry_out(vm_.vcpu(access.vcpu));
    return Ok{};
}

void Its::reset() {
    LockGuard guard(lock_);
    state_ = {};
    cpus_ = {};
    worker_ = kNobody;
}

// -- redistributors

u64 Its::read_redistributor(u32 cpu, u32 at) {
    const LpiCpuState &state = cpus_[cpu];
    switch (at) {
    case gicr::kCtlr: return GicrCtlr{}.with<GicrCtlr::EnableLpis>(state.enabled != 0).raw();
    case gicr::kPropbaser: return state_.configuration;
    default: return state.pending_table & ~u64{GicrPendbaser::Ptz::mask};
    }
}

void Its::write_redistributor(u32 cpu, u32 at, u64 value) {
    LpiCpuState &state = cpus_[cpu];
    if (state.enabled != 0)
        return; // for good, until a reset
    switch (at) {
    case gicr::kCtlr:
        if (GicrCtlr{static_cast<u32>(value)}.get<GicrCtlr::EnableLpis>())
            enable_lpis(cpu);
        break;
    case gicr::kPropbaser: {
        bool in_use = false;
        for (const LpiCpuState &each : cpus_)
            in_use = in_use || each.enabled != 0;
        if (!in_use)
            state_.configuration = value & kConfigurationWritable;
        break;
    }
    default: state.pending_table = value & kPendingWritable; break;
    }
}

void Its::enable_lpis(u32 cpu) {
    cpus_[cpu].enabled = 1;
    // Demand RAM that nobody has touched comes in parts; the tables lie in five steps of it at most.
    for (u32 n = 0; n < kMostParts && reload_all() == Outcome::later; ++n) {
    }
    for (u32 n = 0; n < kMostParts && load_pending(cpu) == Outcome::later; ++n) {
    }
}

const char *Its::RedistributorDevice::name() const { return gic.name(); }

Result<u64, BusFault> Its::RedistributorDevice::read(const Access &access) {
    const auto own = own_register(access);
    if (!own) {
        const auto value = gic.read(access);
        if (value && access.offset % Redistributors::kBytesPerCpu == gicr::kTyper)
            return *value | GicrTyper::Plpis::mask;
        return value;
    }
    LockGuard guard(its.lock_);
    return its.read_redistributor(own->cpu, own->at) >> own->shift & mask_of(access.width);
}

Status<BusFault> Its::RedistributorDevice::write(const Access &access, u64 value) {
    const auto own = own_register(access);
    if (!own)
        return gic.write(access, value);
    LockGuard guard(its.lock_);
    const u64 mask = mask_of(access.width) << own->shift;
    its.write_redistributor(own->cpu, own->at,
                            (its.read_redistributor(own->cpu, own->at) & ~mask) | (value << own->shift & mask));
    return Ok{};
}

/// The register of the ITS's that an aligned access is to, or to a part of it.
std::optional<Its::RedistributorDevice::Own> Its::RedistributorDevice::own_register(const Access &access) {
    const u32 cpu = first_cpu + static_cast<u32>(access.offset / Redistributors::kBytesPerCpu);
    const u32 offset = static_cast<u32>(access.offset % Redistributors::kBytesPerCpu);
    if (cpu >= its.gic_.vcpu_count() || (offset & (bytes_of(access.width) - 1)) != 0)
        return std::nullopt;
    for (const u32 at : {gicr::kPropbaser, gicr::kPendbaser}) {
        if (offset - at < 8)
            return Own{cpu, at, 8 * (offset - at)};
    }
    // An access of eight bytes to CTLR and IIDR is the chip's, which has the second.
    if (offset < 4 && access.width != Width::b8)
        return Own{cpu, gicr::kCtlr, 8 * offset};
    return std::nullopt;
}

} // namespace sel4vm::dev
