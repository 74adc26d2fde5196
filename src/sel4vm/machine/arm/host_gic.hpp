// SPDX-License-Identifier: BSD-2-Clause
//
// A host's own interrupt controller as the router that devices and clients know. It tells no ends of interrupts, and pends none without
// a wire.
#pragma once

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/ports/gic_port.hpp>
#include <sel4vm/vm/irq.hpp>

namespace sel4vm::machine {

class HostGic final : public IrqRouter {
public:
    /// `port` outlives it.
    HostGic(aarch64::GicPort &port, u32 spi_count) : port_(port), limit_(aarch64::kFirstSpi + spi_count) {}

    [[nodiscard]] bool has(u32 intid) const override { return intid < limit_; }
    void set_level(u32 intid, Level level) override { port_.set_wire(intid, wire_of(level)); }
    void set_private_level(VcpuId vcpu, u32 intid, Level level) override {
        port_.set_private_wire(vcpu, intid, wire_of(level));
    }
    [[nodiscard]] bool inject(VcpuId, u32) override { return false; }
    [[nodiscard]] bool set_eoi_listener(u32, EoiListener *) override { return false; }
    void reset() override { port_.reset(); }

private:
    static constexpr aarch64::Wire wire_of(Level level) {
        return level == Level::high ? aarch64::Wire::high : aarch64::Wire::low;
    }
    aarch64::GicPort &port_;
    u32 limit_;
};

} // namespace sel4vm::machine
