// SPDX-License-Identifier: BSD-2-Clause
//
// Fixed-width integer names, and address types that do not convert into one another.
// Deliberately no arithmetic operators beyond what cannot wrap unnoticed: sums are checked (see range.hpp).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace sel4vm {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using usize = std::size_t;
using uptr = std::uintptr_t;

inline constexpr u64 kKiB = 1024;
inline constexpr u64 kMiB = 1024 * kKiB;
inline constexpr u64 kGiB = 1024 * kMiB;

/// The smallest translation granule this library uses, in bytes.
inline constexpr u64 kPageBytes = 4 * kKiB;

/// A strongly typed unsigned value; `Tag` makes each instantiation a type of its own.
template <class Tag, class RawT = u64>
class Strong {
public:
    using Raw = RawT;
    constexpr Strong() = default;
    constexpr explicit Strong(Raw value) : value_(value) {}
    [[nodiscard]] constexpr Raw value() const { return value_; }
    friend constexpr auto operator<=>(Strong, Strong) = default;

private:
    Raw value_ = 0;
};

/// A guest-physical (intermediate physical) address.
using Gpa = Strong<struct GpaTag>;
/// A host-physical address; on hosts that hide those, an opaque handle of the host.
using HostPhys = Strong<struct HostPhysTag>;
/// A guest-virtual address, as the guest's own stage 1 sees it.
using GuestVirt = Strong<struct GuestVirtTag>;

/// Names a VM of this process: the index that the executor gave it.
using VmId = Strong<struct VmIdTag, u16>;
/// Names a virtual CPU inside its VM: 0 is the boot vCPU.
using VcpuId = Strong<struct VcpuIdTag, u16>;

} // namespace sel4vm
