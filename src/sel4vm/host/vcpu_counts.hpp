// SPDX-License-Identifier: BSD-2-Clause
//
// What a host counts of a vCPU besides its times, since the vCPU was made.
#pragma once

#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm {

struct VcpuCounts {
    /// Interrupts that were put before its guest, each time that one was: it may be taken back for a more urgent one and come again. No value where
    /// the host has an interrupt controller of its own.
    std::optional<u64> interrupts;
    u64 kicks = 0; ///< calls of VcpuPort::kick() that have reached it, from whomever
};

} // namespace sel4vm
