// SPDX-License-Identifier: BSD-2-Clause
//
// Timeouts, which the kernel does not offer: the client programs a timer of its own and lets it signal the endpoint's notification.
// Without one, the core's timeouts never fire and, where the kernel traps WFI, a vCPU whose timer is armed does not block in it.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::sel4 {

class TimeoutSource {
public:
    /// Signals `badge()` when the clock reaches `ticks`, not before; a later call replaces an earlier one.
    virtual void set(u64 ticks) = 0;
    virtual void cancel() = 0;
    [[nodiscard]] virtual u64 badge() const = 0;

protected:
    ~TimeoutSource() = default;
};

} // namespace sel4vm::sel4
