// SPDX-License-Identifier: BSD-2-Clause
//
// Layouts of the system registers that hosts and devices take apart: PSTATE/SPSR, SCTLR_EL1, EL2 controls, CPU identity
// (Arm ARM DDI 0487). Only fields somebody here uses; ID_AA64* feature registers are in id_register_layouts.hpp, timers
// in timer_registers.hpp, the GIC in gic_registers.hpp.
#pragma once

#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// SPSR.M for AArch64: exception level and stack pointer.
enum class Mode : u8 { el0t = 0x0, el1t = 0x4, el1h = 0x5, el2t = 0x8, el2h = 0x9 };

/// SPSR_ELx, and PSTATE in the same layout. Fields from M[4] down apply to AArch64; an AArch32 state has nRW set.
struct Spsr : RegValue<Spsr, u64> {
    using RegValue::RegValue;
    using N = Field<31>;
    using Z = Field<30>;
    using C = Field<29>;
    using V = Field<28>;
    using Tco = Field<25>;
    using Dit = Field<24>;
    using Uao = Field<23>;
    using Pan = Field<22>;
    using Ss = Field<21>;
    using Il = Field<20>;
    using Allint = Field<13>;
    using Ssbs = Field<12>;
    using Btype = Field<11, 10, u8>;
    using D = Field<9>;
    using A = Field<8>;
    using I = Field<7>;
    using F = Field<6>;
    using AArch32 = Field<4>; ///< M[4], nRW
    using Mode = Field<3, 0, aarch64::Mode>;
    static_assert(disjoint<N, Z, C, V, Tco, Dit, Uao, Pan, Ss, Il, Allint, Ssbs, Btype, D, A, I, F, AArch32, Mode>());

    /// Exception level 0 to 3. An AArch32 state counts as EL0 in User mode and as EL1 otherwise.
    [[nodiscard]] constexpr unsigned exception_level() const {
        if (get<AArch32>())
            return (raw() & 0xf) == 0 ? 0 : 1;
        return static_cast<unsigned>(raw() >> 2 & 3);
    }
};

/// SPSR_ELx (the AArch64 register) that holds an AArch32 state.
struct Spsr32 : RegValue<Spsr32, u64> {
    using RegValue::RegValue;
    using It1to0 = Field<26, 25, u8>;
    using Dit = Field<24>;
    using Ssbs = Field<23>;
    using Pan = Field<22>;
    using Ss = Field<21>;
    using Il = Field<20>;
    using It7to2 = Field<15, 10, u8>;
    using BigEndian = Field<9>;
    using A = Field<8>;
    using I = Field<7>;
    using F = Field<6>;
    using Thumb = Field<5>;
    using Mode = Field<4, 0, u8>; ///< with M[4]; User is 0x10
    static_assert(Dit::mask == Spsr::Dit::mask && Pan::mask == Spsr::Pan::mask);
    static_assert(disjoint<It1to0, Dit, Ssbs, Pan, Ss, Il, It7to2, BigEndian, A, I, F, Thumb, Mode>());
};

/// DAIF as bits 9 to 6 of an SPSR.
inline constexpr u64 kSpsrDaif = Spsr::D::mask | Spsr::A::mask | Spsr::I::mask | Spsr::F::mask;
/// A guest's PSTATE after its vCPU's reset: EL1h, all exceptions masked.
inline constexpr u64 kResetPstate = kSpsrDaif | static_cast<u64>(Mode::el1h);

