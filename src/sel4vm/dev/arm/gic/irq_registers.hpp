// SPDX-License-Identifier: BSD-2-Clause
//
// Handlers of the per-interrupt register families, which the distributors of both versions and the redistributor share. A
// register number counts from INTID 0; `RegisterOrigin::bank()` says whose private interrupts word 0 means.
#pragma once

#include <sel4vm/dev/arm/gic/gic_core.hpp>
#include <sel4vm/dev/arm/gic/register_families.hpp>

namespace sel4vm::dev {

class IrqRegisters {
public:
    explicit IrqRegisters(GicCore &core) : core_(core) {}

    [[nodiscard]] u64 read_group(RegisterOrigin origin, u32 index);
    void write_group(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_enable(RegisterOrigin origin, u32 index);
    void write_enable(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    void write_disable(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_pending(RegisterOrigin origin, u32 index);
    void write_pending(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    void write_clear_pending(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_active(RegisterOrigin origin, u32 index);
    void write_active(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    void write_clear_active(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_priority(RegisterOrigin origin, u32 index);
    void write_priority(RegisterOrigin origin, u32 index, u64 value, u64 lanes);
    [[nodiscard]] u64 read_config(RegisterOrigin origin, u32 index);
    void write_config(RegisterOrigin origin, u32 index, u64 value, u64 lanes);

protected:
    ~IrqRegisters() = default;

    [[nodiscard]] IrqMachine &irqs() { return core_.irqs(); }
    [[nodiscard]] bool exists(u32 word) { return word < irqs().word_count(); }
    /// The bits of set-pending and clear-pending registers that can be written.
    [[nodiscard]] u32 pendable(u32 index) {
        // GICv2 has SPENDSGIR and CPENDSGIR for SGIs.
        return index == 0 && irqs().version() == GicVersion::v2 ? 0xffff'0000 : ~u32{0};
    }

    GicCore &core_;
};

} // namespace sel4vm::dev
