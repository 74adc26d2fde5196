// SPDX-License-Identifier: BSD-2-Clause
//
// The system registers of a GICv3 (IHI 0069): of its CPU interface (ICC) and of its virtual interface (ICH). Facts; no behaviour.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

namespace sysreg {

inline constexpr u32 kIccSreEl2 = sysreg_id(3, 4, 12, 9, 5);
inline constexpr u32 kIchHcrEl2 = sysreg_id(3, 4, 12, 11, 0);
inline constexpr u32 kIchVtrEl2 = sysreg_id(3, 4, 12, 11, 1);
inline constexpr u32 kIchMisrEl2 = sysreg_id(3, 4, 12, 11, 2);
inline constexpr u32 kIchEisrEl2 = sysreg_id(3, 4, 12, 11, 3);
inline constexpr u32 kIchElrsrEl2 = sysreg_id(3, 4, 12, 11, 5);
inline constexpr u32 kIchVmcrEl2 = sysreg_id(3, 4, 12, 11, 7);
[[nodiscard]] constexpr u32 ich_ap0r_el2(u32 n) { return sysreg_id(3, 4, 12, 8, n); }
[[nodiscard]] constexpr u32 ich_ap1r_el2(u32 n) { return sysreg_id(3, 4, 12, 9, n); }
[[nodiscard]] constexpr u32 ich_lr_el2(u32 n) { return sysreg_id(3, 4, 12, 12 + n / 8, n % 8); }

} // namespace sysreg

struct IccSre : RegValue<IccSre, u64> {
    using RegValue::RegValue;
    using Enable = Field<3>; ///< EL2 and EL3 only: lower levels may use ICC_SRE
    using Dib = Field<2>;
    using Dfb = Field<1>;
    using Sre = Field<0>;
    static_assert(disjoint<Enable, Dib, Dfb, Sre>());
};

struct IccCtlrEl1 : RegValue<IccCtlrEl1, u64> {
    using RegValue::RegValue;
    using ExtRange = Field<19>;
    using Rss = Field<18>;
    using A3v = Field<15>;
    using Seis = Field<14>;
    using IdBits = Field<13, 11, u8>;
    using PriBits = Field<10, 8, u8>; ///< minus one
    using Pmhe = Field<6>;
    using EoiMode = Field<1>;
    using Cbpr = Field<0>;
    static_assert(disjoint<ExtRange, Rss, A3v, Seis, IdBits, PriBits, Pmhe, EoiMode, Cbpr>());
};

/// ICC_SGI0R_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1.
struct IccSgir : RegValue<IccSgir, u64> {
    using RegValue::RegValue;
    using Aff3 = Field<55, 48, u8>;
    using RangeSelector = Field<47, 44, u8>; ///< the list covers Aff0 = 16 * RangeSelector to + 15
    using AllOthers = Field<40>;             ///< IRM: every CPU but the sender
    using Aff2 = Field<39, 32, u8>;
    using Intid = Field<27, 24, u8>;
    using Aff1 = Field<23, 16, u8>;
    using TargetList = Field<15, 0, u16>;
    static_assert(disjoint<Aff3, RangeSelector, AllOthers, Aff2, Intid, Aff1, TargetList>());
};

struct IchHcrEl2 : RegValue<IchHcrEl2, u64> {
    using RegValue::RegValue;
    using EoiCount = Field<31, 27, u8>;
    using Tdir = Field<14>;
    using Tsei = Field<13>;
    using Tall1 = Field<12>;
    using Tall0 = Field<11>;
    using Tc = Field<10>; ///< trap the registers common to both groups, ICC_SGI*R among them
    using Vgrp1Die = Field<7>;
    using Vgrp1Eie = Field<6>;
    using Vgrp0Die = Field<5>;
    using Vgrp0Eie = Field<4>;
    using Npie = Field<3>;
    using Lrenpie = Field<2>;
    using Uie = Field<1>;
    using En = Field<0>;
    static_assert(disjoint<EoiCount, Tdir, Tsei, Tall1, Tall0, Tc, Vgrp1Die, Vgrp1Eie, Vgrp0Die, Vgrp0Eie, Npie,
                           Lrenpie, Uie, En>());
};

struct IchVtrEl2 : RegValue<IchVtrEl2, u64> {
    using RegValue::RegValue;
    using PriorityBits = Field<31, 29, u8>;   ///< minus one
    using PreemptionBits = Field<28, 26, u8>; ///< minus one
    using IdBits = Field<25, 23, u8>;
    using Seis = Field<22>;
    using A3v = Field<21>;
    using Nv4 = Field<20>;
    using Tds = Field<19>;
    using ListRegs = Field<4, 0, u8>; ///< minus one
    static_assert(disjoint<PriorityBits, PreemptionBits, IdBits, Seis, A3v, Nv4, Tds, ListRegs>());
};

struct IchVmcrEl2 : RegValue<IchVmcrEl2, u64> {
    using RegValue::RegValue;
    using PriorityMask = Field<31, 24, u8>;
    using Bpr0 = Field<23, 21, u8>;
    using Bpr1 = Field<20, 18, u8>;
    using Eoim = Field<9>;
    using Cbpr = Field<4>;
    using FiqEn = Field<3>;
    using AckCtl = Field<2>;
    using EnableGrp1 = Field<1>;
    using EnableGrp0 = Field<0>;
    static_assert(disjoint<PriorityMask, Bpr0, Bpr1, Eoim, Cbpr, FiqEn, AckCtl, EnableGrp1, EnableGrp0>());
};

/// ICH_LR<n>_EL2.
struct IchLrEl2 : RegValue<IchLrEl2, u64> {
    using RegValue::RegValue;
    using State = Field<63, 62, u8>; ///< ListRegisterState
    using Hw = Field<61>;
    using Group1 = Field<60>;
    using Priority = Field<55, 48, u8>;
    using PhysicalId = Field<44, 32, u16>; ///< when Hw
    using Eoi = Field<41>;                 ///< when not Hw
    using VirtualId = Field<31, 0, u32>;
    static_assert(disjoint<State, Hw, Group1, Priority, PhysicalId, VirtualId>());
    static_assert(disjoint<State, Hw, Group1, Priority, Eoi, VirtualId>());
};

} // namespace sel4vm::aarch64
