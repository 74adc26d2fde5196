// SPDX-License-Identifier: BSD-2-Clause
//
// Performance monitors that a host lends to its guests (arch/aarch64/ports/pmu_port.hpp): accesses that trap, and the wire of the overflow
// interrupt, a private one of each vCPU. Deliberately no counters in software: a guest has what the hardware has.
//
// Threads: a vCPU's registers and its wire on its executor.
#pragma once

#include <sel4vm/arch/aarch64/ports/pmu_port.hpp>
#include <sel4vm/base/object_vector.hpp>
#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::dev {

/// The interrupt as the `virt` board has it (PPI 7).
inline constexpr u32 kPmuIntid = 23;

class Pmu final : public SystemRegisterHandler {
public:
    /// Both outlive it.
    Pmu(IrqRouter &irqs, Allocator &allocator) : irqs_(irqs), channels_(allocator) {}
    Pmu(const Pmu &) = delete;
    Pmu &operator=(const Pmu &) = delete;

    /// Of the next vCPU, 0 first; outlives it. False: there is no memory.
    [[nodiscard]] bool add_vcpu(aarch64::PmuPort &port);
    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);

    [[nodiscard]] const char *name() const override { return "performance monitors"; }
    [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
    [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
    void reset_vcpu(Vcpu &vcpu) override;

private:
    struct Channel final : aarch64::PmuSink {
        Channel(IrqRouter &router, VcpuId its_id, aarch64::PmuPort &its_port)
            : irqs(router), id(its_id), port(its_port) {
            port.connect(*this);
        }
        void pmu_interrupt(aarch64::Wire wire) override {
            irqs.set_private_level(id, kPmuIntid, level_of(wire == aarch64::Wire::high));
        }

        IrqRouter &irqs;
        VcpuId id;
        aarch64::PmuPort &port;
    };

    IrqRouter &irqs_;
    ObjectVector<Channel, Vm::kMaxVcpus> channels_;
};

} // namespace sel4vm::dev
