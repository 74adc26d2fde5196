// SPDX-License-Identifier: BSD-2-Clause
//
// A device of the machine that a VM is given, as the host has found it in its device tree: plain data. And a port to the registers of devices that the
// guest cannot have as pages, because others' are in the same page.
#pragma once

#include <sel4vm/arch/aarch64/ports/physical_irq_port.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/host/exit.hpp>

#include <optional>

namespace sel4vm::aarch64 {

enum class PassedPages : u8 {
    own,    ///< no other device has anything in the pages of the range
    shared, ///< some has: each access has to be carried out by the VMM
};

struct PassedRange {
    HostPhysRange range;
    PassedPages pages;
};

struct PassedIrq {
    u32 intid; ///< of a shared interrupt
    PhysicalTrigger trigger;
};

struct PassedDevice {
    static constexpr usize kMost = 8;
    FixedVector<PassedRange, kMost> ranges; ///< in the order of `reg`
    FixedVector<PassedIrq, kMost> irqs;     ///< in the order of `interrupts`
};

/// Threads: from any, for different accesses at once.
class PassedRegisterPort {
public:
    /// Inside a range of a device that was passed; `at` is a multiple of the width. Nothing when the device answers with an error.
    [[nodiscard]] virtual std::optional<u64> read(HostPhys at, Width width) = 0;
    /// False when it answers with an error.
    [[nodiscard]] virtual bool write(HostPhys at, Width width, u64 value) = 0;

protected:
    ~PassedRegisterPort() = default;
};

} // namespace sel4vm::aarch64
