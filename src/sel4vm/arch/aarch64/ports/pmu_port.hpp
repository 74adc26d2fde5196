// SPDX-License-Identifier: BSD-2-Clause
//
// The performance monitors of one vCPU, where a host lends the hardware's: their registers move with the vCPU, and count nothing while it does not run.
// A host makes accesses trap until a guest uses one, and whenever it has to know what becomes of the interrupt; then the VMM asks for them here. A VM
// whose guest is to have none simply never asks.
#pragma once

#include <sel4vm/arch/aarch64/ports/gic_port.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm::aarch64 {

/// Who is told of the wire of the counters' interrupt; on the vCPU's executor.
class PmuSink {
public:
    virtual void pmu_interrupt(Wire wire) = 0;

protected:
    ~PmuSink() = default;
};

/// Threads: on the vCPU's executor, between an exit of the vCPU and the answer to it; connect() while the VM is built.
class PmuPort {
public:
    virtual void connect(PmuSink &sink) = 0;
    /// By the architecture's packing (arch/aarch64/sysreg.hpp). Nothing: a guest finds no such register here.
    [[nodiscard]] virtual std::optional<u64> read_pmu(u32 id) = 0;
    /// False: the same.
    [[nodiscard]] virtual bool write_pmu(u32 id, u64 value) = 0;

protected:
    ~PmuPort() = default;
};

} // namespace sel4vm::aarch64
