// SPDX-License-Identifier: BSD-2-Clause
//
// Untyped memory: objects are cut from it one after another, and it is whole again when the last of them is gone.
#pragma once

#include <sel4_host/double/object.hpp>

namespace sel4vm::sel4_double {

class Untyped final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::untyped;
    enum class Memory : u8 { ram, device };
    Untyped(u64 at, unsigned bits, Memory of) : Object(kKind, bits), what(of) { phys = at; }

    const Memory what;
    u64 used = 0;          ///< bytes from the start
    unsigned children = 0; ///< objects in it
    unsigned retypes = 0;  ///< so far
};

/// An object made of `source`, with its first capability in `to`; an error of the kernel's.
[[nodiscard]] seL4_Error retype(Untyped &source, seL4_Word type, seL4_Word size_bits, Capability &to);
/// log2 of what an object takes; 0 for a type that is none.
[[nodiscard]] unsigned object_bits(seL4_Word type, seL4_Word size_bits);

} // namespace sel4vm::sel4_double
