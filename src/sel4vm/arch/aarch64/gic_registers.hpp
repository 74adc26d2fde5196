// SPDX-License-Identifier: BSD-2-Clause
//
// Register offsets and layouts of the Generic Interrupt Controller: GICv2 (IHI 0048B) distributor, CPU interface and
// virtual interface, GICv3 (IHI 0069) distributor and redistributors; its system registers are in gic_system_registers.hpp. Facts for
// both the model in dev and the el2 host; no behaviour. The ITS is in its_registers.hpp.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/reg_value.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

// ---------------------------------------------------------------- Interrupt numbers

inline constexpr u32 kSgiCount = 16;          ///< INTIDs 0 to 15
inline constexpr u32 kPrivateIntidCount = 32; ///< SGIs and PPIs
inline constexpr u32 kFirstSpi = 32;
inline constexpr u32 kIntidLimit = 1020; ///< one past the largest SPI
inline constexpr u32 kIntidSpurious = 1023;
inline constexpr u32 kIntidNonSecureGroup1 = 1022; ///< GICv2: a group 1 interrupt is pending, read by GICC_AIAR
inline constexpr u32 kFirstLpi = 8192;

// ---------------------------------------------------------------- Distributor, both versions

namespace gicd {

inline constexpr u64 kBytesV2 = 0x1000;
inline constexpr u64 kBytesV3 = 0x1'0000;

inline constexpr u32 kCtlr = 0x000;
inline constexpr u32 kTyper = 0x004;
inline constexpr u32 kIidr = 0x008;
inline constexpr u32 kTyper2 = 0x00c;     // v3
inline constexpr u32 kStatusr = 0x010;    // v3
inline constexpr u32 kSetspiNsr = 0x040;  // v3, message-based SPIs
inline constexpr u32 kClrspiNsr = 0x048;  // v3
inline constexpr u32 kSetspiSr = 0x050;   // v3
inline constexpr u32 kClrspiSr = 0x058;   // v3
inline constexpr u32 kIgroupr = 0x080;    // 1 bit each, to 0x0fc
inline constexpr u32 kIsenabler = 0x100;  // 1 bit
inline constexpr u32 kIcenabler = 0x180;  // 1 bit
inline constexpr u32 kIspendr = 0x200;    // 1 bit
inline constexpr u32 kIcpendr = 0x280;    // 1 bit
inline constexpr u32 kIsactiver = 0x300;  // 1 bit
inline constexpr u32 kIcactiver = 0x380;  // 1 bit
inline constexpr u32 kIpriorityr = 0x400; // 8 bits, to 0x7fb
inline constexpr u32 kItargetsr = 0x800;  // 8 bits, to 0xbfb
inline constexpr u32 kIcfgr = 0xc00;      // 2 bits, to 0xcff
inline constexpr u32 kIgrpmodr = 0xd00;   // v3, 1 bit
inline constexpr u32 kPpisr = 0xd00;      // v2, implementation defined
inline constexpr u32 kSpisr = 0xd04;      // v2, implementation defined
inline constexpr u32 kNsacr = 0xe00;      // 2 bits
inline constexpr u32 kSgir = 0xf00;       // v2
inline constexpr u32 kCpendsgir = 0xf10;  // v2, 8 bits each, 16 bytes
inline constexpr u32 kSpendsgir = 0xf20;  // v2, 8 bits each, 16 bytes
inline constexpr u32 kPidr2V2 = 0xfe8;
inline constexpr u32 kIrouter = 0x6000; // v3, 64 bits each; SPI n is at kIrouter + 8 * n, n from 32
inline constexpr u32 kIrouterEnd = 0x7fe0;
inline constexpr u32 kPidr4 = 0xffd0; // v3 identification: PIDR4-7, PIDR0-3, CIDR0-3
inline constexpr u32 kPidr2 = 0xffe8;

// Identification of a GICv2 in the last 48 bytes of its page.
inline constexpr u32 kPidr4V2 = 0xfd0;

} // namespace gicd

/// GICD_PIDR2 and GICR_PIDR2.
struct GicPidr2 : RegValue<GicPidr2, u32> {
    using RegValue::RegValue;
    using ArchRev = Field<7, 4, u8>; ///< 1 to 4: GICv1 to GICv4
};

