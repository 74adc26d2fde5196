// SPDX-License-Identifier: BSD-2-Clause
//
// A device of the machine as a driver in the VMM sees it: its registers, and memory that both reach. The host has found them, and tells of
// its interrupt.
//
// Threads: as the driver says.
#pragma once

#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm {

class DeviceRegisters {
public:
    [[nodiscard]] virtual u8 read8(u32 offset) = 0;
    [[nodiscard]] virtual u32 read32(u32 offset) = 0;
    /// What was written to memory before is seen by a device that sees this.
    virtual void write32(u32 offset, u32 value) = 0;

protected:
    ~DeviceRegisters() = default;
};

/// Memory for what a driver and its device tell each other: contiguous, coherent, at a page's border, for as long as the driver is there.
struct DriverMemory {
    std::span<u8> bytes{};
    u64 device_address = 0; ///< of the first byte, as the device has it
};

} // namespace sel4vm
