// SPDX-License-Identifier: BSD-2-Clause
//
// An interrupt controller that a host has for a VM and that delivers by itself, with the timers' interrupts among its own (KVM). Then there are no list registers:
// devices drive wires, and that is all.
#pragma once

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

/// What the guest is told of it, and so what the host has to make.
struct GicPlace {
    GicVersion version = GicVersion::v3;
    u32 spi_count = 0; ///< a multiple of 32
    Gpa distributor{};
    Gpa other{};           ///< CPU interface (version 2), or redistributors
    u32 virtual_timer = 0; ///< INTID, as the next
    u32 physical_timer = 0;
};

enum class Wire : u8 { low, high };

class GicPort {
public:
    /// A shared interrupt, INTID 32 and up, below 32 + GicPlace::spi_count; from any thread.
    virtual void set_wire(u32 intid, Wire wire) = 0;
    /// A private peripheral interrupt, INTID 16 to 31, of one vCPU; from any thread.
    virtual void set_private_wire(VcpuId vcpu, u32 intid, Wire wire) = 0;
    /// Power-on state of everything but the wires; every vCPU is stopped.
    virtual void reset() = 0;

protected:
    ~GicPort() = default;
};

} // namespace sel4vm::aarch64
