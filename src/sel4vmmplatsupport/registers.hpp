// SPDX-License-Identifier: BSD-2-Clause
//
// The registers of a host's device as the VMM sees them, page by page, and a guest's access performed on them in its own
// width.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vmmplatsupport/device.h>
#include <sel4vmmplatsupport/kept.hpp>

#include <optional>

namespace sel4vm::platsupport {

class DeviceRegisters {
public:
    /// Shows the pages of [base, base + size) to the VMM; once, first.
    [[nodiscard]] bool open(vm_t &vm, u64 base, u64 size_bytes) {
        if (size_bytes == 0 || !is_aligned(base, kPageBytes) || !is_aligned(size_bytes, kPageBytes) ||
            !pages_.make_room(vm, size_bytes / kPageBytes))
            return false;
        base_ = base;
        for (u64 offset = 0; offset < size_bytes; offset += kPageBytes) {
            const auto page = page_at(vm, base + offset);
            if (!page || !pages_.add_shown(*page))
                return false;
        }
        return true;
    }

    /// True for what the two below can do: naturally aligned, 1, 2, 4 or 8 bytes, inside the device.
    [[nodiscard]] bool can(u64 address, u64 bytes) const {
        return (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) && is_aligned(address, bytes) &&
               address >= base_ && (address - base_) / kPageBytes < pages_.size();
    }
    [[nodiscard]] u64 read(u64 address, u64 bytes) const {
        // SAFETY: can() said that the access lies inside a page that is shown.
        volatile u8 *at = place(address);
        switch (bytes) {
        case 1: return *at;
        case 2: return *reinterpret_cast<volatile u16 *>(at);
        case 4: return *reinterpret_cast<volatile u32 *>(at);
        default: return *reinterpret_cast<volatile u64 *>(at);
        }
    }
    void write(u64 address, u64 bytes, u64 value) const {
        // SAFETY: as in read().
        volatile u8 *at = place(address);
        switch (bytes) {
        case 1: *at = static_cast<u8>(value); break;
        case 2: *reinterpret_cast<volatile u16 *>(at) = static_cast<u16>(value); break;
        case 4: *reinterpret_cast<volatile u32 *>(at) = static_cast<u32>(value); break;
        default: *reinterpret_cast<volatile u64 *>(at) = value; break;
        }
    }

private:
    [[nodiscard]] volatile u8 *place(u64 address) const {
        const u64 offset = address - base_;
        return static_cast<volatile u8 *>(pages_.shown(offset / kPageBytes)) + offset % kPageBytes;
    }
    u64 base_ = 0;
    PageSet pages_;
};

/// The lanes that the C interface puts a value of this address into (sel4vm/guest_vcpu_fault.h).
[[nodiscard]] constexpr unsigned lane_shift(u64 address) { return static_cast<unsigned>(address & 3) * 8; }

} // namespace sel4vm::platsupport
