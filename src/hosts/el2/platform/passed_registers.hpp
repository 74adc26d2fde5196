// SPDX-License-Identifier: BSD-2-Clause
//
// Registers of devices that VMs are given and that are in a page with others'. Whoever passes such a device maps its registers first (HostMap).
#pragma once

#include <hosts/el2/lib/mmio.hpp>

#include <sel4vm/arch/aarch64/ports/passed_device.hpp>

namespace sel4vm::el2 {

class PassedRegisters final : public aarch64::PassedRegisterPort {
public:
    [[nodiscard]] u64 read(HostPhys at, Width width) override {
        const Mmio place(at);
        switch (width) {
        case Width::b1: return place.read8(0);
        case Width::b2: return place.read16(0);
        case Width::b4: return place.read32(0);
        case Width::b8: break;
        }
        return place.read64(0);
    }
    void write(HostPhys at, Width width, u64 value) override {
        const Mmio place(at);
        switch (width) {
        case Width::b1: return place.write8(0, static_cast<u8>(value));
        case Width::b2: return place.write16(0, static_cast<u16>(value));
        case Width::b4: return place.write32(0, static_cast<u32>(value));
        case Width::b8: break;
        }
        place.write64(0, value);
    }
};

} // namespace sel4vm::el2
