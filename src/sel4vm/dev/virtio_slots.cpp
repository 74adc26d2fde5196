// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio_slots.hpp>

#include <sel4vm/dev/register_bank.hpp>

namespace sel4vm::dev {

namespace {

constexpr u32 kMagic = 0x7472'6976; ///< "virt" in memory
constexpr u32 kVersion = 2;         ///< not a legacy transport

// Guests probe with accesses of any width; only 32-bit ones are architected.
constexpr auto kSlot = register_bank<VirtioSlots, VirtioSlots::kSlotBytes>(std::array{
    constant<VirtioSlots>("MagicValue", 0x000, kMagic),
    constant<VirtioSlots>("Version", 0x004, kVersion),
    constant<VirtioSlots>("DeviceID", 0x008, 0),
});

constexpr Access inside_slot(Access access) {
    access.offset %= VirtioSlots::kSlotBytes;
    return access;
}

} // namespace

Result<u64, BusFault> VirtioSlots::read(const Access &access) { return kSlot.read(*this, inside_slot(access)); }

Status<BusFault> VirtioSlots::write(const Access &access, u64 value) {
    return kSlot.write(*this, inside_slot(access), value);
}

} // namespace sel4vm::dev
