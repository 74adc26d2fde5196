// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/registers/controls.hpp>

#include <hosts/el2/portable/registers/register_table.hpp>

namespace sel4vm::el2 {

namespace {

using aarch64::HcrEl2;

/// What the traps of the table come to: one entry for each feature and group of bits.
struct Setting {
    CpuFeature feature;
    CpuFeature needs;
    Control control;
    u64 bits;
    friend constexpr bool operator==(const Setting &, const Setting &) = default;
};

struct Settings {
    std::array<Setting, 32> rows{};
    usize count = 0;
};

consteval Settings settings_of_table() {
    Settings settings;
    for (const RegisterRow &row : kRegisters) {
        const Setting setting{row.feature, row.trap.needs, row.trap.control, row.trap.bits};
        if (row.trap.when != Trap::When::set || std::find(settings.rows.begin(), settings.rows.begin() + settings.count,
                                                          setting) != settings.rows.begin() + settings.count)
            continue;
        settings.rows[settings.count++] = setting;
    }
    return settings;
}
constexpr Settings kSettings = settings_of_table();

// Translation; interrupts and SErrors are the host's; waits and calls trap; maintenance reaches where a vCPU may have been before.
constexpr u64 kHcr = HcrEl2::Vm::mask | HcrEl2::Swio::mask | HcrEl2::Ptw::mask | HcrEl2::Rw::mask | HcrEl2::Imo::mask |
                     HcrEl2::Fmo::mask | HcrEl2::Amo::mask | HcrEl2::Twi::mask | HcrEl2::Tsc::mask | HcrEl2::Tsw::mask |
                     HcrEl2::Fb::mask | (u64{1} << HcrEl2::Bsu::shift);

} // namespace

Controls::Controls(CpuFeatures features, u8 event_counters) {
    const auto value = [this](Control control) -> u64 & { return values_[static_cast<usize>(control)]; };
    value(Control::hcr) = kHcr;
    value(Control::cptr) = aarch64::kCptrEl2Res1;
    value(Control::mdcr) = event_counters;
    if (features.has(CpuFeature::pmu_p1))
        value(Control::mdcr) |= aarch64::MdcrEl2::Hpmd::mask;
    if (features.has(CpuFeature::pmu_p5))
        value(Control::mdcr) |= aarch64::MdcrEl2::Hccd::mask;
    value(Control::vsesr) = aarch64::VsesrEl2::Ids::mask;
    value(Control::mpamhcr) = aarch64::MpamhcrEl2::TrapMpamidrEl1::mask;
    if (features.has(CpuFeature::nmi))
        value(Control::hcrx) = aarch64::HcrxEl2::Tallint::mask;
    for (usize i = 0; i < kSettings.count; ++i) {
        const Setting &setting = kSettings.rows[i];
        if (features.has(setting.feature) && features.has(setting.needs))
            value(setting.control) |= setting.bits;
    }
}

} // namespace sel4vm::el2