/// GICv2 GICD_CTLR, as a GIC without Security Extensions has it.
struct GicdCtlrV2 : RegValue<GicdCtlrV2, u32> {
    using RegValue::RegValue;
    using EnableGrp1 = Field<1>;
    using EnableGrp0 = Field<0>;
};

/// GICv3 GICD_CTLR with a single security state (DS set).
struct GicdCtlrV3 : RegValue<GicdCtlrV3, u32> {
    using RegValue::RegValue;
    using Rwp = Field<31>;
    using Nassgireq = Field<8>;
    using E1nwf = Field<7>;
    using Ds = Field<6>;
    using Are = Field<4>;
    using EnableGrp1 = Field<1>;
    using EnableGrp0 = Field<0>;
    static_assert(disjoint<Rwp, Nassgireq, E1nwf, Ds, Are, EnableGrp1, EnableGrp0>());
};

/// GICv3 GICD_CTLR as the Non-secure side sees it when there are two security states.
struct GicdCtlrNonSecure : RegValue<GicdCtlrNonSecure, u32> {
    using RegValue::RegValue;
    using Rwp = Field<31>;
    using AreNs = Field<4>;
    using EnableGrp1a = Field<1>;
    using EnableGrp1 = Field<0>;
    static_assert(disjoint<Rwp, AreNs, EnableGrp1a, EnableGrp1>());
};

struct GicdTyper : RegValue<GicdTyper, u32> {
    using RegValue::RegValue;
    using Rss = Field<26>;            // v3: SGIs can be for Aff0 above 15
    using No1n = Field<25>;           // v3: 1 of N distribution is not supported
    using A3v = Field<24>;            // v3: Aff3 may be non-zero
    using IdBits = Field<23, 19, u8>; // v3: INTID bits, minus one
    using Dvis = Field<18>;
    using Lpis = Field<17>;
    using Mbis = Field<16>;         // v3: message-based SPIs
    using Lspi = Field<15, 11, u8>; // v2
    using SecurityExtn = Field<10>;
    using Espi = Field<8>;
    using CpuNumber = Field<7, 5, u8>;     ///< CPU interfaces minus one (v3: with affinity routing off)
    using ItLinesNumber = Field<4, 0, u8>; ///< INTIDs / 32 minus one
    static_assert(
        disjoint<Rss, No1n, A3v, IdBits, Dvis, Lpis, Mbis, Lspi, SecurityExtn, Espi, CpuNumber, ItLinesNumber>());
};

/// GICD_IIDR, GICR_IIDR and GICC_IIDR have the implementer in the same place; the rest differs.
struct GicIidr : RegValue<GicIidr, u32> {
    using RegValue::RegValue;
    using ProductId = Field<31, 24, u8>;
    using Variant = Field<19, 16, u8>;
    using Revision = Field<15, 12, u8>;
    using Implementer = Field<11, 0, u16>; ///< JEP106 continuation and identity; Arm is 0x43b
    static_assert(disjoint<ProductId, Variant, Revision, Implementer>());
};

enum class SgiTarget : u8 { list = 0, others = 1, self = 2 };

/// GICv2 GICD_SGIR.
struct GicdSgir : RegValue<GicdSgir, u32> {
    using RegValue::RegValue;
    using Target = Field<25, 24, u8>; ///< SgiTarget; 3 is reserved
    using TargetList = Field<23, 16, u8>;
    using Nsatt = Field<15>;
    using Intid = Field<3, 0, u8>;
    static_assert(disjoint<Target, TargetList, Nsatt, Intid>());
};

/// GICv3 GICD_IROUTER<n>: affinity in the places of MPIDR_EL1.
struct GicdIrouter : RegValue<GicdIrouter, u64> {
    using RegValue::RegValue;
    using Aff3 = Field<39, 32, u8>;
    using AnyCpu = Field<31>; ///< Interrupt_Routing_Mode: 1 of N
    using Aff2 = Field<23, 16, u8>;
    using Aff1 = Field<15, 8, u8>;
    using Aff0 = Field<7, 0, u8>;
    static_assert(disjoint<Aff3, AnyCpu, Aff2, Aff1, Aff0>());
};

// ---------------------------------------------------------------- Redistributor, GICv3

