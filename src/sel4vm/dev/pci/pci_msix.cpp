// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pci/pci_msix.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kCapabilityBytes = 12;
constexpr u16 kEnable = 1U << 15; ///< Message Control
constexpr u16 kFunctionMask = 1U << 14;
constexpr u64 kEntryBytes = 16;
constexpr u32 kMasked = 1; ///< Vector Control

Status<BusFault> check_table_access(const Access &access) {
    if (access.width != Width::b4 && access.width != Width::b8)
        return Err{BusFault::width};
    if (access.offset % bytes_of(access.width) != 0)
        return Err{BusFault::alignment};
    return Ok{};
}
} // namespace

void PciMsix::add_to(PciConfig &config, u8 bar) {
    at_ = config.add_capability(pci_capability::kMsix, kCapabilityBytes);
    config.define(at_ + 2, 2, count_ - 1U, kEnable | kFunctionMask);
    config.define(at_ + 4, 4, bar);
    config.define(at_ + 8, 4, static_cast<u32>(kTableBytes) | bar);
}

void PciMsix::config_written(const PciConfig &config) {
    const u32 control = config.get(at_ + 2, 2);
    enabled_ = (control & kEnable) != 0;
    const bool is_master = (config.get(pci_reg::kCommand, 2) & pci_command::kBusMaster) != 0;
    function_masked_ = (control & kFunctionMask) != 0 || !is_master;
    for (Vector &vector : vectors_)
        send_if_unmasked(vector);
}

void PciMsix::send_if_unmasked(Vector &vector) {
    if (!vector.pending || !enabled_ || function_masked_ || vector.masked)
        return;
    vector.pending = false;
    place_.bus.send_message(place_.slot, vector.address, vector.data);
}

void PciMsix::raise(u16 vector) {
    if (vector >= count_ || !enabled_)
        return;
    vectors_[vector].pending = true;
    send_if_unmasked(vectors_[vector]);
}

void PciMsix::reset() {
    vectors_ = {};
    enabled_ = function_masked_ = false;
}

u32 PciMsix::read_word(u64 offset) const {
    if (offset >= kTableBytes) {
        u32 pending = 0;
        for (u16 i = 0; offset == kTableBytes && i < count_; ++i)
            pending |= u32{vectors_[i].pending} << i;
        return pending;
    }
    const u64 index = offset / kEntryBytes;
    if (index >= count_)
        return 0;
    const Vector &vector = vectors_[index];
    switch (offset % kEntryBytes) {
    case 0: return static_cast<u32>(vector.address);
    case 4: return static_cast<u32>(vector.address >> 32);
    case 8: return vector.data;
    default: return vector.masked ? kMasked : 0;
    }
}

void PciMsix::write_word(u64 offset, u32 value) {
    const u64 index = offset / kEntryBytes;
    if (index >= count_)
        return;
    Vector &vector = vectors_[index];
    switch (offset % kEntryBytes) {
    case 0: vector.address = (vector.address >> 32 << 32) | (value & ~3U); break;
    case 4: vector.address = (vector.address & 0xffff'ffff) | u64{value} << 32; break;
    case 8: vector.data = value; break;
    default:
        vector.masked = (value & kMasked) != 0;
        send_if_unmasked(vector);
        break;
    }
}

Result<u64, BusFault> PciMsix::read(const Access &access) const {
    SEL4VM_TRY(check_table_access(access));
    const u64 low = read_word(access.offset);
    return access.width == Width::b4 ? low : low | u64{read_word(access.offset + 4)} << 32;
}

Status<BusFault> PciMsix::write(const Access &access, u64 value) {
    SEL4VM_TRY(check_table_access(access));
    write_word(access.offset, static_cast<u32>(value));
    if (access.width == Width::b8)
        write_word(access.offset + 4, static_cast<u32>(value >> 32));
    return Ok{};
}

} // namespace sel4vm::dev
