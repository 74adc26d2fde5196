// SPDX-License-Identifier: BSD-2-Clause
//
// Every register that an instruction at EL1 or EL0 can name (op0 2 and 3), and why nothing of one vCPU's reaches another through it. This is
// the one list: what moves at a switch and what it holds after a reset (el1_state), what traps (controls), the table in registers.md
// and the test that tries all 32,768 encodings in two VMs at once (tests/system/registers_test.py) are made from it or checked against it.
// An encoding that is in no row is unallocated: it is undefined at EL1 on every CPU that this host knows.
#pragma once

#include <hosts/el2/portable/registers/controls.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace sel4vm::el2 {

enum class Handling : u8 {
    switched,   ///< the loaded vCPU's is in the hardware, the others' in memory (El1State)
    simd,       ///< the same with the SIMD registers, at their first use (FpState)
    timer,      ///< the same with the virtual timer (aarch64::VirtualTimerState, CNTVOFF_EL2)
    interrupts, ///< the same with the interrupt interface (VirtualInterfaceState), or a view of it
    pstate,     ///< a part of PSTATE, which every exit saves
    emulated,   ///< the access traps and is answered from the vCPU's own state, here or in the core
    lent,       ///< the access traps until a guest that may have it makes one; then as `switched` (PmuState)
    denied,     ///< the access traps and the guest gets an undefined instruction: it does not see the feature
    constant,   ///< nothing that a guest does changes it
    absent,     ///< undefined at EL1 in a VM: belongs to EL2, EL3, Debug state, or to a CPU without EL2
};

/// How an access is made to trap.
struct Trap {
    enum class When : u8 { none, set, clear };
    Control control = Control::hcr;
    When when = When::none;
    u64 bits = 0;
    CpuFeature needs = CpuFeature::base; ///< without it there is no such trap, and the register is switched instead

    static constexpr Trap if_set(Control control, u64 bits) { return {control, When::set, bits}; }
    static constexpr Trap if_clear(Control control, u64 bits, CpuFeature needs = CpuFeature::base) {
        return {control, When::clear, bits, needs};
    }
};

/// Values of one field of an encoding.
struct Span {
    u8 first;
    u8 last;
    constexpr Span(int only) : first(static_cast<u8>(only)), last(first) {}
    constexpr Span(int from, int to) : first(static_cast<u8>(from)), last(static_cast<u8>(to)) {}
    [[nodiscard]] constexpr bool contains(u8 value) const { return first <= value && value <= last; }
    [[nodiscard]] constexpr bool overlaps(Span other) const { return first <= other.last && other.first <= last; }
};

struct RegisterRow {
    const char *name;
    u8 op0;
    Span op1, crn, crm, op2;
    CpuFeature feature;
    Handling handling;
    Trap trap = {};
    u32 at_el2 = 0; ///< the name by which EL2 reaches what EL1 does by the one above; 0: the same

    [[nodiscard]] constexpr u32 id() const {
        return aarch64::sysreg_id(op0, op1.first, crn.first, crm.first, op2.first);
    }
    [[nodiscard]] constexpr u32 host_id() const { return at_el2 != 0 ? at_el2 : id(); }
    [[nodiscard]] constexpr bool contains(u32 which) const {
        return op0 == aarch64::sysreg_op0(which) && op1.contains(aarch64::sysreg_op1(which)) &&
               crn.contains(aarch64::sysreg_crn(which)) && crm.contains(aarch64::sysreg_crm(which)) &&
               op2.contains(aarch64::sysreg_op2(which));
    }
    [[nodiscard]] constexpr bool overlaps(const RegisterRow &other) const {
        return op0 == other.op0 && op1.overlaps(other.op1) && crn.overlaps(other.crn) && crm.overlaps(other.crm) &&
               op2.overlaps(other.op2);
    }
    /// Its value may be in the hardware while other vCPUs wait: El1State has a place for it.
    [[nodiscard]] constexpr bool may_be_switched() const {
        return handling == Handling::switched || (handling == Handling::denied && trap.needs != CpuFeature::base);
    }
};

