// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/distributor_v2.hpp>
#include <sel4vm/dev/arm/gic/identification.hpp>
#include <sel4vm/dev/arm/gic/sgi.hpp>

namespace sel4vm::dev {

namespace gicd = aarch64::gicd;

namespace {

using D = DistributorV2;
using Row = RegisterFamily<D>;
template <auto Member>
constexpr Row::Read read = Row::reader<Member>;
template <auto Member>
constexpr Row::Write write = Row::writer<Member>;

constexpr RegisterFamilies kRegisters(std::array{
    Row{"CTLR", gicd::kCtlr, 1, 4, PartWrite::merge, 0, read<&D::read_control>, write<&D::write_control>},
    Row{"TYPER", gicd::kTyper, 1, 4, PartWrite::lanes, 0, read<&D::read_type>, nullptr},
    Row{"IIDR", gicd::kIidr, 1, 4, PartWrite::lanes, 0, read<&D::read_implementer>, nullptr},
    Row{"IGROUPR", gicd::kIgroupr, 32, 4, PartWrite::merge, 0, read<&D::read_group>, write<&D::write_group>},
    Row{"ISENABLER", gicd::kIsenabler, 32, 4, PartWrite::lanes, 0, read<&D::read_enable>, write<&D::write_enable>},
    Row{"ICENABLER", gicd::kIcenabler, 32, 4, PartWrite::lanes, 0, read<&D::read_enable>, write<&D::write_disable>},
    Row{"ISPENDR", gicd::kIspendr, 32, 4, PartWrite::lanes, 0, read<&D::read_pending>, write<&D::write_pending>},
    Row{"ICPENDR", gicd::kIcpendr, 32, 4, PartWrite::lanes, 0, read<&D::read_pending>, write<&D::write_clear_pending>},
    Row{"ISACTIVER", gicd::kIsactiver, 32, 4, PartWrite::lanes, 0, read<&D::read_active>, write<&D::write_active>},
    Row{"ICACTIVER", gicd::kIcactiver, 32, 4, PartWrite::lanes, 0, read<&D::read_active>,
        write<&D::write_clear_active>},
    Row{"IPRIORITYR", gicd::kIpriorityr, 255, 4, PartWrite::lanes, 0, read<&D::read_priority>,
        write<&D::write_priority>},
    Row{"ITARGETSR", gicd::kItargetsr, 255, 4, PartWrite::lanes, 0, read<&D::read_targets>, write<&D::write_targets>},
    Row{"ICFGR", gicd::kIcfgr, 64, 4, PartWrite::merge, 0, read<&D::read_config>, write<&D::write_config>},
    Row{"SGIR", gicd::kSgir, 1, 4, PartWrite::ignored, 0, nullptr, write<&D::write_sgi>},
    Row{"CPENDSGIR", gicd::kCpendsgir, 4, 4, PartWrite::lanes, 0, read<&D::read_sgi_pending>,
        write<&D::write_sgi_clear>},
    Row{"SPENDSGIR", gicd::kSpendsgir, 4, 4, PartWrite::lanes, 0, read<&D::read_sgi_pending>, write<&D::write_sgi_set>},
    Row{"PIDR, CIDR", gicd::kPidr4V2, 12, 4, PartWrite::lanes, 0, read<&D::read_identification>, nullptr},
});

constexpr u32 kIrqsPerTargetRegister = 4;
constexpr u32 kSgisPerPendingRegister = 4;

} // namespace

Result<u64, BusFault> DistributorV2::read(u32 caller, u64 offset, Width width) {
    return kRegisters.read(*this, {caller, caller}, offset, width);
}

Status<BusFault> DistributorV2::write(u32 caller, u64 offset, Width width, u64 value) {
    return kRegisters.write(*this, {caller, caller}, offset, width, value);
}

u64 DistributorV2::read_control(RegisterOrigin, u32) { return irqs().forwarded_groups(); }

void DistributorV2::write_control(RegisterOrigin, u32, u64 value, u64) {
    irqs().set_forwarded_groups(static_cast<u32>(value));
}

u64 DistributorV2::read_type(RegisterOrigin, u32) { return irqs().distributor_type(); }

u64 DistributorV2::read_implementer(RegisterOrigin, u32) { return kGicIidr; }

[[gnu::cold]] u64 DistributorV2::read_targets(RegisterOrigin origin, u32 index) {
    if (irqs().cpu_count() == 1)
        return 0; // a uniprocessor has nothing to choose
    const u32 first = index * kIrqsPerTargetRegister;
    if (first < kIrqsPerWord)
        return (u64{1} << origin.caller()) * 0x0101'0101; // private interrupts: a CPU learns its own bit here
    if (!exists(first / kIrqsPerWord))
        return 0;
    const SharedWord &place = irqs().shared(first / kIrqsPerWord);
    u64 value = 0;
    for (u32 n = 0; n < kIrqsPerTargetRegister; ++n)
        value |= u64{place.route[first % kIrqsPerWord + n] & 0xff} << (8 * n);
    return value;
}

[[gnu::cold]] void DistributorV2::write_targets(RegisterOrigin, u32 index, u64 value, u64 lanes) {
    const u32 first = index * kIrqsPerTargetRegister;
    if (first < kIrqsPerWord || !exists(first / kIrqsPerWord) || irqs().cpu_count() == 1)
        return;
    const u32 everyone = low_mask<u32>(irqs().cpu_count());
    for (u32 intid = first; lanes != 0; ++intid, lanes >>= 8, value >>= 8) {
        if ((lanes & 0xff) != 0)
            irqs().set_route(intid, static_cast<u32>(value) & everyone, Routing::listed);
    }
}

void DistributorV2::write_sgi(RegisterOrigin origin, u32, u64 value, u64) {
    send_sgi_v2(core_, origin.caller(), static_cast<u32>(value));
}

[[gnu::cold]] u64 DistributorV2::read_sgi_pending(RegisterOrigin origin, u32 index) {
    core_.observe(origin.caller(), origin.bank(), 0);
    u64 value = 0;
    for (u32 n = 0; n < kSgisPerPendingRegister; ++n)
        value |= u64{irqs().sgi_sources(origin.bank(), index * kSgisPerPendingRegister + n)} << (8 * n);
    return value;
}

[[gnu::cold]] void DistributorV2::write_sgi_clear(RegisterOrigin origin, u32 index, u64 value, u64) {
    core_.observe(origin.caller(), origin.bank(), 0);
    for (u32 n = 0; n < kSgisPerPendingRegister; ++n) {
        if (const u8 sources = static_cast<u8>(value >> (8 * n)); sources != 0)
            irqs().clear_sgi_sources(origin.bank(), index * kSgisPerPendingRegister + n, sources);
    }
}

[[gnu::cold]] void DistributorV2::write_sgi_set(RegisterOrigin origin, u32 index, u64 value, u64) {
    for (u32 n = 0; n < kSgisPerPendingRegister; ++n) {
        u32 sources = static_cast<u32>(value >> (8 * n)) & low_mask<u32>(irqs().cpu_count());
        for (; sources != 0; sources &= sources - 1) {
            irqs().send_sgi(origin.bank(), index * kSgisPerPendingRegister + n,
                            static_cast<u8>(std::countr_zero(sources)));
        }
    }
}

u64 DistributorV2::read_identification(RegisterOrigin, u32 index) { return kIdentificationV2[index]; }

} // namespace sel4vm::dev