namespace gicr {

inline constexpr u64 kFrameBytes = 0x1'0000;
inline constexpr u64 kBytes = 2 * kFrameBytes;         ///< RD_base and SGI_base frames
inline constexpr u64 kBytesWithVlpi = 4 * kFrameBytes; ///< GICv4, GICR_TYPER.VLPIS

// RD_base frame.
inline constexpr u32 kCtlr = 0x0000;
inline constexpr u32 kIidr = 0x0004;
inline constexpr u32 kTyper = 0x0008; // 64 bits
inline constexpr u32 kStatusr = 0x0010;
inline constexpr u32 kWaker = 0x0014;
inline constexpr u32 kSetlpir = 0x0040;
inline constexpr u32 kClrlpir = 0x0048;
inline constexpr u32 kPropbaser = 0x0070;
inline constexpr u32 kPendbaser = 0x0078;
inline constexpr u32 kInvlpir = 0x00a0;
inline constexpr u32 kInvallr = 0x00b0;
inline constexpr u32 kSyncr = 0x00c0;
inline constexpr u32 kPidr4 = 0xffd0;
inline constexpr u32 kPidr2 = 0xffe8;

// SGI_base frame, offsets from RD_base.
inline constexpr u32 kIgroupr0 = 0x1'0080;
inline constexpr u32 kIsenabler0 = 0x1'0100;
inline constexpr u32 kIcenabler0 = 0x1'0180;
inline constexpr u32 kIspendr0 = 0x1'0200;
inline constexpr u32 kIcpendr0 = 0x1'0280;
inline constexpr u32 kIsactiver0 = 0x1'0300;
inline constexpr u32 kIcactiver0 = 0x1'0380;
inline constexpr u32 kIpriorityr = 0x1'0400; // 8 bits each, 32 bytes
inline constexpr u32 kIcfgr0 = 0x1'0c00;     // SGIs, read only
inline constexpr u32 kIcfgr1 = 0x1'0c04;     // PPIs
inline constexpr u32 kIgrpmodr0 = 0x1'0d00;
inline constexpr u32 kNsacr = 0x1'0e00;

} // namespace gicr

struct GicrCtlr : RegValue<GicrCtlr, u32> {
    using RegValue::RegValue;
    using Uwp = Field<31>;
    using Dpg1s = Field<26>;
    using Dpg1ns = Field<25>;
    using Dpg0 = Field<24>;
    using Rwp = Field<3>;
    using Ces = Field<1>;
    using EnableLpis = Field<0>;
    static_assert(disjoint<Uwp, Dpg1s, Dpg1ns, Dpg0, Rwp, Ces, EnableLpis>());
};

struct GicrTyper : RegValue<GicrTyper, u64> {
    using RegValue::RegValue;
    using Affinity = Field<63, 32, u32>; ///< Aff3.Aff2.Aff1.Aff0
    using CommonLpiAff = Field<25, 24, u8>;
    using ProcessorNumber = Field<23, 8, u16>;
    using Dpgs = Field<5>;
    using Last = Field<4>;
    using DirectLpi = Field<3>;
    using Vlpis = Field<1>;
    using Plpis = Field<0>;
    static_assert(disjoint<Affinity, CommonLpiAff, ProcessorNumber, Dpgs, Last, DirectLpi, Vlpis, Plpis>());
};

struct GicrWaker : RegValue<GicrWaker, u32> {
    using RegValue::RegValue;
    using ChildrenAsleep = Field<2>;
    using ProcessorSleep = Field<1>;
};

// ---------------------------------------------------------------- CPU interface, GICv2 (also GICV)

namespace gicc {

inline constexpr u64 kBytes = 0x2000;

inline constexpr u32 kCtlr = 0x0000;
inline constexpr u32 kPmr = 0x0004;
inline constexpr u32 kBpr = 0x0008;
inline constexpr u32 kIar = 0x000c;
inline constexpr u32 kEoir = 0x0010;
inline constexpr u32 kRpr = 0x0014;
inline constexpr u32 kHppir = 0x0018;
inline constexpr u32 kAbpr = 0x001c;
inline constexpr u32 kAiar = 0x0020;
inline constexpr u32 kAeoir = 0x0024;
inline constexpr u32 kAhppir = 0x0028;
inline constexpr u32 kApr = 0x00d0;   // 4 registers
inline constexpr u32 kNsapr = 0x00e0; // 4 registers
inline constexpr u32 kIidr = 0x00fc;
inline constexpr u32 kDir = 0x1000;

} // namespace gicc

