// SPDX-License-Identifier: BSD-2-Clause
//
// What turns the messages of devices into interrupts, beside the platform.
#include <sel4vm/machine/arm/virt_machine.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::make_msi() {
    const MsiRecord &record = description_.gic.msi;
    if (record.kind != MsiKind::v2m && platform_.gic() == nullptr)
        return Err{build_error("gic.msi", "this host's own interrupt controller takes no messages: use \"v2m\"")};
    if (record.kind == MsiKind::its)
        return make_its();
    if (record.kind == MsiKind::mbi) {
        msi_ = {Gpa{description_.gic.distributor.base.value() + dev::Gic::kDoorbell}, platform_.gic()};
        return Ok{};
    }
    const u32 first = aarch64::kFirstSpi + record.first_spi;
    IrqRouter &irqs = *platform_.irqs();
    if (!irqs.has(first) || !irqs.has(first + record.spi_count - 1))
        return Err{build_error("gic.msi_spis", "the interrupt controller has no such shared interrupts")};
    const Gpa base = msi_frame(record).base;
    const auto range = GpaRange::make(base, dev::Gicv2m::kBytes);
    if (!range || !vm_.attach(*range, v2m_.emplace(irqs, first, record.spi_count)))
        return Err{build_error("gic.msi_frame", "the range overlaps another one")};
    msi_ = {Gpa{base.value() + dev::Gicv2m::kDoorbell}, &*v2m_};
    return Ok{};
}

Status<BuildError> VirtMachine::make_its() {
    dev::Gic &gic = *platform_.gic();
    its_ = Owned<dev::Its>::make(host_.allocator, gic, vm_, host_.locks);
    if (!its_)
        return Err{build_error("gic.msi", "the host has no memory left for it")};
    const GicRecord &record = description_.gic;
    const Gpa base = msi_frame(record.msi).base;
    const auto frames = GpaRange::make(base, dev::Its::kBytes);
    if (!frames || !vm_.attach(*frames, *its_))
        return Err{build_error("gic.msi_frame", "the range overlaps another one")};
    // The redistributors' LPI registers are the ITS's, and so is the delivery.
    const auto redistributors = GpaRange::make(record.redistributors.base, gic.redistributor_bytes());
    if (!redistributors || !vm_.detach(redistributors->base()) || !vm_.attach(*redistributors, its_->redistributors()))
        return Err{build_error("gic.redistributors", "the range overlaps another one")};
    if (const u64 bytes = gic.more_redistributor_bytes(); bytes != 0) {
        const auto more = GpaRange::make(record.more_redistributors.base, bytes);
        if (!more || !vm_.detach(more->base()) || !vm_.attach(*more, its_->more_redistributors()))
            return Err{build_error("gic.more_redistributors", "the range overlaps another one")};
    }
    vm_.set_interrupts(gic, its_.get());
    msi_ = {Gpa{base.value() + dev::Its::kDoorbell}, its_.get()};
    return Ok{};
}

} // namespace sel4vm::machine
