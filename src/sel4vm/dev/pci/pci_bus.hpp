// SPDX-License-Identifier: BSD-2-Clause
//
// What a function of a PCI bus can do to its machine: drive its interrupt pin, and write a message.
#pragma once

#include <sel4vm/vm/irq.hpp>

namespace sel4vm::dev {

/// A place on bus 0: device numbers, each with function 0 alone. 0 is the host bridge's.
inline constexpr u8 kPciSlots = 32;

class PciBus {
public:
    /// Drives INTA# of the function in this slot. With the function's lock held.
    virtual void set_pin(u8 slot, Level level) = 0;
    /// A memory write of the function's, by which it asks for an interrupt. With or without its lock held.
    virtual void send_message(u8 slot, u64 address, u32 data) = 0;

protected:
    ~PciBus() = default;
};

/// A function's end of it.
struct PciPlace {
    PciBus &bus;
    u8 slot = 0;
};

} // namespace sel4vm::dev
