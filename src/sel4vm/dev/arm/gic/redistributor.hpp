// SPDX-License-Identifier: BSD-2-Clause
//
// The register files of all GICv3 redistributors (Arm IHI 0069): 128 KiB for each vCPU, in the order of the vCPUs, RD_base and SGI_base frames, in
// one row or two; the last of a row says so. No LPIs: PROPBASER and PENDBASER read as zero. Any vCPU may
// access any redistributor.
//
// Reset: asleep (WAKER), interrupts disabled, group 0, SGIs edge-triggered. PPIs are programmable as edge or level.
// Threading: the caller holds the chip's lock.
#pragma once

#include <sel4vm/dev/arm/gic/irq_registers.hpp>

namespace sel4vm::dev {

class Redistributors final : public IrqRegisters {
public:
    static constexpr u64 kBytesPerCpu = aarch64::gicr::kBytes;
    /// `first_row`: how many the first row has, if there are so many.
    Redistributors(GicCore &core, u32 first_row) : IrqRegisters(core), first_row_(first_row) {}

    /// `offset` from the first redistributor's RD_base, as if there were one row.
    [[nodiscard]] Result<u64, BusFault> read(u32 caller, u64 offset, Width width);
    [[nodiscard]] Status<BusFault> write(u32 caller, u64 offset, Width width, u64 value);

    // -- handlers of the register table
    [[nodiscard]] u64 read_implementer(RegisterOrigin origin, u32 index);
    [[nodiscard]] u64 read_type(RegisterOrigin origin, u32 index);
    [[nodiscard]] u64 read_waker(RegisterOrigin origin, u32 index);
    void write_waker(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_identification(RegisterOrigin origin, u32 index);

private:
    u32 first_row_;
};

} // namespace sel4vm::dev
