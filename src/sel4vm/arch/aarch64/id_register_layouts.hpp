// SPDX-License-Identifier: BSD-2-Clause
//
// The AArch64 feature registers as types: the fields that hosts and tests ask for by name. What a guest may see of each
// field is id_registers.hpp's. Fields are 4 bits wide; most grow with the feature, those marked "signed" have 0xf for
// "absent".
#pragma once

#include <sel4vm/arch/aarch64/exception.hpp>
#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

struct IdAa64pfr0 : RegValue<IdAa64pfr0, u64> {
    using RegValue::RegValue;
    using Csv3 = Field<63, 60, u8>;
    using Csv2 = Field<59, 56, u8>;
    using Rme = Field<55, 52, u8>;
    using Dit = Field<51, 48, u8>;
    using Amu = Field<47, 44, u8>;
    using Mpam = Field<43, 40, u8>;
    using Sel2 = Field<39, 36, u8>;
    using Sve = Field<35, 32, u8>;
    using Ras = Field<31, 28, u8>;
    using Gic = Field<27, 24, u8>;
    using AdvSimd = Field<23, 20, u8>; ///< signed
    using Fp = Field<19, 16, u8>;      ///< signed
    using El3 = Field<15, 12, u8>;
    using El2 = Field<11, 8, u8>;
    using El1 = Field<7, 4, u8>;
    using El0 = Field<3, 0, u8>;
};

struct IdAa64pfr1 : RegValue<IdAa64pfr1, u64> {
    using RegValue::RegValue;
    using Nmi = Field<39, 36, u8>;
    using Csv2Frac = Field<35, 32, u8>;
    using RndrTrap = Field<31, 28, u8>;
    using Sme = Field<27, 24, u8>;
    using MpamFrac = Field<19, 16, u8>;
    using RasFrac = Field<15, 12, u8>;
    using Mte = Field<11, 8, u8>;
    using Ssbs = Field<7, 4, u8>;
    using Bt = Field<3, 0, u8>;
};

struct IdAa64dfr0 : RegValue<IdAa64dfr0, u64> {
    using RegValue::RegValue;
    using Brbe = Field<55, 52, u8>;
    using Mtpmu = Field<51, 48, u8>;
    using TraceBuffer = Field<47, 44, u8>;
    using TraceFilt = Field<43, 40, u8>;
    using DoubleLock = Field<39, 36, u8>; ///< signed
    using PmsVer = Field<35, 32, u8>;     ///< statistical profiling
    using CtxCmps = Field<31, 28, u8>;    ///< minus one
    using Wrps = Field<23, 20, u8>;       ///< minus one
    using Brps = Field<15, 12, u8>;       ///< minus one
    using PmuVer = Field<11, 8, u8>;      ///< 0xf: not Arm's
    using TraceVer = Field<7, 4, u8>;
    using DebugVer = Field<3, 0, u8>;
};

struct IdAa64isar0 : RegValue<IdAa64isar0, u64> {
    using RegValue::RegValue;
    using Rndr = Field<63, 60, u8>;
    using Tlb = Field<59, 56, u8>;
    using Atomic = Field<23, 20, u8>;
    using Crc32 = Field<19, 16, u8>;
};

struct IdAa64isar1 : RegValue<IdAa64isar1, u64> {
    using RegValue::RegValue;
    using Ls64 = Field<63, 60, u8>;
    using Gpi = Field<31, 28, u8>;
    using Gpa = Field<27, 24, u8>;
    using Api = Field<11, 8, u8>;
    using Apa = Field<7, 4, u8>;
};

struct IdAa64isar2 : RegValue<IdAa64isar2, u64> {
    using RegValue::RegValue;
    using PacFrac = Field<27, 24, u8>;
    using Mops = Field<19, 16, u8>;
    using Apa3 = Field<15, 12, u8>;
    using Gpa3 = Field<11, 8, u8>;
    using Wfxt = Field<3, 0, u8>;
};

struct IdAa64mmfr0 : RegValue<IdAa64mmfr0, u64> {
    using RegValue::RegValue;
    using Ecv = Field<63, 60, u8>;
    using Fgt = Field<59, 56, u8>;
    using Exs = Field<47, 44, u8>;
    using TGran4Stage2 = Field<43, 40, u8>;  ///< 0: as TGran4; 1: absent
    using TGran64Stage2 = Field<39, 36, u8>; ///< 0: as TGran64; 1: absent
    using TGran16Stage2 = Field<35, 32, u8>; ///< 0: as TGran16; 1: absent
    using TGran4 = Field<31, 28, u8>;        ///< signed
    using TGran64 = Field<27, 24, u8>;       ///< signed
    using TGran16 = Field<23, 20, u8>;
    using BigEndEl0 = Field<19, 16, u8>;
    using SnsMem = Field<15, 12, u8>;
    using BigEnd = Field<11, 8, u8>;
    using AsidBits = Field<7, 4, u8>; ///< 0: 8 bits, 2: 16 bits
    using PaRange = Field<3, 0, u8>;
};

/// Physical address bits of a PARange or VTCR_EL2.PS value; 0 for values unknown today.
[[nodiscard]] constexpr unsigned address_bits_of_pa_range(u8 pa_range) {
    constexpr u8 kBits[] = {32, 36, 40, 42, 44, 48, 52, 56};
    return pa_range < sizeof kBits ? kBits[pa_range] : 0;
}

struct IdAa64mmfr1 : RegValue<IdAa64mmfr1, u64> {
    using RegValue::RegValue;
    using Hcx = Field<43, 40, u8>;
    using Twed = Field<35, 32, u8>;
    using Xnx = Field<31, 28, u8>;
    using Pan = Field<23, 20, u8>;
    using Lo = Field<19, 16, u8>;
    using Vh = Field<11, 8, u8>;
    using VmidBits = Field<7, 4, u8>; ///< 0: 8 bits, 2: 16 bits
    using Hafdbs = Field<3, 0, u8>;
};

struct IdAa64mmfr2 : RegValue<IdAa64mmfr2, u64> {
    using RegValue::RegValue;
    using Evt = Field<59, 56, u8>;
    using Fwb = Field<43, 40, u8>;
    using Ids = Field<39, 36, u8>;
    using At = Field<35, 32, u8>;
    using Nv = Field<27, 24, u8>;
    using Uao = Field<7, 4, u8>;
    using Cnp = Field<3, 0, u8>;
};

/// What enter_el1() must know, from the CPU's own values (not the guest's view: PSTATE is the hardware's).
[[nodiscard]] constexpr PstateFeatures pstate_features(IdAa64pfr0 pfr0, IdAa64pfr1 pfr1, IdAa64mmfr1 mmfr1,
                                                       IdAa64mmfr2 mmfr2) {
    return {.pan = mmfr1.get<IdAa64mmfr1::Pan>() != 0,
            .uao = mmfr2.get<IdAa64mmfr2::Uao>() != 0,
            .dit = pfr0.get<IdAa64pfr0::Dit>() != 0,
            .ssbs = pfr1.get<IdAa64pfr1::Ssbs>() != 0,
            .mte = pfr1.get<IdAa64pfr1::Mte>() >= 2,
            .nmi = pfr1.get<IdAa64pfr1::Nmi>() != 0};
}

} // namespace sel4vm::aarch64