struct SctlrEl1 : RegValue<SctlrEl1, u64> {
    using RegValue::RegValue;
    using Spintmask = Field<62>; ///< set: PSTATE.ALLINT is cleared on exceptions to EL1
    using Dssbs = Field<44>;
    using Ata = Field<43>;
    using Uci = Field<26>;
    using Ee = Field<25>;   ///< big-endian data at EL1
    using E0e = Field<24>;  ///< big-endian data at EL0
    using Span = Field<23>; ///< set: PSTATE.PAN is kept on exceptions to EL1
    using Wxn = Field<19>;
    using Ntwe = Field<18>;
    using Ntwi = Field<16>;
    using Uct = Field<15>;
    using Dze = Field<14>;
    using I = Field<12>;
    using Sa0 = Field<4>;
    using Sa = Field<3>;
    using C = Field<2>;
    using A = Field<1>;
    using M = Field<0>;
    static_assert(
        disjoint<Spintmask, Dssbs, Ata, Uci, Ee, E0e, Span, Wxn, Ntwe, Ntwi, Uct, Dze, I, Sa0, Sa, C, A, M>());

    static constexpr u64 kEndianness = Ee::mask | E0e::mask;
};
/// SCTLR_EL1 after the reset of Arm's own cores: MMU and caches off, nothing of EL0 traps (nTWI, nTWE, CP15BEN), SP is checked (SA, SA0).
inline constexpr u64 kSctlrEl1Reset = 0x00c5'0838;
/// nTLSMD and LSMAOE. Without FEAT_LSMAOC they do nothing, and some cores read as ones, others as zeros there.
inline constexpr u64 kSctlrEl1CpuBits = 0x3000'0000;

struct HcrEl2 : RegValue<HcrEl2, u64> {
    using RegValue::RegValue;
    using Twedel = Field<63, 60, u8>;
    using Tweden = Field<59>;
    using Tid5 = Field<58>;
    using Dct = Field<57>;
    using Ata = Field<56>;
    using Ttlbos = Field<55>;
    using Ttlbis = Field<54>;
    using Enscxt = Field<53>;
    using Tocu = Field<52>;
    using Amvoffen = Field<51>;
    using Ticab = Field<50>;
    using Tid4 = Field<49>;
    using Fien = Field<47>;
    using Fwb = Field<46>;
    using Nv2 = Field<45>;
    using At = Field<44>;
    using Nv1 = Field<43>;
    using Nv = Field<42>;
    using Api = Field<41>;
    using Apk = Field<40>;
    using Miocnce = Field<38>;
    using Tea = Field<37>;
    using Terr = Field<36>;
    using Tlor = Field<35>;
    using E2h = Field<34>;
    using Id = Field<33>;
    using Cd = Field<32>;
    using Rw = Field<31>;
    using Trvm = Field<30>;
    using Hcd = Field<29>;
    using Tdz = Field<28>;
    using Tge = Field<27>;
    using Tvm = Field<26>;
    using Ttlb = Field<25>;
    using Tpu = Field<24>;
    using Tpcp = Field<23>;
    using Tsw = Field<22>;
    using Tacr = Field<21>;
    using Tidcp = Field<20>;
    using Tsc = Field<19>;
    using Tid3 = Field<18>;
    using Tid2 = Field<17>;
    using Tid1 = Field<16>;
    using Tid0 = Field<15>;
    using Twe = Field<14>;
    using Twi = Field<13>;
    using Dc = Field<12>;
    using Bsu = Field<11, 10, u8>;
    using Fb = Field<9>;
    using Vse = Field<8>;
    using Vi = Field<7>;
    using Vf = Field<6>;
    using Amo = Field<5>;
    using Imo = Field<4>;
    using Fmo = Field<3>;
    using Ptw = Field<2>;
    using Swio = Field<1>;
    using Vm = Field<0>;
    static_assert(disjoint<Twedel, Tweden, Tid5, Dct, Ata, Ttlbos, Ttlbis, Enscxt, Tocu, Amvoffen, Ticab, Tid4, Fien,
                           Fwb, Nv2, At, Nv1, Nv, Api, Apk, Miocnce, Tea, Terr, Tlor, E2h, Id, Cd, Rw, Trvm, Hcd, Tdz,
                           Tge, Tvm, Ttlb, Tpu, Tpcp, Tsw, Tacr, Tidcp, Tsc, Tid3, Tid2, Tid1, Tid0, Twe, Twi, Dc, Bsu,
                           Fb, Vse, Vi, Vf, Amo, Imo, Fmo, Ptw, Swio, Vm>());
};

