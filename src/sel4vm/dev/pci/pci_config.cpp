// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pci/pci_config.hpp>

#include <sel4vm/base/assert.hpp>

namespace sel4vm::dev {

void PciConfig::define(u32 offset, u32 bytes, u32 value, u32 writable) {
    for (u32 i = 0; i < bytes; ++i) {
        bytes_[offset + i] = static_cast<u8>(value >> (8 * i));
        writable_[offset + i] = static_cast<u8>(writable >> (8 * i));
    }
}

u32 PciConfig::add_capability(u8 id, u32 bytes) {
    const u32 at = next_capability_;
    next_capability_ = (at + bytes + 3) & ~3U;
    SEL4VM_ASSERT(next_capability_ <= kBytes); // of tables of ours
    define(last_link_, 1, at);
    define(at, 1, id);
    last_link_ = at + 1;
    define(pci_reg::kStatus, 2, get(pci_reg::kStatus, 2) | pci_status::kHasCapabilities);
    return at;
}

u32 PciConfig::get(u32 offset, u32 bytes) const {
    u32 value = 0;
    for (u32 i = 0; i < bytes; ++i)
        value |= u32{bytes_[offset + i]} << (8 * i);
    return value;
}

void PciConfig::set(u32 offset, u32 bytes, u32 value) {
    for (u32 i = 0; i < bytes; ++i)
        bytes_[offset + i] = static_cast<u8>(value >> (8 * i));
}

void PciConfig::write(u32 offset, u32 bytes, u32 value) {
    for (u32 i = 0; i < bytes; ++i) {
        const u8 mask = writable_[offset + i];
        bytes_[offset + i] = static_cast<u8>((bytes_[offset + i] & ~mask) | (static_cast<u8>(value >> (8 * i)) & mask));
    }
}

void PciConfig::restore(const Bytes &saved) {
    bytes_ = reset_;
    for (u32 i = 0; i < kBytes; ++i)
        write(i, 1, saved[i]);
}

} // namespace sel4vm::dev
