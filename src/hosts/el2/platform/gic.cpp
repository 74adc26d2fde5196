// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/platform/gic.hpp>

#include <hosts/el2/boot/cpu_local.hpp>

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/base/assert.hpp>

namespace sel4vm::el2 {
namespace {

// SGI_base of a redistributor has the distributor's layout for INTIDs 0 to 31, so both are read and written by gicd's offsets.
namespace gicc = aarch64::gicc;
namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;
using aarch64::GiccCtlr;
using aarch64::GicdCtlrNonSecure;
using aarch64::GicdCtlrV3;
using aarch64::GicdTyper;
using aarch64::GicrCtlr;
using aarch64::GicrTyper;
using aarch64::GicrWaker;
using aarch64::kFirstSpi;

// The same bits whether the GIC has one security state or this is the Non-secure side of two.
constexpr u32 kV3EnableGroup1 = GicdCtlrNonSecure::EnableGrp1a::mask;
constexpr u32 kV3AffinityRouting = GicdCtlrNonSecure::AreNs::mask;
static_assert(kV3EnableGroup1 == GicdCtlrV3::EnableGrp1::mask && kV3AffinityRouting == GicdCtlrV3::Are::mask);
static_assert(GicdCtlrNonSecure::Rwp::mask == GicdCtlrV3::Rwp::mask);

// A guest can keep its own interrupts pending for ever, and one is taken at each exit: those of the host, its timer above all, go first.
constexpr u8 kHostPriority = 0xa0; // in the middle: neither the first nor the last
constexpr u8 kGuestPriority = 0xc0;
constexpr u32 kLongEnough = 1'000'000;

constexpr u32 word_of(u32 intid) { return intid / 32 * 4; }
constexpr u32 bit_in_word(u32 intid) { return 1U << (intid % 32); }

} // namespace

Gic::Gic(const GicInfo &info) : version_(info.version), distributor_(info.distributor->base()), info_(info) {
    if (version_ == GicVersion::v2)
        cpu_interface_ = Mmio(info.cpu_interface->base());
}

void Gic::initialise() {
    const GicdTyper typer{distributor_.read32(gicd::kTyper)};
    intid_count_ = 32 * (u32{typer.get<GicdTyper::ItLinesNumber>()} + 1);
    if (intid_count_ > aarch64::kIntidLimit)
        intid_count_ = aarch64::kIntidLimit;
    if (version_ == GicVersion::v2)
        initialise_v2();
    else
        initialise_v3();
}

void Gic::initialise_v2() {
    if ((distributor_.read32(gicd::kCtlr) & 1) == 0)
        distributor_.write32(gicd::kCtlr, 1);
    cpu_interface_.write32(gicc::kPmr, 0xff);
    cpu_interface_.write32(gicc::kBpr, 0);
    cpu_interface_.write32(gicc::kCtlr, GiccCtlr::EnableGrp0::mask | GiccCtlr::EoiModeNs::mask);
    if ((cpu_interface_.read32(gicc::kCtlr) & GiccCtlr::EoiModeNs::mask) == 0)
        SEL4VM_PANIC("the GIC cannot separate priority drop from deactivation (GICC_CTLR.EOImode)");
    route_ = own_target_v2();
    sgi_targets_ = route_ << aarch64::GicdSgir::TargetList::shift;
}

// A CPU reads its own number out of the banked targets of SGIs and PPIs; 0 on a GIC with a single CPU.
u8 Gic::own_target_v2() const {
    const u8 self = distributor_.read8(gicd::kItargetsr);
    return self == 0 ? u8{1} : self;
}

void Gic::initialise_v3() {
    // System registers, and leave for EL1 to use them.
    SEL4VM_WRITE_SYSREG(icc_sre_el2, SEL4VM_READ_SYSREG(icc_sre_el2) | 1 | u64{1} << 3);
    isb();
    if ((SEL4VM_READ_SYSREG(icc_sre_el2) & 1) == 0)
        SEL4VM_PANIC("the GICv3 system registers cannot be used at EL2 (ICC_SRE_EL2.SRE)");

    const u32 wanted = kV3EnableGroup1 | kV3AffinityRouting;
    if ((distributor_.read32(gicd::kCtlr) & wanted) != wanted) {
        // Affinity routing may only change while the groups are off.
        distributor_.write32(gicd::kCtlr, kV3AffinityRouting);
        wait_for_write(kFirstSpi);
        distributor_.write32(gicd::kCtlr, wanted);
        wait_for_write(kFirstSpi);
    }

    // The redistributor whose affinity is this CPU's.
    const u64 affinity = affinity_of_this_cpu();
    const u64 aff0 = affinity & 0xff;
    route_ = affinity;
    sgi_targets_ = (affinity >> 32 & 0xff) << 48 | (aff0 / 16) << 44 | (affinity >> 16 & 0xff) << 32 |
                   (affinity >> 8 & 0xff) << 16 | u64{1} << (aff0 % 16);
    const u64 packed = (affinity >> 8 & 0xff00'0000) | (affinity & 0xff'ffff);
    for (const HostPhysRange &region : info_.redistributors) {
        u64 at = region.base().value();
        while (redistributor_.base() == 0 && region.contains(HostPhys{at}, gicr::kBytes)) {
            const Mmio frame(HostPhys{at});
            const GicrTyper typer{frame.read64(gicr::kTyper)};
            if (typer.get<GicrTyper::Affinity>() == packed) {
                redistributor_ = Mmio(HostPhys{at + gicr::kFrameBytes});
                frame.write32(gicr::kWaker, frame.read32(gicr::kWaker) & ~GicrWaker::ProcessorSleep::mask);
                for (u32 tries = 0; (frame.read32(gicr::kWaker) & GicrWaker::ChildrenAsleep::mask) != 0; ++tries) {
                    if (tries == kLongEnough)
                        SEL4VM_PANIC("the GICv3 redistributor of this CPU does not wake up");
                }
            }
            if (typer.get<GicrTyper::Last>())
                break;
            const u64 bytes = typer.get<GicrTyper::Vlpis>() ? gicr::kBytesWithVlpi : gicr::kBytes;
            at += info_.redistributor_stride != 0 ? info_.redistributor_stride : bytes;
        }
    }
    if (redistributor_.base() == 0)
        SEL4VM_PANIC("no GICv3 redistributor has the affinity of this CPU");

    constexpr u64 kEoiMode = 1U << 1;
    SEL4VM_WRITE_SYSREG(icc_pmr_el1, 0xff);
    SEL4VM_WRITE_SYSREG(icc_bpr1_el1, 0);
    SEL4VM_WRITE_SYSREG(icc_ctlr_el1, kEoiMode);
    SEL4VM_WRITE_SYSREG(icc_igrpen1_el1, 1);
    isb();
    if ((SEL4VM_READ_SYSREG(icc_ctlr_el1) & kEoiMode) == 0)
        SEL4VM_PANIC("the GIC cannot separate priority drop from deactivation (ICC_CTLR_EL1.EOImode)");
}

void Gic::check(u32 intid) const { SEL4VM_ASSERT(intid < intid_count_); }

Mmio Gic::bank(u32 intid) const {
    return version_ == GicVersion::v3 && intid < kFirstSpi ? redistributor_ : distributor_;
}

/// Disabling, and GICD_CTLR of a v3, take effect some time after the write.
void Gic::wait_for_write(u32 intid) const {
    if (version_ == GicVersion::v2) {
        (void)distributor_.read32(gicd::kCtlr);
        return;
    }
    const bool own = intid < kFirstSpi;
    const Mmio frame = own ? Mmio(HostPhys{redistributor_.base() - gicr::kFrameBytes}) : distributor_;
    for (u32 tries = 0;
         (frame.read32(own ? gicr::kCtlr : gicd::kCtlr) & (own ? GicrCtlr::Rwp::mask : GicdCtlrV3::Rwp::mask)) != 0;
         ++tries) {
        if (tries == kLongEnough)
            SEL4VM_PANIC("the GICv3 does not finish a register write");
    }
}

void Gic::configure(const IrqInfo &irq, IrqCause cause) {
    const u32 intid = irq.intid;
    check(intid);
    disable(intid);
    const Mmio at = bank(intid);
    at.write8(gicd::kIpriorityr + intid, cause == IrqCause::guest ? kGuestPriority : kHostPriority);
    if (version_ == GicVersion::v3)
        at.write32(gicd::kIgroupr + word_of(intid), at.read32(gicd::kIgroupr + word_of(intid)) | bit_in_word(intid));
    if (intid >= 16)
        set_trigger(intid, irq.trigger);
    if (intid >= kFirstSpi)
        route_here(intid);
}

void Gic::set_trigger(u32 intid, IrqTrigger trigger) const {
    const u32 config = gicd::kIcfgr + intid / 16 * 4;
    const u32 edge = 2U << (2 * (intid % 16));
    const u32 value = bank(intid).read32(config);
    bank(intid).write32(config, trigger == IrqTrigger::edge ? value | edge : value & ~edge);
}

void Gic::route_here(u32 intid) const {
    if (version_ == GicVersion::v3)
        distributor_.write64(gicd::kIrouter + 8 * intid, route_);
    else
        distributor_.write8(gicd::kItargetsr + intid, static_cast<u8>(route_));
}

void Gic::enable(u32 intid) const {
    check(intid);
    dsb_sy(); // the handler's data before the first interrupt
    bank(intid).write32(gicd::kIsenabler + word_of(intid), bit_in_word(intid));
}

void Gic::disable(u32 intid) const {
    check(intid);
    bank(intid).write32(gicd::kIcenabler + word_of(intid), bit_in_word(intid));
    wait_for_write(intid);
    dsb_sy();
}

bool Gic::is_enabled(u32 intid) const {
    check(intid);
    return (bank(intid).read32(gicd::kIsenabler + word_of(intid)) & bit_in_word(intid)) != 0;
}

bool Gic::is_active(u32 intid) const {
    check(intid);
    return (bank(intid).read32(gicd::kIsactiver + word_of(intid)) & bit_in_word(intid)) != 0;
}

void Gic::set_active(u32 intid) const {
    check(intid);
    bank(intid).write32(gicd::kIsactiver + word_of(intid), bit_in_word(intid));
}

void Gic::clear_active(u32 intid) const {
    check(intid);
    bank(intid).write32(gicd::kIcactiver + word_of(intid), bit_in_word(intid));
}

void Gic::send_sgi(u32 sgi) const {
    SEL4VM_ASSERT(sgi < 16);
    dsb_ishst(); // what the receiver will look at
    if (version_ == GicVersion::v3) {
        SEL4VM_WRITE_SYSREG(icc_sgi1r_el1, sgi_targets_ | u64{sgi} << 24);
        isb();
    } else {
        distributor_.write32(gicd::kSgir, static_cast<u32>(sgi_targets_) | sgi);
    }
}

void Gic::send_sgi_to_others(u32 sgi) const {
    SEL4VM_ASSERT(sgi < 16);
    constexpr u64 kAllButSelf = u64{1} << 40; // ICC_SGI1R_EL1.IRM
    dsb_ishst();
    if (version_ == GicVersion::v3) {
        SEL4VM_WRITE_SYSREG(icc_sgi1r_el1, kAllButSelf | u64{sgi} << 24);
        isb();
    } else {
        distributor_.write32(gicd::kSgir,
                             static_cast<u32>(aarch64::SgiTarget::others) << aarch64::GicdSgir::Target::shift | sgi);
    }
}

} // namespace sel4vm::el2
