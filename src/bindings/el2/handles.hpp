// SPDX-License-Identifier: BSD-2-Clause
//
// What a capability pointer is on this host: the address of a page frame or of an object of the host, with the kind in its low bits.
// Deliberately no protection against a program that makes up addresses: it runs at EL2 itself.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/range.hpp>

#include <sel4/sel4.h>

#include <optional>

namespace sel4vm::el2 {

enum class HandleKind : u8 { none, endpoint, notification, small_page, large_page, huge_page };
inline constexpr u64 kHandleKindMask = 0xf;

[[nodiscard]] constexpr HandleKind kind_of(seL4_CPtr cap) {
    const u64 kind = cap & kHandleKindMask;
    return kind <= static_cast<u64>(HandleKind::huge_page) ? static_cast<HandleKind>(kind) : HandleKind::none;
}
[[nodiscard]] constexpr seL4_CPtr make_handle(HandleKind kind, u64 address) { return address | static_cast<u64>(kind); }
[[nodiscard]] constexpr u64 address_of(seL4_CPtr cap) { return cap & ~kHandleKindMask; }

/// The object that a handle of this kind names, or nullptr.
template <class T>
[[nodiscard]] T *object_of(HandleKind kind, seL4_CPtr cap) {
    static_assert(alignof(T) > 1);
    // SAFETY: handles with this kind are made from such objects only.
    return kind_of(cap) == kind ? reinterpret_cast<T *>(address_of(cap)) : nullptr;
}

/// log2 of the size of the frame, or 0 when it is none.
[[nodiscard]] constexpr unsigned frame_bits(seL4_CPtr cap) {
    switch (kind_of(cap)) {
    case HandleKind::small_page: return seL4_PageBits;
    case HandleKind::large_page: return seL4_LargePageBits;
    case HandleKind::huge_page: return seL4_HugePageBits;
    default: return 0;
    }
}
/// The physical memory behind a handle of a frame.
[[nodiscard]] constexpr std::optional<HostPhysRange> frame_range(seL4_CPtr cap) {
    const unsigned bits = frame_bits(cap);
    if (bits == 0 || !is_aligned(address_of(cap), u64{1} << bits))
        return std::nullopt;
    return HostPhysRange::make(HostPhys{address_of(cap)}, u64{1} << bits);
}
[[nodiscard]] constexpr HandleKind frame_kind(u64 size_bits) {
    switch (size_bits) {
    case seL4_PageBits: return HandleKind::small_page;
    case seL4_LargePageBits: return HandleKind::large_page;
    case seL4_HugePageBits: return HandleKind::huge_page;
    default: return HandleKind::none;
    }
}

} // namespace sel4vm::el2
