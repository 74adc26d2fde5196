// SPDX-License-Identifier: BSD-2-Clause
//
// Accesses to the registers of physical devices, which the host maps at their physical address as device memory. The access
// size is part of the name, because a device defines it. Ordering between device and ordinary memory is the caller's.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

class Mmio {
public:
    constexpr Mmio() = default;
    constexpr explicit Mmio(HostPhys base) : base_(base.value()) {}
    [[nodiscard]] constexpr u64 base() const { return base_; }

    // SAFETY: base_ is a device range that the host map holds at its own address; inline assembly because the compiler may
    // choose an addressing form for a volatile access that hardware virtualization below us could not decode.
    [[nodiscard]] u32 read32(u32 offset) const {
        u32 value;
        asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(base_ + offset) : "memory");
        return value;
    }
    void write32(u32 offset, u32 value) const {
        asm volatile("str %w0, [%1]" ::"rZ"(value), "r"(base_ + offset) : "memory");
    }
    [[nodiscard]] u64 read64(u32 offset) const {
        u64 value;
        asm volatile("ldr %x0, [%1]" : "=r"(value) : "r"(base_ + offset) : "memory");
        return value;
    }
    void write64(u32 offset, u64 value) const {
        asm volatile("str %x0, [%1]" ::"rZ"(value), "r"(base_ + offset) : "memory");
    }
    [[nodiscard]] u16 read16(u32 offset) const {
        u32 value;
        asm volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(base_ + offset) : "memory");
        return static_cast<u16>(value);
    }
    void write16(u32 offset, u16 value) const {
        asm volatile("strh %w0, [%1]" ::"rZ"(u32{value}), "r"(base_ + offset) : "memory");
    }
    [[nodiscard]] u8 read8(u32 offset) const {
        u32 value;
        asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(base_ + offset) : "memory");
        return static_cast<u8>(value);
    }
    void write8(u32 offset, u8 value) const {
        asm volatile("strb %w0, [%1]" ::"rZ"(u32{value}), "r"(base_ + offset) : "memory");
    }

private:
    u64 base_ = 0;
};

} // namespace sel4vm::el2