namespace traps {

using aarch64::CptrEl2;
using aarch64::HcrEl2;
using aarch64::HcrxEl2;
using aarch64::MdcrEl2;

inline constexpr Trap kNone{};
inline constexpr Trap kId = Trap::if_set(Control::hcr, HcrEl2::Tid3::mask);
inline constexpr Trap kImplementation = Trap::if_set(Control::hcr, HcrEl2::Tidcp::mask);
inline constexpr Trap kActlr = Trap::if_set(Control::hcr, HcrEl2::Tacr::mask);
inline constexpr Trap kErrors = Trap::if_set(Control::hcr, HcrEl2::Terr::mask);
inline constexpr Trap kErrorInjection = Trap::if_clear(Control::hcr, HcrEl2::Fien::mask);
inline constexpr Trap kOrdering = Trap::if_set(Control::hcr, HcrEl2::Tlor::mask);
inline constexpr Trap kKeys = Trap::if_clear(Control::hcr, HcrEl2::Apk::mask);
inline constexpr Trap kTags = Trap::if_clear(Control::hcr, HcrEl2::Ata::mask);
inline constexpr Trap kTagBlock = Trap::if_set(Control::hcr, HcrEl2::Tid5::mask);
inline constexpr Trap kContextNumber = Trap::if_clear(Control::hcr, HcrEl2::Enscxt::mask);
inline constexpr Trap kSendInterrupt = Trap::if_set(Control::hcr, HcrEl2::Imo::mask | HcrEl2::Fmo::mask);
inline constexpr Trap kDebug = Trap::if_set(Control::mdcr, MdcrEl2::Tda::mask);
inline constexpr Trap kDebugLock = Trap::if_set(Control::mdcr, MdcrEl2::Tdosa::mask);
inline constexpr Trap kDebugRom = Trap::if_set(Control::mdcr, MdcrEl2::Tdra::mask);
inline constexpr Trap kDebugStep = Trap::if_clear(Control::mdcr, MdcrEl2::EnStepop::mask);
inline constexpr Trap kCounters = Trap::if_set(Control::mdcr, MdcrEl2::Tpm::mask | MdcrEl2::Tpmcr::mask);
inline constexpr Trap kSystemCounters = Trap::if_clear(Control::mdcr, MdcrEl2::EnSpm::mask);
inline constexpr Trap kSampling = Trap::if_set(Control::mdcr, MdcrEl2::Tpms::mask);
inline constexpr Trap kSampleBuffer = Trap::if_clear(Control::mdcr, MdcrEl2::E2pb::mask);
inline constexpr Trap kTraceFilter = Trap::if_set(Control::mdcr, MdcrEl2::Ttrf::mask);
inline constexpr Trap kTraceBuffer = Trap::if_clear(Control::mdcr, MdcrEl2::E2tb::mask);
inline constexpr Trap kTrace = Trap::if_set(Control::cptr, CptrEl2::Tta::mask);
inline constexpr Trap kActivity = Trap::if_set(Control::cptr, CptrEl2::Tam::mask);
inline constexpr Trap kVectors = Trap::if_set(Control::cptr, CptrEl2::Tz::mask);
inline constexpr Trap kMatrices = Trap::if_set(Control::cptr, CptrEl2::Tsm::mask);
inline constexpr Trap kCounter = Trap::if_clear(Control::cnthctl, aarch64::CnthctlEl2::El1pcten::mask);
inline constexpr Trap kPhysicalTimer = Trap::if_clear(Control::cnthctl, aarch64::CnthctlEl2::El1pcen::mask);
inline constexpr Trap kSctlr2 = Trap::if_clear(Control::hcrx, HcrxEl2::Sctlr2En::mask);
inline constexpr Trap kTcr2 = Trap::if_clear(Control::hcrx, HcrxEl2::Tcr2En::mask);
inline constexpr Trap kFpmr = Trap::if_clear(Control::hcrx, HcrxEl2::EnFpm::mask);
inline constexpr Trap kPartitions =
    Trap::if_set(Control::mpam2, aarch64::Mpam2El2::TrapMpam0El1::mask | aarch64::Mpam2El2::TrapMpam1El1::mask);
inline constexpr Trap kPartitionId = Trap::if_set(Control::mpam2, aarch64::Mpam2El2::Tidr::mask);
inline constexpr Trap kPartitionSm = Trap::if_clear(Control::mpam2, aarch64::Mpam2El2::EnMpamsm::mask);
inline constexpr Trap kBandwidth = Trap::if_clear(Control::mpambw2, ~u64{0});
// Fine-grained traps of newer registers: a bit that is clear traps.
constexpr Trap fine(unsigned bit) { return Trap::if_clear(Control::hfgrtr, u64{1} << bit); }
constexpr Trap fine2(unsigned bit) { return Trap::if_clear(Control::hfgrtr2, u64{1} << bit); }
inline constexpr Trap kSmePriority = Trap::if_clear(Control::hfgrtr, u64{1} << 54, CpuFeature::fgt);
inline constexpr Trap kTpidr2 = Trap::if_clear(Control::hfgrtr, u64{1} << 55, CpuFeature::fgt);
inline constexpr Trap kDebugFine = Trap::if_clear(Control::hdfgrtr, u64{7} << 59); // BRBE
inline constexpr Trap kDebugFine2 = Trap::if_clear(Control::hdfgrtr2, ~u64{0});
inline constexpr Trap kGicv5 = Trap::if_clear(Control::ich_hfgrtr, ~u64{0});

} // namespace traps

