// SPDX-License-Identifier: BSD-2-Clause
//
// The GICv3 distributor's register file (Arm IHI 0069), 64 KiB, for up to 128 vCPUs: one security state (DS = 1, both
// groups), affinity routing always on (ARE is RES1), message-based SPIs where they are asked for, no extended ranges, no STATUSR. With one
// security state, SETSPI_SR and CLRSPI_SR are reserved. With affinity routing, private interrupts are in the redistributors, and their registers here read as zero.
//
// Simplifications: an interrupt for "any" CPU (IROUTER.Interrupt_Routing_Mode) goes to the lowest-numbered vCPU whose
// redistributor is awake; E1NWF reads as zero; writes take effect at once, so RWP is zero. Reset: all zero; IROUTER zero,
// which is affinity 0.0.0.0. Threading: the caller holds the chip's lock.
#pragma once

#include <sel4vm/dev/arm/gic/irq_registers.hpp>

namespace sel4vm::dev {

class DistributorV3 final : public IrqRegisters {
public:
    static constexpr u64 kBytes = aarch64::gicd::kBytesV3;
    explicit DistributorV3(GicCore &core) : IrqRegisters(core) {}

    [[nodiscard]] Result<u64, BusFault> read(u32 caller, u64 offset, Width width);
    [[nodiscard]] Status<BusFault> write(u32 caller, u64 offset, Width width, u64 value);

    // -- handlers of the register table
    [[nodiscard]] u64 read_control(RegisterOrigin origin, u32 index);
    void write_control(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_type(RegisterOrigin origin, u32 index);
    [[nodiscard]] u64 read_implementer(RegisterOrigin origin, u32 index);
    void write_message(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_router(RegisterOrigin origin, u32 index);
    void write_router(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_identification(RegisterOrigin origin, u32 index);
};

} // namespace sel4vm::dev
