// SPDX-License-Identifier: BSD-2-Clause
//
// The CPU identification registers that HCR_EL2.TID3 traps (op0 3, op1 0, CRn 0, CRm 1 to 7): the host's values through the
// allow-list of arch/aarch64/id_registers.hpp. Registers that the host does not tell, or that are reserved, read as zero; writes
// are undefined, as architected.
//
// Threads: calls of several vCPUs may run at once; the object itself never changes.
#pragma once

#include <sel4vm/arch/aarch64/id_registers.hpp>
#include <sel4vm/vm/call_tables.hpp>

namespace sel4vm::dev {

class IdRegisters final : public SystemRegisterHandler {
public:
    explicit IdRegisters(aarch64::GicVersion gic, aarch64::GuestPmu pmu = aarch64::GuestPmu::hidden)
        : gic_(gic), pmu_(pmu) {}

    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);

    [[nodiscard]] const char *name() const override { return "ID registers"; }
    [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
    [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;

private:
    aarch64::GicVersion gic_;
    aarch64::GuestPmu pmu_;
};

} // namespace sel4vm::dev
