// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/redistributor.hpp>

#include <sel4vm/dev/arm/gic/identification.hpp>

namespace sel4vm::dev {

namespace gicr = aarch64::gicr;
using aarch64::GicrTyper;
using aarch64::GicrWaker;

namespace {

using R = Redistributors;
using Row = RegisterFamily<R>;
template <auto Member>
constexpr Row::Read read = Row::reader<Member>;
template <auto Member>
constexpr Row::Write write = Row::writer<Member>;

constexpr RegisterFamilies kRegisters(std::array{
    Row{"CTLR", gicr::kCtlr, 1, 4, PartWrite::lanes, 0, nullptr, nullptr},
    Row{"IIDR", gicr::kIidr, 1, 4, PartWrite::lanes, 0, read<&R::read_implementer>, nullptr},
    Row{"TYPER", gicr::kTyper, 1, 8, PartWrite::lanes, 0, read<&R::read_type>, nullptr},
    Row{"WAKER", gicr::kWaker, 1, 4, PartWrite::merge, 0, read<&R::read_waker>, write<&R::write_waker>},
    Row{"PROPBASER", gicr::kPropbaser, 1, 8, PartWrite::lanes, 0, nullptr, nullptr},
    Row{"PENDBASER", gicr::kPendbaser, 1, 8, PartWrite::lanes, 0, nullptr, nullptr},
    Row{"PIDR, CIDR", gicr::kPidr4, 12, 4, PartWrite::lanes, 0, read<&R::read_identification>, nullptr},
    Row{"IGROUPR0", gicr::kIgroupr0, 1, 4, PartWrite::merge, 0, read<&R::read_group>, write<&R::write_group>},
    Row{"ISENABLER0", gicr::kIsenabler0, 1, 4, PartWrite::lanes, 0, read<&R::read_enable>, write<&R::write_enable>},
    Row{"ICENABLER0", gicr::kIcenabler0, 1, 4, PartWrite::lanes, 0, read<&R::read_enable>, write<&R::write_disable>},
    Row{"ISPENDR0", gicr::kIspendr0, 1, 4, PartWrite::lanes, 0, read<&R::read_pending>, write<&R::write_pending>},
    Row{"ICPENDR0", gicr::kIcpendr0, 1, 4, PartWrite::lanes, 0, read<&R::read_pending>, write<&R::write_clear_pending>},
    Row{"ISACTIVER0", gicr::kIsactiver0, 1, 4, PartWrite::lanes, 0, read<&R::read_active>, write<&R::write_active>},
    Row{"ICACTIVER0", gicr::kIcactiver0, 1, 4, PartWrite::lanes, 0, read<&R::read_active>,
        write<&R::write_clear_active>},
    Row{"IPRIORITYR", gicr::kIpriorityr, 8, 4, PartWrite::lanes, 0, read<&R::read_priority>, write<&R::write_priority>},
    Row{"ICFGR", gicr::kIcfgr0, 2, 4, PartWrite::merge, 0, read<&R::read_config>, write<&R::write_config>},
});

[[nodiscard]] RegisterOrigin origin_of(u32 caller, u64 offset) {
    return {caller, static_cast<u32>(offset / R::kBytesPerCpu)};
}

} // namespace

Result<u64, BusFault> Redistributors::read(u32 caller, u64 offset, Width width) {
    const RegisterOrigin origin = origin_of(caller, offset);
    if (origin.bank() >= irqs().cpu_count())
        return Err{BusFault::unmapped};
    return kRegisters.read(*this, origin, offset % kBytesPerCpu, width);
}

Status<BusFault> Redistributors::write(u32 caller, u64 offset, Width width, u64 value) {
    const RegisterOrigin origin = origin_of(caller, offset);
    if (origin.bank() >= irqs().cpu_count())
        return Err{BusFault::unmapped};
    return kRegisters.write(*this, origin, offset % kBytesPerCpu, width, value);
}

u64 Redistributors::read_implementer(RegisterOrigin, u32) { return kGicIidr; }

u64 Redistributors::read_type(RegisterOrigin origin, u32) {
    const u32 next = origin.bank() + 1;
    return GicrTyper{}
        .with<GicrTyper::Affinity>(irqs().cpu(origin.bank()).affinity)
        .with<GicrTyper::ProcessorNumber>(static_cast<u16>(origin.bank()))
        .with<GicrTyper::Last>(next == first_row_ || next == irqs().cpu_count())
        .raw();
}

u64 Redistributors::read_waker(RegisterOrigin origin, u32) {
    const bool asleep = irqs().cpu(origin.bank()).asleep;
    return GicrWaker{}.with<GicrWaker::ProcessorSleep>(asleep).with<GicrWaker::ChildrenAsleep>(asleep).raw();
}

void Redistributors::write_waker(RegisterOrigin origin, u32, u64 value, u64) {
    const GicrWaker waker{static_cast<u32>(value)};
    irqs().set_power(origin.bank(),
                     waker.get<GicrWaker::ProcessorSleep>() ? RedistributorPower::asleep : RedistributorPower::awake);
}

u64 Redistributors::read_identification(RegisterOrigin, u32 index) { return kIdentificationV3[index]; }

} // namespace sel4vm::dev