// Switched registers in the order of loading: translation controls last. The rest in the order of the encodings.
inline constexpr RegisterRow kRegisters[] = {
    // clang-format off
    // name                 op0 op1     CRn     CRm      op2     feature               handling              trap
    {"SP_EL0",               3, 0,      4,      1,       0,      CpuFeature::base,     Handling::switched},
    {"SP_EL1",               3, 4,      4,      1,       0,      CpuFeature::base,     Handling::switched},
    {"ELR_EL1",              3, 0,      4,      0,       1,      CpuFeature::base,     Handling::switched},
    {"SPSR_EL1",             3, 0,      4,      0,       0,      CpuFeature::base,     Handling::switched},
    {"ESR_EL1",              3, 0,      5,      2,       0,      CpuFeature::base,     Handling::switched},
    {"FAR_EL1",              3, 0,      6,      0,       0,      CpuFeature::base,     Handling::switched},
    {"AFSR0_EL1",            3, 0,      5,      1,       0,      CpuFeature::base,     Handling::switched},
    {"AFSR1_EL1",            3, 0,      5,      1,       1,      CpuFeature::base,     Handling::switched},
    {"VBAR_EL1",             3, 0,      12,     0,       0,      CpuFeature::base,     Handling::switched},
    {"CONTEXTIDR_EL1",       3, 0,      13,     0,       1,      CpuFeature::base,     Handling::switched},
    {"TPIDR_EL0",            3, 3,      13,     0,       2,      CpuFeature::base,     Handling::switched},
    {"TPIDRRO_EL0",          3, 3,      13,     0,       3,      CpuFeature::base,     Handling::switched},
    {"TPIDR_EL1",            3, 0,      13,     0,       4,      CpuFeature::base,     Handling::switched},
    {"PAR_EL1",              3, 0,      7,      4,       0,      CpuFeature::base,     Handling::switched},
    {"CSSELR_EL1",           3, 2,      0,      0,       0,      CpuFeature::base,     Handling::switched},
    {"CNTKCTL_EL1",          3, 0,      14,     1,       0,      CpuFeature::base,     Handling::switched},
    {"MDSCR_EL1",            2, 0,      0,      2,       2,      CpuFeature::base,     Handling::switched,   traps::kDebug},
    {"CPACR_EL1",            3, 0,      1,      0,       2,      CpuFeature::base,     Handling::switched},
    {"MAIR_EL1",             3, 0,      10,     2,       0,      CpuFeature::base,     Handling::switched},
    {"AMAIR_EL1",            3, 0,      10,     3,       0,      CpuFeature::base,     Handling::switched},
    {"TTBR0_EL1",            3, 0,      2,      0,       0,      CpuFeature::base,     Handling::switched},
    {"TTBR1_EL1",            3, 0,      2,      0,       1,      CpuFeature::base,     Handling::switched},
    {"TCR_EL1",              3, 0,      2,      0,       2,      CpuFeature::base,     Handling::switched},
    {"SCTLR_EL1",            3, 0,      1,      0,       0,      CpuFeature::base,     Handling::switched},
    // With HCR_EL2.AMO set, as here, EL1's DISR_EL1 is VDISR_EL2.
    {"DISR_EL1",             3, 0,      12,     1,       1,      CpuFeature::ras,      Handling::switched,   traps::kNone, aarch64::sysreg_id(3, 4, 12, 1, 1)},
    {"TPIDR2_EL0",           3, 3,      13,     0,       5,      CpuFeature::sme,      Handling::denied,     traps::kTpidr2},
    {"SMPRI_EL1",            3, 0,      1,      2,       4,      CpuFeature::sme,      Handling::denied,     traps::kSmePriority},

    // op0 2: debug, trace, and what performance monitors have there
    {"OSDTRRX_EL1",          2, 0,      0,      0,       2,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"MDCCINT_EL1",          2, 0,      0,      2,       0,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"OSDTRTX_EL1",          2, 0,      0,      3,       2,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"MDSELR_EL1",           2, 0,      0,      4,       2,      CpuFeature::able,     Handling::denied,     traps::kDebug},
    {"MDSTEPOP_EL1",         2, 0,      0,      5,       2,      CpuFeature::step2,    Handling::denied,     traps::kDebugStep},
    {"OSECCR_EL1",           2, 0,      0,      6,       2,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"DBGBVR<n>_EL1, DBGBCR<n>_EL1, DBGWVR<n>_EL1, DBGWCR<n>_EL1", 2, 0, 0, {0, 15}, {4, 7}, CpuFeature::base, Handling::emulated, traps::kDebug},
    {"MDRAR_EL1",            2, 0,      1,      0,       0,      CpuFeature::base,     Handling::emulated,   traps::kDebugRom},
    {"OSLAR_EL1",            2, 0,      1,      0,       4,      CpuFeature::base,     Handling::emulated,   traps::kDebugLock},
    {"OSLSR_EL1",            2, 0,      1,      1,       4,      CpuFeature::base,     Handling::emulated,   traps::kDebugLock},
    {"OSDLR_EL1",            2, 0,      1,      3,       4,      CpuFeature::base,     Handling::emulated,   traps::kDebugLock},
    {"DBGPRCR_EL1",          2, 0,      1,      4,       4,      CpuFeature::base,     Handling::emulated,   traps::kDebugLock},
    {"DBGCLAIMSET_EL1",      2, 0,      7,      8,       6,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"DBGCLAIMCLR_EL1",      2, 0,      7,      9,       6,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"DBGAUTHSTATUS_EL1",    2, 0,      7,      14,      6,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"SPM*_EL1",             2, 0,      9,      {13, 14}, {0, 7}, CpuFeature::spmu,    Handling::denied,     traps::kSystemCounters},
    {"PMEVCNTSVR<n>_EL1, PMCCNTSVR_EL1, PMICNTSVR_EL1", 2, 0, 14, {8, 12}, {0, 7}, CpuFeature::pmu_ss, Handling::denied, traps::kDebugFine2},
    {"TRC*",                 2, 1,      {0, 7}, {0, 15}, {0, 7}, CpuFeature::trace,    Handling::denied,     traps::kTrace},
    {"BRB*_EL1",             2, 1,      {8, 9}, {0, 15}, {0, 7}, CpuFeature::brbe,     Handling::denied,     traps::kDebugFine},
    {"MDCCSR_EL0",           2, 3,      0,      1,       0,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"DBGDTR_EL0",           2, 3,      0,      4,       0,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"DBGDTRRX_EL0, DBGDTRTX_EL0", 2, 3, 0,     5,       0,      CpuFeature::base,     Handling::emulated,   traps::kDebug},
    {"SPM*_EL0",             2, 3,      {9, 14}, {0, 15}, {0, 7}, CpuFeature::spmu,    Handling::denied,     traps::kSystemCounters},
    {"DBGVCR32_EL2 and others of EL2 and EL3", 2, {4, 7}, {0, 15}, {0, 15}, {0, 7}, CpuFeature::base, Handling::absent},

    // op0 3, op1 0: EL1
    {"MIDR_EL1, MPIDR_EL1, REVIDR_EL1", 3, 0, 0, 0,      {0, 7}, CpuFeature::base,     Handling::constant},
    {"ID_*_EL1, MVFR<n>_EL1", 3, 0,     0,      {1, 7},  {0, 7}, CpuFeature::base,     Handling::emulated,   traps::kId},
    {"ACTLR_EL1",            3, 0,      1,      0,       1,      CpuFeature::base,     Handling::emulated,   traps::kActlr},
    {"SCTLR2_EL1",           3, 0,      1,      0,       3,      CpuFeature::sctlr2,   Handling::denied,     traps::kSctlr2},
    {"RGSR_EL1",             3, 0,      1,      0,       5,      CpuFeature::mte2,     Handling::denied,     traps::kTags},
    {"GCR_EL1",              3, 0,      1,      0,       6,      CpuFeature::mte2,     Handling::denied,     traps::kTags},
    {"ZCR_EL1",              3, 0,      1,      2,       0,      CpuFeature::sve,      Handling::denied,     traps::kVectors},
    {"TRFCR_EL1",            3, 0,      1,      2,       1,      CpuFeature::trf,      Handling::denied,     traps::kTraceFilter},
    {"TRCITECR_EL1",         3, 0,      1,      2,       3,      CpuFeature::ite,      Handling::denied,     traps::kDebugFine2},
    {"SMCR_EL1",             3, 0,      1,      2,       6,      CpuFeature::sme,      Handling::denied,     traps::kMatrices},
    {"SCTLRMASK_EL1, SCTLRALIAS_EL1 and the like", 3, 0, 1, 4,   {0, 7}, CpuFeature::srmask, Handling::denied, traps::fine2(4)},
    {"TCR2_EL1",             3, 0,      2,      0,       3,      CpuFeature::tcr2,     Handling::denied,     traps::kTcr2},
    {"AP*Key*_EL1",          3, 0,      2,      {1, 3},  {0, 3}, CpuFeature::pauth,    Handling::denied,     traps::kKeys},
    {"GCSCR_EL1, GCSPR_EL1, GCSCRE0_EL1", 3, 0, 2, 5,    {0, 2}, CpuFeature::gcs,      Handling::denied,     traps::fine(53)},
    {"TCRMASK_EL1, TCRALIAS_EL1 and the like", 3, 0, 2, 7, {2, 7}, CpuFeature::srmask, Handling::denied,     traps::fine2(6)},
    {"SPSel",                3, 0,      4,      2,       0,      CpuFeature::base,     Handling::pstate},
    {"CurrentEL",            3, 0,      4,      2,       2,      CpuFeature::base,     Handling::pstate},
    {"PAN",                  3, 0,      4,      2,       3,      CpuFeature::pan,      Handling::pstate},
    {"UAO",                  3, 0,      4,      2,       4,      CpuFeature::uao,      Handling::pstate},
    {"ALLINT",               3, 0,      4,      3,       0,      CpuFeature::nmi,      Handling::pstate},
    {"PM",                   3, 0,      4,      3,       1,      CpuFeature::ebep,     Handling::pstate},
    {"ICC_PMR_EL1",          3, 0,      4,      6,       0,      CpuFeature::gic,      Handling::interrupts},
    {"ERRIDR_EL1, ERRSELR_EL1, ERXGSR_EL1", 3, 0, 5, 3,  {0, 2}, CpuFeature::ras,      Handling::denied,     traps::kErrors},
    {"ERXFR_EL1, ERXCTLR_EL1, ERXSTATUS_EL1, ERXADDR_EL1", 3, 0, 5, 4, {0, 3}, CpuFeature::ras, Handling::denied, traps::kErrors},
    {"ERXPFGF_EL1, ERXPFGCTL_EL1, ERXPFGCDN_EL1", 3, 0, 5, 4, {4, 6}, CpuFeature::ras_v1p1, Handling::denied, traps::kErrorInjection},
    {"ERXMISC<n>_EL1",       3, 0,      5,      5,       {0, 3}, CpuFeature::ras,      Handling::denied,     traps::kErrors},
    {"TFSR_EL1, TFSRE0_EL1", 3, 0,      5,      6,       {0, 1}, CpuFeature::mte2,     Handling::denied,     traps::kTags},
    {"PFAR_EL1",             3, 0,      6,      0,       5,      CpuFeature::pfar,     Handling::denied,     traps::fine2(0)},
    {"PMS*_EL1",             3, 0,      9,      9,       {0, 7}, CpuFeature::spe,      Handling::denied,     traps::kSampling},
    {"PMB*_EL1",             3, 0,      9,      10,      {0, 6}, CpuFeature::spe,      Handling::denied,     traps::kSampleBuffer},
    {"PMBIDR_EL1",           3, 0,      9,      10,      7,      CpuFeature::spe,      Handling::constant},
    {"TRB*_EL1",             3, 0,      9,      11,      {0, 6}, CpuFeature::trbe,     Handling::denied,     traps::kTraceBuffer},
    {"TRBIDR_EL1",           3, 0,      9,      11,      7,      CpuFeature::trbe,     Handling::constant},
    {"PMSSCR_EL1",           3, 0,      9,      13,      3,      CpuFeature::pmu_ss,   Handling::denied,     traps::kDebugFine2},
    {"PMINTENSET_EL1, PMINTENCLR_EL1", 3, 0, 9, 14,      {1, 2}, CpuFeature::pmu,      Handling::lent,       traps::kCounters},
    {"PMUACR_EL1, PMECR_EL1", 3, 0,     9,      14,      {4, 5}, CpuFeature::pmu_p9,   Handling::denied,     traps::kDebugFine2},
    {"PMMIR_EL1",            3, 0,      9,      14,      6,      CpuFeature::pmu_p4,   Handling::lent,       traps::kCounters},
    {"PMIAR_EL1",            3, 0,      9,      14,      7,      CpuFeature::pmu_p9,   Handling::denied,     traps::kDebugFine2},
    {"MAIR2_EL1",            3, 0,      10,     2,       1,      CpuFeature::aie,      Handling::denied,     traps::fine(62)},
    {"PIRE0_EL1",            3, 0,      10,     2,       2,      CpuFeature::s1pie,    Handling::denied,     traps::fine(57)},
    {"PIR_EL1",              3, 0,      10,     2,       3,      CpuFeature::s1pie,    Handling::denied,     traps::fine(58)},
    {"POR_EL1",              3, 0,      10,     2,       4,      CpuFeature::s1poe,    Handling::denied,     traps::fine(60)},
    {"S2POR_EL1",            3, 0,      10,     2,       5,      CpuFeature::s2poe,    Handling::denied,     traps::fine(61)},
    {"AMAIR2_EL1",           3, 0,      10,     3,       1,      CpuFeature::aie,      Handling::denied,     traps::fine(63)},
    {"LORSA_EL1, LOREA_EL1, LORN_EL1, LORC_EL1", 3, 0, 10, 4, {0, 3}, CpuFeature::lor, Handling::denied,     traps::kOrdering},
    {"MPAMIDR_EL1",          3, 0,      10,     4,       4,      CpuFeature::mpam,     Handling::denied,     traps::kPartitionId},
    {"MPAMBWIDR_EL1",        3, 0,      10,     4,       5,      CpuFeature::mpam_bw,  Handling::denied,     traps::kBandwidth},
    {"LORID_EL1",            3, 0,      10,     4,       7,      CpuFeature::lor,      Handling::denied,     traps::kOrdering},
    {"MPAM1_EL1, MPAM0_EL1", 3, 0,      10,     5,       {0, 1}, CpuFeature::mpam,     Handling::denied,     traps::kPartitions},
    {"MPAMSM_EL1",           3, 0,      10,     5,       3,      CpuFeature::mpam_sme, Handling::denied,     traps::kPartitionSm},
    {"MPAMBW<n>_EL1, MPAMBWSM_EL1", 3, 0, 10,   5,       {4, 7}, CpuFeature::mpam_bw,  Handling::denied,     traps::kBandwidth},
    {"RVBAR_EL1, RMR_EL1",   3, 0,      12,     0,       {1, 2}, CpuFeature::base,     Handling::absent},
    {"ISR_EL1",              3, 0,      12,     1,       0,      CpuFeature::base,     Handling::interrupts},
    {"ICC_IAR0_EL1, ICC_EOIR0_EL1, ICC_HPPIR0_EL1, ICC_BPR0_EL1, ICC_AP0R<n>_EL1", 3, 0, 12, 8, {0, 7}, CpuFeature::gic, Handling::interrupts},
    {"ICC_AP1R<n>_EL1, ICC_NMIAR1_EL1", 3, 0, 12, 9,     {0, 5}, CpuFeature::gic,      Handling::interrupts},
    {"ICC_DIR_EL1",          3, 0,      12,     11,      1,      CpuFeature::gic,      Handling::interrupts},
    {"ICC_RPR_EL1",          3, 0,      12,     11,      3,      CpuFeature::gic,      Handling::interrupts},
    {"ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1", 3, 0, 12, 11, {5, 7}, CpuFeature::gic, Handling::emulated, traps::kSendInterrupt},
    {"ICC_IAR1_EL1, ICC_EOIR1_EL1, ICC_HPPIR1_EL1, ICC_BPR1_EL1, ICC_CTLR_EL1", 3, 0, 12, 12, {0, 4}, CpuFeature::gic, Handling::interrupts},
    {"ICC_SRE_EL1",          3, 0,      12,     12,      5,      CpuFeature::gic,      Handling::emulated,   traps::kNone},
    {"ICC_IGRPEN0_EL1, ICC_IGRPEN1_EL1", 3, 0, 12, 12,   {6, 7}, CpuFeature::gic,      Handling::interrupts},
    {"ICC_*_EL1 of a GICv5", 3, 0,      12,     10,      {0, 7}, CpuFeature::gcie,     Handling::denied,     traps::kGicv5},
    {"ICC_*_EL1 of a GICv5", 3, 0,      12,     {13, 15}, {0, 7}, CpuFeature::gcie,    Handling::denied,     traps::kGicv5},
    {"RCWSMASK_EL1",         3, 0,      13,     0,       3,      CpuFeature::the,      Handling::denied,     traps::fine2(2)},
    {"ACCDATA_EL1",          3, 0,      13,     0,       5,      CpuFeature::ls64_accdata, Handling::denied, traps::fine(50)},
    {"RCWMASK_EL1",          3, 0,      13,     0,       6,      CpuFeature::the,      Handling::denied,     traps::fine(56)},
    {"SCXTNUM_EL1",          3, 0,      13,     0,       7,      CpuFeature::csv2_2,   Handling::denied,     traps::kContextNumber},

    // op1 1 and 2: caches and other identification
    {"CCSIDR_EL1, CLIDR_EL1, CCSIDR2_EL1", 3, 1, 0, 0,   {0, 2}, CpuFeature::base,     Handling::constant},
    {"GMID_EL1",             3, 1,      0,      0,       4,      CpuFeature::mte2,     Handling::denied,     traps::kTagBlock},
    {"SMIDR_EL1, AIDR_EL1",  3, 1,      0,      0,       {6, 7}, CpuFeature::base,     Handling::constant},
    {"ICC_*_EL1 of a GICv5", 3, 1,      12,     0,       {0, 7}, CpuFeature::gcie,     Handling::denied,     traps::kGicv5},

    // op1 3: EL0
    {"CTR_EL0",              3, 3,      0,      0,       1,      CpuFeature::base,     Handling::constant},
    {"DCZID_EL0",            3, 3,      0,      0,       7,      CpuFeature::base,     Handling::constant},
    {"RNDR, RNDRRS",         3, 3,      2,      4,       {0, 1}, CpuFeature::rng,      Handling::constant},
    {"GCSPR_EL0",            3, 3,      2,      5,       1,      CpuFeature::gcs,      Handling::denied,     traps::fine(52)},
    {"NZCV, DAIF",           3, 3,      4,      2,       {0, 1}, CpuFeature::base,     Handling::pstate},
    {"SVCR",                 3, 3,      4,      2,       2,      CpuFeature::sme,      Handling::denied,     traps::kMatrices},
    {"DIT",                  3, 3,      4,      2,       5,      CpuFeature::dit,      Handling::pstate},
    {"SSBS",                 3, 3,      4,      2,       6,      CpuFeature::ssbs,     Handling::pstate},
    {"TCO",                  3, 3,      4,      2,       7,      CpuFeature::mte,      Handling::pstate},
    {"FPCR, FPSR",           3, 3,      4,      4,       {0, 1}, CpuFeature::base,     Handling::simd},
    {"FPMR",                 3, 3,      4,      4,       2,      CpuFeature::fpmr,     Handling::denied,     traps::kFpmr},
    {"DSPSR_EL0, DLR_EL0",   3, 3,      4,      5,       {0, 1}, CpuFeature::base,     Handling::absent},
    {"PMICNTR_EL0",          3, 3,      9,      4,       0,      CpuFeature::pmu_p9,   Handling::denied,     traps::kDebugFine2},
    {"PMICFILTR_EL0",        3, 3,      9,      6,       0,      CpuFeature::pmu_p9,   Handling::denied,     traps::kDebugFine2},
    {"PMCR_EL0, PMCNTEN*_EL0, PMOVSCLR_EL0, PMSWINC_EL0, PMSELR_EL0, PMCEID<n>_EL0", 3, 3, 9, 12, {0, 7}, CpuFeature::pmu, Handling::lent, traps::kCounters},
    {"PMCCNTR_EL0, PMXEVTYPER_EL0, PMXEVCNTR_EL0", 3, 3, 9, 13, {0, 2}, CpuFeature::pmu, Handling::lent,     traps::kCounters},
    {"PMZR_EL0",             3, 3,      9,      13,      4,      CpuFeature::pmu_p9,   Handling::denied,     traps::kDebugFine2},
    {"PMUSERENR_EL0",        3, 3,      9,      14,      0,      CpuFeature::pmu,      Handling::lent,       traps::kCounters},
    {"PMOVSSET_EL0",         3, 3,      9,      14,      3,      CpuFeature::pmu,      Handling::lent,       traps::kCounters},
    {"POR_EL0",              3, 3,      10,     2,       4,      CpuFeature::s1poe,    Handling::denied,     traps::fine(59)},
    {"SCXTNUM_EL0",          3, 3,      13,     0,       7,      CpuFeature::csv2_2,   Handling::denied,     traps::kContextNumber},
    {"AM*_EL0",              3, 3,      13,     {2, 15}, {0, 7}, CpuFeature::amu,      Handling::denied,     traps::kActivity},
    {"CNTFRQ_EL0",           3, 3,      14,     0,       0,      CpuFeature::base,     Handling::constant},
    {"CNTPCT_EL0",           3, 3,      14,     0,       1,      CpuFeature::base,     Handling::emulated,   traps::kCounter},
    {"CNTVCT_EL0",           3, 3,      14,     0,       2,      CpuFeature::base,     Handling::timer},
    {"CNTPCTSS_EL0",         3, 3,      14,     0,       5,      CpuFeature::ecv,      Handling::emulated,   traps::kCounter},
    {"CNTVCTSS_EL0",         3, 3,      14,     0,       6,      CpuFeature::ecv,      Handling::timer},
    {"CNTP_*_EL0",           3, 3,      14,     2,       {0, 2}, CpuFeature::base,     Handling::emulated,   traps::kPhysicalTimer},
    {"CNTV_*_EL0",           3, 3,      14,     3,       {0, 2}, CpuFeature::base,     Handling::timer},
    {"PMEVCNTR<n>_EL0, PMEVTYPER<n>_EL0, PMCCFILTR_EL0", 3, 3, 14, {8, 15}, {0, 7}, CpuFeature::pmu, Handling::lent, traps::kCounters},

    // whatever the op1
    {"implementation defined", 3, {0, 7}, 11,   {0, 15}, {0, 7}, CpuFeature::base,     Handling::emulated,   traps::kImplementation},
    {"implementation defined", 3, {0, 7}, 15,   {0, 15}, {0, 7}, CpuFeature::base,     Handling::emulated,   traps::kImplementation},
    {"EL2 and EL3",          3, {4, 7}, {0, 3}, {0, 15}, {0, 7}, CpuFeature::base,     Handling::absent},
    {"EL2 and EL3",          3, {4, 7}, 4,      0,       {0, 7}, CpuFeature::base,     Handling::absent},
    {"EL2 and EL3",          3, 4,      4,      1,       {1, 7}, CpuFeature::base,     Handling::absent},
    {"EL2 and EL3",          3, {5, 7}, 4,      1,       {0, 7}, CpuFeature::base,     Handling::absent},
    {"EL2 and EL3",          3, {4, 7}, 4,      {2, 15}, {0, 7}, CpuFeature::base,     Handling::absent},
    {"EL2 and EL3",          3, {4, 7}, {5, 10}, {0, 15}, {0, 7}, CpuFeature::base,    Handling::absent},
    {"EL2 and EL3",          3, {4, 7}, {12, 14}, {0, 15}, {0, 7}, CpuFeature::base,   Handling::absent},
    // clang-format on
};