/// HCRX_EL2 (FEAT_HCX): nearly every bit allows what is denied without it.
struct HcrxEl2 : RegValue<HcrxEl2, u64> {
    using RegValue::RegValue;
    using EnFpm = Field<23>;
    using Sctlr2En = Field<15>;
    using Tcr2En = Field<14>;
    using Tallint = Field<6>; ///< trap writes of PSTATE.ALLINT
    static_assert(disjoint<EnFpm, Sctlr2En, Tcr2En, Tallint>());
};

struct Mpam2El2 : RegValue<Mpam2El2, u64> {
    using RegValue::RegValue;
    using Tidr = Field<58>; ///< trap MPAMIDR_EL1, where MPAMIDR_EL1.HAS_TIDR
    using EnMpamsm = Field<50>;
    using TrapMpam0El1 = Field<49>;
    using TrapMpam1El1 = Field<48>;
    static_assert(disjoint<Tidr, EnMpamsm, TrapMpam0El1, TrapMpam1El1>());
};
struct MpamhcrEl2 : RegValue<MpamhcrEl2, u64> {
    using RegValue::RegValue;
    using TrapMpamidrEl1 = Field<31>;
};
struct MpamidrEl1 : RegValue<MpamidrEl1, u64> {
    using RegValue::RegValue;
    using HasTidr = Field<58>;
    using HasBwCtrl = Field<56>;
    using HasHcr = Field<17>;
    static_assert(disjoint<HasTidr, HasBwCtrl, HasHcr>());
};

struct VsesrEl2 : RegValue<VsesrEl2, u64> {
    using RegValue::RegValue;
    using Ids = Field<24>; ///< the rest has no meaning by the architecture
};

/// CPTR_EL2 with HCR_EL2.E2H clear.
struct CptrEl2 : RegValue<CptrEl2, u64> {
    using RegValue::RegValue;
    using Tcpac = Field<31>;
    using Tam = Field<30>;
    using Tta = Field<20>;
    using Tsm = Field<12>; ///< RES1 without SME
    using Tfp = Field<10>;
    using Tz = Field<8>; ///< RES1 without SVE
};
/// RES1 bits of CPTR_EL2 in Armv8.0, with the traps of SVE and SME among them.
inline constexpr u64 kCptrEl2Res1 = 0x33ff;

struct MdcrEl2 : RegValue<MdcrEl2, u64> {
    using RegValue::RegValue;
    using EnStepop = Field<50>;
    using E2tb = Field<25, 24, u8>;
    using Hccd = Field<23>;
    using Ttrf = Field<19>;
    using Hpmd = Field<17>;
    using EnSpm = Field<15>;
    using Tpms = Field<14>;
    using E2pb = Field<13, 12, u8>;
    using Tdra = Field<11>;
    using Tdosa = Field<10>;
    using Tda = Field<9>;
    using Tde = Field<8>;
    using Hpme = Field<7>;
    using Tpm = Field<6>;
    using Tpmcr = Field<5>;
    using Hpmn = Field<4, 0, u8>;
    static_assert(
        disjoint<EnStepop, E2tb, Hccd, Ttrf, Hpmd, EnSpm, Tpms, E2pb, Tdra, Tdosa, Tda, Tde, Hpme, Tpm, Tpmcr, Hpmn>());
};

enum class Granule : u8 { kib4 = 0, kib64 = 1, kib16 = 2 };

