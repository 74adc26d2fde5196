// SPDX-License-Identifier: BSD-2-Clause
//
// One VM's side of memory that VMs share (docs/shared-memory.md). Records of the same name in several VMs are of the same memory.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/dev/doorbell/doorbell.hpp>

#include <optional>
#include <string_view>

namespace sel4vm::machine {

/// Of one VM, and of one system.
inline constexpr usize kMaxShared = 8;
inline constexpr u32 kMaxSharedSides = dev::DoorbellGroup::kMaxSides;

/// What a VM may do with the memory.
enum class SharedAccess : u8 { read_write, read_only };

struct SharedRecord {
    std::string_view name{}; ///< the same for all VMs that share it
    u64 size_bytes = 0;      ///< the same for all; whole pages
    u32 side = 0;            ///< which of them this VM is, below kMaxSharedSides; each its own
    SharedAccess access = SharedAccess::read_write;
    // Without a value: place_shared() finds one.
    std::optional<Gpa> base = std::nullopt;     ///< of the memory
    std::optional<Gpa> doorbell = std::nullopt; ///< of the page of registers
    std::optional<u32> spi = std::nullopt;      ///< shared interrupt number (INTID minus 32) by which the VM is rung
    friend constexpr bool operator==(const SharedRecord &, const SharedRecord &) = default;
};

} // namespace sel4vm::machine
