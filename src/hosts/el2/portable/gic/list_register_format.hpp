// SPDX-License-Identifier: BSD-2-Clause
//
// How the two GIC versions lay out one list register: GICH_LR<n> (IHI 0048B, "List Registers") and ICH_LR<n>_EL2 (IHI
// 0069, "Interrupt Controller List Registers"), to and from the port's form. Fields that a version lacks are dropped.
#pragma once

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/gic_system_registers.hpp>
#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>

namespace sel4vm::el2 {

using aarch64::GichLr;
using IchLr = aarch64::IchLrEl2;

// Field by field with masks, not with(): these run on the exit path, and a value that is too wide is cut like the
// hardware would cut it (the model keeps to abilities()).
[[nodiscard]] constexpr u64 to_gich(const aarch64::ListRegister &lr) {
    u32 raw = (lr.intid & 0x3ff) | static_cast<u32>(lr.priority >> 3) << GichLr::Priority::shift |
              static_cast<u32>(lr.state) << GichLr::State::shift | (lr.group1 ? GichLr::Grp1::mask : 0);
    if (lr.hardware_linked)
        raw |= GichLr::Hw::mask | (static_cast<u32>(lr.physical_intid & 0x3ff) << GichLr::PhysicalId::shift);
    else
        raw |= (lr.eoi_maintenance ? GichLr::Eoi::mask : 0) |
               (static_cast<u32>(lr.source_cpu & 7) << GichLr::CpuId::shift);
    return raw;
}

[[nodiscard]] constexpr aarch64::ListRegister from_gich(u64 raw) {
    const GichLr in{static_cast<u32>(raw)};
    aarch64::ListRegister lr;
    lr.state = static_cast<aarch64::ListRegisterState>(in.get<GichLr::State>());
    lr.priority = static_cast<u8>(in.get<GichLr::Priority>() << 3);
    lr.group1 = in.get<GichLr::Grp1>();
    lr.intid = in.get<GichLr::VirtualId>();
    lr.hardware_linked = in.get<GichLr::Hw>();
    if (lr.hardware_linked) {
        lr.physical_intid = in.get<GichLr::PhysicalId>();
    } else {
        lr.eoi_maintenance = in.get<GichLr::Eoi>();
        lr.source_cpu = in.get<GichLr::CpuId>();
    }
    return lr;
}

[[nodiscard]] constexpr u64 to_ich(const aarch64::ListRegister &lr) {
    const u64 linked = lr.hardware_linked;
    const u64 eoi = u64{lr.eoi_maintenance} & ~linked;
    const u64 physical_id = lr.physical_intid & (~(linked - 1) & 0x1fff);
    return lr.intid | physical_id << IchLr::PhysicalId::shift | eoi << IchLr::Eoi::shift |
           u64{lr.priority} << IchLr::Priority::shift | u64{lr.group1} << IchLr::Group1::shift |
           linked << IchLr::Hw::shift | static_cast<u64>(lr.state) << IchLr::State::shift;
}

[[nodiscard]] constexpr aarch64::ListRegister from_ich(u64 raw) {
    const IchLr in{raw};
    aarch64::ListRegister lr;
    lr.state = static_cast<aarch64::ListRegisterState>(in.get<IchLr::State>());
    lr.priority = in.get<IchLr::Priority>();
    lr.group1 = in.get<IchLr::Group1>();
    lr.intid = in.get<IchLr::VirtualId>();
    lr.hardware_linked = in.get<IchLr::Hw>();
    if (lr.hardware_linked)
        lr.physical_intid = in.get<IchLr::PhysicalId>();
    else
        lr.eoi_maintenance = in.get<IchLr::Eoi>();
    return lr;
}

} // namespace sel4vm::el2
