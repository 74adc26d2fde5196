// SPDX-License-Identifier: BSD-2-Clause
//
// The GICv2 distributor's register file (Arm IHI 0048B), 4 KiB, for up to 8 vCPUs; no Security Extensions, both groups.
// The CPU interface is the hardware's virtual one, mapped by the machine, and not here.
//
// Simplifications: an interrupt with several targets goes to the lowest-numbered of them; PPIs are programmable as edge or
// level; NSACR, PPISR and SPISR read as zero. With one vCPU, GICD_ITARGETSR reads as zero and ignores writes (4.3.12), and
// every SPI goes to that vCPU. Reset: all zero, SGIs edge-triggered. Threading: the caller holds the chip's lock.
#pragma once

#include <sel4vm/dev/arm/gic/irq_registers.hpp>

namespace sel4vm::dev {

class DistributorV2 final : public IrqRegisters {
public:
    static constexpr u64 kBytes = aarch64::gicd::kBytesV2;
    explicit DistributorV2(GicCore &core) : IrqRegisters(core) {}

    [[nodiscard]] Result<u64, BusFault> read(u32 caller, u64 offset, Width width);
    [[nodiscard]] Status<BusFault> write(u32 caller, u64 offset, Width width, u64 value);

    // -- handlers of the register table
    [[nodiscard]] u64 read_control(RegisterOrigin origin, u32 index);
    void write_control(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_type(RegisterOrigin origin, u32 index);
    [[nodiscard]] u64 read_implementer(RegisterOrigin origin, u32 index);
    [[nodiscard]] u64 read_targets(RegisterOrigin origin, u32 index);
    void write_targets(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    void write_sgi(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_sgi_pending(RegisterOrigin origin, u32 index);
    void write_sgi_clear(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    void write_sgi_set(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_identification(RegisterOrigin origin, u32 index);
};

} // namespace sel4vm::dev
