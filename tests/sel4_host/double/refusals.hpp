// SPDX-License-Identifier: BSD-2-Clause
//
// Everything that can be refused is counted, and one chosen request is refused: what lacks for resources (memory, slots,
// identifiers), or any call whose result the host looks at.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::sel4_double {

class Refusals {
public:
    enum class Which : u8 { resources, calls };

    /// The n-th request from now (1 is the next) is refused; 0: none.
    void refuse_at(Which which, usize n) {
        which_ = which;
        at_ = n == 0 ? 0 : count(which) + n;
    }
    /// For resources: true when this one is to be refused.
    [[nodiscard]] bool resource() { return take(Which::resources); }
    /// For calls that fail for other reasons than resources.
    [[nodiscard]] bool call() { return take(Which::calls); }
    [[nodiscard]] usize count(Which which) const { return counts_[static_cast<usize>(which)]; }

private:
    [[nodiscard]] bool take(Which which) {
        return ++counts_[static_cast<usize>(which)] == at_ && which == which_ && at_ != 0;
    }
    usize counts_[2] = {};
    usize at_ = 0;
    Which which_ = Which::resources;
};

} // namespace sel4vm::sel4_double
