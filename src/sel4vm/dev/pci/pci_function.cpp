// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pci/pci_function.hpp>

namespace sel4vm::dev {

namespace {

constexpr u64 kNowhere = ~u64{0};
constexpr u32 kMemory64 = 4; ///< low bits of a BAR
constexpr u32 kPrefetchable = 8;
constexpr u32 kBarTypeBits = 0xf;

// PCI Express 3.0, 7.8
constexpr u32 kExpressBytes = 0x3c;
constexpr u32 kVersion2OfIntegratedEndpoint = 2U | 9U << 4;
constexpr u32 kHasFunctionLevelReset = 1U << 28; ///< Device Capabilities
constexpr u32 kDeviceControl = 8;
constexpr u32 kInitiateReset = 1U << 15;
constexpr u32 kControlWritable = 0x7fff; ///< nothing depends on it here
constexpr u32 kCommandWritable = 0x0547; ///< memory, bus master, parity, SERR#, no pin; I/O, which no function here has
constexpr u8 kPinA = 1;

} // namespace

PciFunction::PciFunction(PciPlace place, const PciIdentity &identity, u16 vectors)
    : place_(place), msix_(place, vectors) {
    for (std::atomic<u64> &at : places_)
        at.store(kNowhere, std::memory_order_relaxed);
    config_.define(pci_reg::kVendor, 2, identity.vendor);
    config_.define(pci_reg::kDevice, 2, identity.device);
    config_.define(pci_reg::kCommand, 2, 0, kCommandWritable);
    config_.define(pci_reg::kRevision, 4, identity.revision | identity.class_code << 8);
    config_.define(pci_reg::kCacheLine, 1, 0, 0xff);
    config_.define(pci_reg::kSubsystemVendor, 2, identity.subsystem_vendor);
    config_.define(pci_reg::kSubsystem, 2, identity.subsystem);
    config_.define(pci_reg::kInterruptLine, 1, 0, 0xff);
    config_.define(pci_reg::kInterruptPin, 1, kPinA);
    express_at_ = config_.add_capability(pci_capability::kExpress, kExpressBytes);
    config_.define(express_at_ + 2, 2, kVersion2OfIntegratedEndpoint);
    config_.define(express_at_ + 4, 4, kHasFunctionLevelReset);
    config_.define(express_at_ + kDeviceControl, 2, 0, kControlWritable);
}

void PciFunction::add_bar(u8 bar, BarKind kind, u64 size_bytes) {
    SEL4VM_ASSERT(bar < kBars && size_bytes >= 16 && (size_bytes & (size_bytes - 1)) == 0);
    sizes_[bar] = size_bytes;
    const u64 mask = ~(size_bytes - 1);
    const u32 at = pci_reg::kBars + 4U * bar;
    if (kind == BarKind::memory32) {
        config_.define(at, 4, 0, static_cast<u32>(mask));
        return;
    }
    wide_[bar] = true;
    config_.define(at, 4, kMemory64 | kPrefetchable, static_cast<u32>(mask) & ~kBarTypeBits);
    config_.define(at + 4, 4, 0, static_cast<u32>(mask >> 32));
}

void PciFunction::finish(u8 msix_bar) {
    msix_bar_ = msix_bar;
    add_bar(msix_bar, BarKind::memory32, 2 * PciMsix::kTableBytes);
    msix_.add_to(config_, msix_bar);
    config_.keep_as_reset();
}

void PciFunction::publish() {
    const bool on = (config_.get(pci_reg::kCommand, 2) & pci_command::kMemory) != 0;
    for (u8 bar = 0; bar < kBars; ++bar) {
        if (sizes_[bar] == 0)
            continue;
        u64 at = config_.get(pci_reg::kBars + 4U * bar, 4) & ~kBarTypeBits;
        if (wide_[bar])
            at |= u64{config_.get(pci_reg::kBars + 4U * bar + 4, 4)} << 32;
        places_[bar].store(on ? at : kNowhere, std::memory_order_relaxed);
    }
}

std::optional<PciFunction::Hit> PciFunction::find(u64 address) const {
    for (u8 bar = 0; bar < kBars; ++bar) {
        const u64 at = places_[bar].load(std::memory_order_relaxed);
        if (at != kNowhere && address >= at && address - at < sizes_[bar])
            return Hit{bar, address - at};
    }
    return std::nullopt;
}

u32 PciFunction::read_config(u32 offset, u32 bytes, VcpuId by) {
    before_config_read(offset, bytes, by);
    return config_.get(offset, bytes);
}

void PciFunction::write_config(u32 offset, u32 bytes, u32 value, VcpuId by) {
    config_.write(offset, bytes, value);
    // The bit that asks for a reset reads as 0 always.
    const u32 control = express_at_ + kDeviceControl;
    if (offset <= control + 1 && offset + bytes > control + 1 &&
        (value >> (8 * (control + 1 - offset)) & kInitiateReset >> 8) != 0) {
        reset();
        return;
    }
    publish();
    msix_.config_written(config_);
    drive_pin();
    after_config_write(offset, bytes, by);
}

Result<u64, BusFault> PciFunction::read_bar(u8 bar, const Access &access) {
    return bar == msix_bar_ ? msix_.read(access) : read_own(bar, access);
}

Status<BusFault> PciFunction::write_bar(u8 bar, const Access &access, u64 value) {
    return bar == msix_bar_ ? msix_.write(access, value) : write_own(bar, access, value);
}

void PciFunction::reset() {
    config_.reset();
    msix_.reset();
    reset_own();
    publish();
    drive_pin();
}

void PciFunction::restore(const State &state) {
    config_.restore(state.config);
    msix_.restore(state.vectors);
    publish();
    msix_.config_written(config_);
    drive_pin();
}

void PciFunction::ask_pin(Level level) {
    asked_ = level;
    drive_pin();
}

void PciFunction::drive_pin() {
    const u32 status = config_.get(pci_reg::kStatus, 2) & ~u32{pci_status::kInterrupt};
    config_.set(pci_reg::kStatus, 2, status | (asked_ == Level::high ? pci_status::kInterrupt : 0U));
    const bool off = msix_.is_on() || (config_.get(pci_reg::kCommand, 2) & pci_command::kNoPin) != 0;
    const Level level = off ? Level::low : asked_;
    if (level == driven_)
        return;
    driven_ = level;
    place_.bus.set_pin(place_.slot, level);
}

void PciFunction::before_config_read(u32, u32, VcpuId) {}
void PciFunction::after_config_write(u32, u32, VcpuId) {}

} // namespace sel4vm::dev
