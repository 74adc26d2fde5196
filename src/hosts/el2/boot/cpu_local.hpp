// SPDX-License-Identifier: BSD-2-Clause
//
// What TPIDR_EL2 points to: the data of one physical CPU (TPIDR_EL1 when started at EL1, to say that this is wrong). The only way from assembly and from panic() to the host's
// objects, in place of global variables. Offsets are used by assembly.
#pragma once

#include <hosts/el2/lib/sysreg.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/types.hpp>

#include <cstddef>

namespace sel4vm::el2 {

class Gic;
class PanicPrinter;

/// As device trees and PSCI name CPUs.
[[nodiscard]] inline u64 affinity_of_this_cpu() { return SEL4VM_READ_SYSREG(mpidr_el1) & aarch64::kMpidrAffinityMask; }

struct CpuLocal {
    PanicPrinter *printer = nullptr; ///< where a panic goes; nullptr before the console is known
    u64 stack_top = 0;               ///< of this CPU's host stack
    u64 stack_limit = 0;             ///< lowest usable byte; the guard page is below
    void *program = nullptr;         ///< of capi/: what a C program's library calls work on
    u64 sctlr_el1 = 0;               ///< as the CPU came to this host
    u64 panic_stack_top = 0;         ///< of this CPU's stack for panics
    const Gic *gic = nullptr;        ///< this CPU's; nullptr before it is there

    /// The same, where no other exception level is possible.
    static CpuLocal *current_at_el2() { return reinterpret_cast<CpuLocal *>(SEL4VM_READ_SYSREG(tpidr_el2)); }
    static CpuLocal *current() {
        const u64 at = at_el2() ? SEL4VM_READ_SYSREG(tpidr_el2) : SEL4VM_READ_SYSREG(tpidr_el1);
        return reinterpret_cast<CpuLocal *>(at);
    }
    static void set_current(CpuLocal &local) {
        const u64 at = reinterpret_cast<uptr>(&local);
        if (at_el2())
            SEL4VM_WRITE_SYSREG(tpidr_el2, at);
        else
            SEL4VM_WRITE_SYSREG(tpidr_el1, at);
    }
};
static_assert(offsetof(CpuLocal, panic_stack_top) == 40);

} // namespace sel4vm::el2
