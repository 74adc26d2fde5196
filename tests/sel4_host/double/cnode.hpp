// SPDX-License-Identifier: BSD-2-Clause
//
// A table of capabilities, and how a number leads to a slot. One level: no test has CNodes in CNodes.
#pragma once

#include <sel4_host/double/object.hpp>

#include <vector>

namespace sel4vm::sel4_double {

class CNode final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::cnode;
    explicit CNode(unsigned radix_bits) : Object(kKind, radix_bits + seL4_SlotBits), radix(radix_bits) {
        slots.resize(usize{1} << radix_bits);
    }
    void finalise() override { slots.clear(); }

    const unsigned radix;
    std::vector<Capability> slots;
};

/// The slot that the first `depth` bits of `index` name below `root`, as the kernel resolves it; nullptr for none.
[[nodiscard]] Capability *resolve(const Capability &root, u64 index, unsigned depth);

} // namespace sel4vm::sel4_double
