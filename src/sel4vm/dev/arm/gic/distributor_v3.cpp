// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/distributor_v3.hpp>
#include <sel4vm/dev/arm/gic/identification.hpp>

namespace sel4vm::dev {

namespace gicd = aarch64::gicd;
using aarch64::GicdCtlrV3;
using aarch64::GicdIrouter;

namespace {

constexpr u32 kIntidMask = 0x1fff; // GICD_SETSPI_NSR.INTID

using D = DistributorV3;
using Row = RegisterFamily<D>;
template <auto Member>
constexpr Row::Read read = Row::reader<Member>;
template <auto Member>
constexpr Row::Write write = Row::writer<Member>;

// Each family starts with the registers of INTID 32: the private ones are in the redistributors.
constexpr RegisterFamilies kRegisters(std::array{
    Row{"CTLR", gicd::kCtlr, 1, 4, PartWrite::merge, 0, read<&D::read_control>, write<&D::write_control>},
    Row{"TYPER", gicd::kTyper, 1, 4, PartWrite::lanes, 0, read<&D::read_type>, nullptr},
    Row{"IIDR", gicd::kIidr, 1, 4, PartWrite::lanes, 0, read<&D::read_implementer>, nullptr},
    Row{"SETSPI_NSR", gicd::kSetspiNsr, 1, 4, PartWrite::lanes, 0, nullptr, write<&D::write_message>},
    Row{"CLRSPI_NSR", gicd::kClrspiNsr, 1, 4, PartWrite::lanes, 1, nullptr, write<&D::write_message>},
    Row{"IGROUPR", gicd::kIgroupr + 4, 31, 4, PartWrite::merge, 1, read<&D::read_group>, write<&D::write_group>},
    Row{"ISENABLER", gicd::kIsenabler + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_enable>, write<&D::write_enable>},
    Row{"ICENABLER", gicd::kIcenabler + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_enable>, write<&D::write_disable>},
    Row{"ISPENDR", gicd::kIspendr + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_pending>, write<&D::write_pending>},
    Row{"ICPENDR", gicd::kIcpendr + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_pending>,
        write<&D::write_clear_pending>},
    Row{"ISACTIVER", gicd::kIsactiver + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_active>, write<&D::write_active>},
    Row{"ICACTIVER", gicd::kIcactiver + 4, 31, 4, PartWrite::lanes, 1, read<&D::read_active>,
        write<&D::write_clear_active>},
    Row{"IPRIORITYR", gicd::kIpriorityr + 32, 247, 4, PartWrite::lanes, 8, read<&D::read_priority>,
        write<&D::write_priority>},
    Row{"ICFGR", gicd::kIcfgr + 8, 62, 4, PartWrite::merge, 2, read<&D::read_config>, write<&D::write_config>},
    Row{"IROUTER", gicd::kIrouter + 8 * 32, 988, 8, PartWrite::lanes, 32, read<&D::read_router>,
        write<&D::write_router>},
    Row{"PIDR, CIDR", gicd::kPidr4, 12, 4, PartWrite::lanes, 0, read<&D::read_identification>, nullptr},
});

} // namespace

Result<u64, BusFault> DistributorV3::read(u32 caller, u64 offset, Width width) {
    return kRegisters.read(*this, {caller, 0}, offset, width);
}

Status<BusFault> DistributorV3::write(u32 caller, u64 offset, Width width, u64 value) {
    return kRegisters.write(*this, {caller, 0}, offset, width, value);
}

u64 DistributorV3::read_control(RegisterOrigin, u32) {
    const u32 groups = irqs().forwarded_groups();
    return GicdCtlrV3{}
        .with<GicdCtlrV3::Ds>(true)
        .with<GicdCtlrV3::Are>(true)
        .with<GicdCtlrV3::EnableGrp0>((groups & 1) != 0)
        .with<GicdCtlrV3::EnableGrp1>((groups & 2) != 0)
        .raw();
}

void DistributorV3::write_control(RegisterOrigin, u32, u64 value, u64) {
    irqs().set_forwarded_groups(static_cast<u32>(value));
}

u64 DistributorV3::read_type(RegisterOrigin, u32) { return irqs().distributor_type(); }

[[gnu::cold]] void DistributorV3::write_message(RegisterOrigin origin, u32 index, u64 value, u64 lanes) {
    // Halfwords and words; the number of the other half means nothing.
    if (!irqs().has_message_spis() || (lanes & 0xffff) != 0xffff)
        return;
    // As ISPENDR and ICPENDR do.
    const u32 w = (static_cast<u32>(value) & kIntidMask) / kIrqsPerWord;
    if (w != 0 && exists(w))
        core_.observe(origin.caller(), 0, w);
    irqs().send_message(static_cast<u32>(value), level_of(index == 0));
}

u64 DistributorV3::read_implementer(RegisterOrigin, u32) { return kGicIidr; }

[[gnu::cold]] u64 DistributorV3::read_router(RegisterOrigin, u32 index) {
    const u32 w = index / kIrqsPerWord;
    const u32 i = index % kIrqsPerWord;
    if (!exists(w))
        return 0;
    const SharedWord &place = irqs().shared(w);
    const u32 affinity = place.route[i];
    return GicdIrouter{affinity & 0xff'ffff}
        .with<GicdIrouter::Aff3>(static_cast<u8>(affinity >> 24))
        .with<GicdIrouter::AnyCpu>((place.any_cpu >> i & 1) != 0)
        .raw();
}

[[gnu::cold]] void DistributorV3::write_router(RegisterOrigin origin, u32 index, u64 value, u64 lanes) {
    if (!exists(index / kIrqsPerWord))
        return;
    const GicdIrouter route{(read_router(origin, index) & ~lanes) | value};
    const u32 affinity = u32{route.get<GicdIrouter::Aff3>()} << 24 | u32{route.get<GicdIrouter::Aff2>()} << 16 |
                         u32{route.get<GicdIrouter::Aff1>()} << 8 | route.get<GicdIrouter::Aff0>();
    irqs().set_route(index, affinity, route.get<GicdIrouter::AnyCpu>() ? Routing::any_cpu : Routing::listed);
}

u64 DistributorV3::read_identification(RegisterOrigin, u32 index) { return kIdentificationV3[index]; }

} // namespace sel4vm::dev