struct GiccCtlr : RegValue<GiccCtlr, u32> {
    using RegValue::RegValue;
    using EoiModeNs = Field<9>; ///< as EOImode without Security Extensions
    using Cbpr = Field<4>;
    using FiqEn = Field<3>;
    using AckCtl = Field<2>;
    using EnableGrp1 = Field<1>;
    using EnableGrp0 = Field<0>;
    static_assert(disjoint<EoiModeNs, Cbpr, FiqEn, AckCtl, EnableGrp1, EnableGrp0>());
};

/// GICC_IAR and GICC_EOIR.
struct GiccIar : RegValue<GiccIar, u32> {
    using RegValue::RegValue;
    using SourceCpu = Field<12, 10, u8>;
    using Intid = Field<9, 0, u32>;
};

// ---------------------------------------------------------------- Virtual interface control, GICv2 (GICH)

namespace gich {

inline constexpr u32 kHcr = 0x000;
inline constexpr u32 kVtr = 0x004;
inline constexpr u32 kVmcr = 0x008;
inline constexpr u32 kMisr = 0x010;
inline constexpr u32 kEisr0 = 0x020;
inline constexpr u32 kEisr1 = 0x024;
inline constexpr u32 kElrsr0 = 0x030;
inline constexpr u32 kElrsr1 = 0x034;
inline constexpr u32 kApr = 0x0f0;
inline constexpr u32 kLr = 0x100; // 32 bits each

} // namespace gich

/// GICH_HCR; ICH_HCR_EL2 has the same low bits.
struct GichHcr : RegValue<GichHcr, u32> {
    using RegValue::RegValue;
    using EoiCount = Field<31, 27, u8>;
    using Vgrp1Die = Field<7>;
    using Vgrp1Eie = Field<6>;
    using Vgrp0Die = Field<5>;
    using Vgrp0Eie = Field<4>;
    using Npie = Field<3>;
    using Lrenpie = Field<2>;
    using Uie = Field<1>; ///< maintenance when at most one list register is in use
    using En = Field<0>;
    static_assert(disjoint<EoiCount, Vgrp1Die, Vgrp1Eie, Vgrp0Die, Vgrp0Eie, Npie, Lrenpie, Uie, En>());
};

struct GichVtr : RegValue<GichVtr, u32> {
    using RegValue::RegValue;
    using PriorityBits = Field<31, 29, u8>;   ///< minus one
    using PreemptionBits = Field<28, 26, u8>; ///< minus one
    using ListRegs = Field<5, 0, u8>;         ///< minus one
};

struct GichVmcr : RegValue<GichVmcr, u32> {
    using RegValue::RegValue;
    using PriorityMask = Field<31, 27, u8>; ///< the upper five bits of GICV_PMR
    using Bpr = Field<23, 21, u8>;
    using Abpr = Field<20, 18, u8>;
    using Vem = Field<9>;
    using Cbpr = Field<4>;
    using FiqEn = Field<3>;
    using AckCtl = Field<2>;
    using EnableGrp1 = Field<1>;
    using EnableGrp0 = Field<0>;
    static_assert(disjoint<PriorityMask, Bpr, Abpr, Vem, Cbpr, FiqEn, AckCtl, EnableGrp1, EnableGrp0>());
};

/// GICH_MISR and ICH_MISR_EL2: why the maintenance interrupt is raised.
struct GichMisr : RegValue<GichMisr, u32> {
    using RegValue::RegValue;
    using Vgrp1D = Field<7>;
    using Vgrp1E = Field<6>;
    using Vgrp0D = Field<5>;
    using Vgrp0E = Field<4>;
    using Np = Field<3>;
    using Lrenp = Field<2>;
    using U = Field<1>;
    using Eoi = Field<0>;
};

/// GICH_LR<n>.
struct GichLr : RegValue<GichLr, u32> {
    using RegValue::RegValue;
    using Hw = Field<31>;
    using Grp1 = Field<30>;
    using State = Field<29, 28, u8>; ///< ListRegisterState
    using Priority = Field<27, 23, u8>;
    using PhysicalId = Field<19, 10, u16>; ///< when Hw
    using Eoi = Field<19>;                 ///< when not Hw
    using CpuId = Field<12, 10, u8>;       ///< when not Hw
    using VirtualId = Field<9, 0, u16>;
    static_assert(disjoint<Hw, Grp1, State, Priority, PhysicalId, VirtualId>());
    static_assert(disjoint<Hw, Grp1, State, Priority, Eoi, CpuId, VirtualId>());
};

} // namespace sel4vm::aarch64
