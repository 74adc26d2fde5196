// SPDX-License-Identifier: BSD-2-Clause
//
// Registers of a device that a driver in the VMM has. Whoever makes one maps them first (HostMap).
#pragma once

#include <hosts/el2/lib/mmio.hpp>
#include <hosts/el2/lib/sysreg.hpp>

#include <sel4vm/host/device_registers.hpp>

namespace sel4vm::el2 {

class MmioRegisters final : public DeviceRegisters {
public:
    explicit MmioRegisters(HostPhys base) : registers_(base) {}
    [[nodiscard]] u8 read8(u32 offset) override { return registers_.read8(offset); }
    [[nodiscard]] u32 read32(u32 offset) override {
        const u32 value = registers_.read32(offset);
        dsb_sy(); // what is read of memory afterwards is not older
        return value;
    }
    void write32(u32 offset, u32 value) override {
        dsb_sy();
        registers_.write32(offset, value);
    }

private:
    Mmio registers_;
};

} // namespace sel4vm::el2
