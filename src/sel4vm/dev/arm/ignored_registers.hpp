// SPDX-License-Identifier: BSD-2-Clause
//
// System registers and instructions that a host may trap and that do nothing for a guest here: reads give zero, writes are
// ignored.
// - ACTLR_EL1 and the implementation-defined registers (op0 3, CRn 11 and 15): the guest sees the MIDR of a core that has some,
//   so firmware for that core may write its own; undefined would be wrong, and none of them means anything inside a VM.
// - DC ISW, CSW, CISW: cache maintenance by set and way works on the caches of one physical CPU, and a vCPU has none of its own; the
//   architecture tells software to use addresses for coherency. A host that traps them must be one where the guest's memory
//   is coherent without (the guest and the VMM share cacheable memory); one where guests clean caches that way before they
//   turn their MMU off should let them run on the hardware instead.
// Limited ordering regions and error records are not here on purpose: the ID registers say that there are none, so their
// registers are undefined.
//
// Threads: calls of several vCPUs may run at once; the object has no state.
#pragma once

#include <sel4vm/vm/call_tables.hpp>

namespace sel4vm::dev {

class IgnoredRegisters final : public SystemRegisterHandler {
public:
    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);

    [[nodiscard]] const char *name() const override { return "ignored registers"; }
    [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
    [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
};

} // namespace sel4vm::dev