// ---------------------------------------------------------------- What is made from it

/// The row of an encoding, if any.
[[nodiscard]] constexpr const RegisterRow *find_register(u32 id) {
    const auto *row = std::find_if(std::begin(kRegisters), std::end(kRegisters),
                                   [&](const RegisterRow &r) { return r.contains(id); });
    return row == std::end(kRegisters) ? nullptr : row;
}

/// How many have a place in El1State: they are the first rows of the table.
inline constexpr usize kSwitchedCount = static_cast<usize>(std::count_if(
    std::begin(kRegisters), std::end(kRegisters), [](const RegisterRow &row) { return row.may_be_switched(); }));
/// Those of them that every CPU has come first.
inline constexpr usize kAlwaysSwitchedCount =
    static_cast<usize>(std::count_if(std::begin(kRegisters), std::end(kRegisters), [](const RegisterRow &row) {
        return row.may_be_switched() && row.feature == CpuFeature::base;
    }));

/// Whether a register of the table's beginning has to move on such a CPU. The row is a template argument, so that the table with its
/// names is not needed on the target.
template <usize Index>
    requires(Index < kSwitchedCount)
[[nodiscard]] constexpr bool is_switched(CpuFeatures features) {
    constexpr CpuFeature kFeature = kRegisters[Index].feature;
    constexpr CpuFeature kTrapNeeds = kRegisters[Index].trap.needs;
    constexpr bool kAlways = kRegisters[Index].handling == Handling::switched;
    return features.has(kFeature) && (kAlways || !features.has(kTrapNeeds));
}

/// Names a switched register: its place in the table.
struct El1Register {
    u8 index;
    friend constexpr bool operator==(El1Register, El1Register) = default;
};
/// By its encoding; does not compile for one that is not switched.
[[nodiscard]] consteval El1Register el1_register(u32 id) {
    for (u8 i = 0; i < kSwitchedCount; ++i) {
        if (kRegisters[i].id() == id)
            return {i};
    }
    SEL4VM_PANIC("not a switched register");
}

} // namespace sel4vm::el2
