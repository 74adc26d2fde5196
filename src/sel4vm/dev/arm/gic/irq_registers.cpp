// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/irq_registers.hpp>

namespace sel4vm::dev {

// Cold: what guests do while they set up, small rather than fast.
namespace {
constexpr u32 kIrqsPerPriorityRegister = 4;
constexpr u32 kIrqsPerConfigRegister = 16;
} // namespace

u64 IrqRegisters::read_group(RegisterOrigin origin, u32 index) {
    return exists(index) ? irqs().word(origin.bank(), index).group1 : 0;
}

[[gnu::cold]] void IrqRegisters::write_group(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (exists(index))
        irqs().set_groups(origin.bank(), index, static_cast<u32>(value));
}

u64 IrqRegisters::read_enable(RegisterOrigin origin, u32 index) {
    return exists(index) ? irqs().word(origin.bank(), index).enabled : 0;
}

void IrqRegisters::write_enable(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (exists(index))
        irqs().enable(origin.bank(), index, static_cast<u32>(value));
}

void IrqRegisters::write_disable(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (exists(index))
        irqs().disable(origin.bank(), index, static_cast<u32>(value));
}

[[gnu::cold]] u64 IrqRegisters::read_pending(RegisterOrigin origin, u32 index) {
    if (!exists(index))
        return 0;
    core_.observe(origin.caller(), origin.bank(), index);
    return irqs().pending(origin.bank(), index);
}

[[gnu::cold]] void IrqRegisters::write_pending(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (!exists(index))
        return;
    core_.observe(origin.caller(), origin.bank(), index);
    irqs().set_pending(origin.bank(), index, static_cast<u32>(value) & pendable(index));
}

[[gnu::cold]] void IrqRegisters::write_clear_pending(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (!exists(index))
        return;
    core_.observe(origin.caller(), origin.bank(), index);
    irqs().clear_pending(origin.bank(), index, static_cast<u32>(value) & pendable(index));
}

[[gnu::cold]] u64 IrqRegisters::read_active(RegisterOrigin origin, u32 index) {
    if (!exists(index))
        return 0;
    core_.observe(origin.caller(), origin.bank(), index);
    return irqs().word(origin.bank(), index).active;
}

[[gnu::cold]] void IrqRegisters::write_active(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (!exists(index))
        return;
    core_.observe(origin.caller(), origin.bank(), index);
    irqs().set_active(origin.bank(), index, static_cast<u32>(value));
}

[[gnu::cold]] void IrqRegisters::write_clear_active(RegisterOrigin origin, u32 index, u64 value, u64) {
    if (!exists(index))
        return;
    core_.observe(origin.caller(), origin.bank(), index);
    irqs().clear_active(origin.bank(), index, static_cast<u32>(value));
}

[[gnu::cold]] u64 IrqRegisters::read_priority(RegisterOrigin origin, u32 index) {
    const u32 first = index * kIrqsPerPriorityRegister;
    if (!exists(first / kIrqsPerWord))
        return 0;
    const IrqWord &irq = irqs().word(origin.bank(), first / kIrqsPerWord);
    u64 value = 0;
    for (u32 n = 0; n < kIrqsPerPriorityRegister; ++n)
        value |= u64{irq.priority[first % kIrqsPerWord + n]} << (8 * n);
    return value;
}

[[gnu::cold]] void IrqRegisters::write_priority(RegisterOrigin origin, u32 index, u64 value, u64 lanes) {
    const u32 first = index * kIrqsPerPriorityRegister;
    if (!exists(first / kIrqsPerWord))
        return;
    for (u32 intid = first; lanes != 0; ++intid, lanes >>= 8, value >>= 8) {
        if ((lanes & 0xff) != 0)
            irqs().set_priority(origin.bank(), intid, static_cast<u8>(value));
    }
}

[[gnu::cold]] u64 IrqRegisters::read_config(RegisterOrigin origin, u32 index) {
    const u32 first = index * kIrqsPerConfigRegister;
    if (!exists(first / kIrqsPerWord))
        return 0;
    const u32 edge = irqs().word(origin.bank(), first / kIrqsPerWord).edge >> (first % kIrqsPerWord);
    u64 value = 0;
    for (u32 n = 0; n < kIrqsPerConfigRegister; ++n)
        value |= u64{edge >> n & 1} << (2 * n + 1);
    return value;
}

[[gnu::cold]] void IrqRegisters::write_config(RegisterOrigin origin, u32 index, u64 value, u64) {
    const u32 first = index * kIrqsPerConfigRegister;
    if (!exists(first / kIrqsPerWord))
        return;
    u32 edge = 0;
    for (u32 n = 0; n < kIrqsPerConfigRegister; ++n)
        edge |= static_cast<u32>(value >> (2 * n + 1) & 1) << n;
    const u32 shift = first % kIrqsPerWord;
    irqs().set_edge(origin.bank(), first / kIrqsPerWord, 0xffffu << shift, edge << shift);
}

} // namespace sel4vm::dev