struct VtcrEl2 : RegValue<VtcrEl2, u64> {
    using RegValue::RegValue;
    using Ds = Field<32>;
    using Res1 = Field<31>;
    using Vs = Field<19>; ///< 16-bit VMIDs
    using Ps = Field<18, 16, u8>;
    using Tg0 = Field<15, 14, Granule>;
    using Sh0 = Field<13, 12, u8>;   ///< 3: inner shareable
    using Orgn0 = Field<11, 10, u8>; ///< 1: write-back, allocate
    using Irgn0 = Field<9, 8, u8>;
    using Sl0 = Field<7, 6, u8>; ///< 4 KiB granule: start level 2, 1, 0 as 0, 1, 2
    using T0sz = Field<5, 0, u8>;
    static_assert(disjoint<Ds, Res1, Vs, Ps, Tg0, Sh0, Orgn0, Irgn0, Sl0, T0sz>());
};

struct MidrEl1 : RegValue<MidrEl1, u64> {
    using RegValue::RegValue;
    using Implementer = Field<31, 24, u8>;
    using Variant = Field<23, 20, u8>;
    using Architecture = Field<19, 16, u8>;
    using PartNumber = Field<15, 4, u16>;
    using Revision = Field<3, 0, u8>;
    static_assert(disjoint<Implementer, Variant, Architecture, PartNumber, Revision>());
};

struct MpidrEl1 : RegValue<MpidrEl1, u64> {
    using RegValue::RegValue;
    using Aff3 = Field<39, 32, u8>;
    using Res1 = Field<31>;
    using U = Field<30>; ///< uniprocessor
    using Mt = Field<24>;
    using Aff2 = Field<23, 16, u8>;
    using Aff1 = Field<15, 8, u8>;
    using Aff0 = Field<7, 0, u8>;
    static_assert(disjoint<Aff3, Res1, U, Mt, Aff2, Aff1, Aff0>());
};
/// The affinity fields of MPIDR_EL1 in their places, as PSCI passes them.
inline constexpr u64 kMpidrAffinityMask =
    MpidrEl1::Aff3::mask | MpidrEl1::Aff2::mask | MpidrEl1::Aff1::mask | MpidrEl1::Aff0::mask;

struct CtrEl0 : RegValue<CtrEl0, u64> {
    using RegValue::RegValue;
    using TminLine = Field<37, 32, u8>;
    using Dic = Field<29>;
    using Idc = Field<28>;
    using Cwg = Field<27, 24, u8>;
    using Erg = Field<23, 20, u8>;
    using DminLine = Field<19, 16, u8>; ///< log2 of words
    using L1ip = Field<15, 14, u8>;
    using IminLine = Field<3, 0, u8>;
    static_assert(disjoint<TminLine, Dic, Idc, Cwg, Erg, DminLine, L1ip, IminLine>());
    [[nodiscard]] constexpr u64 data_line_bytes() const { return u64{4} << get<DminLine>(); }
    [[nodiscard]] constexpr u64 instruction_line_bytes() const { return u64{4} << get<IminLine>(); }
};

struct DczidEl0 : RegValue<DczidEl0, u64> {
    using RegValue::RegValue;
    using Prohibited = Field<4>;
    using BlockSize = Field<3, 0, u8>; ///< log2 of words
    [[nodiscard]] constexpr u64 block_bytes() const { return u64{4} << get<BlockSize>(); }
};

/// PAR_EL1 after an AT instruction, 64-bit format.
struct ParEl1 : RegValue<ParEl1, u64> {
    using RegValue::RegValue;
    using Attributes = Field<63, 56, u8>;
    using Address = Field<51, 12>; ///< when not Failed
    using Stage2 = Field<9>;       ///< when Failed: the fault is of stage 2
    using Ptw = Field<8>;
    using Fst = Field<6, 1, u8>;
    using Failed = Field<0>;
    /// Of the virtual address that was asked about; when not Failed.
    [[nodiscard]] constexpr Gpa gpa(u64 address) const {
        return Gpa{get<Address>() << 12 | (address & (kPageBytes - 1))};
    }
};

} // namespace sel4vm::aarch64
