// SPDX-License-Identifier: BSD-2-Clause
//
// What a software GIC is built from. Addresses are not among it: the machine puts the frames where it wants them.
#pragma once

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm::dev {

using aarch64::GicVersion;

struct GicConfig {
    GicVersion version = GicVersion::v3;
    u32 vcpu_count = 1; ///< 1 to 8 (GICv2), 1 to 128 (GICv3)
    u32 spi_count = 32; ///< shared interrupts, INTID 32 and up; 0 to 988
    LockMode locks = LockMode::none;
    u32 timer_intid = aarch64::kTimerIntidVirtual; ///< the private interrupt that the forwarded virtual timer has
    u32 first_redistributors = ~u32{0}; ///< GICv3: as many lie side by side, the others at a place of their own
    bool lpis = false;                  ///< GICv3: locality-specific interrupts, for an ITS
    bool message_spis =
        false; ///< GICv3: shared interrupts can be raised by writes to the distributor (GICD_TYPER.MBIS)
};

enum class GicError : u8 {
    vcpu_count,     ///< 0, or more than the version can have
    spi_count,      ///< more than 988
    intid_range,    ///< the host cannot deliver the highest INTID
    list_registers, ///< the host has none, or more than 16
    abilities,      ///< the host's vCPUs differ in what they can do
    lpis,           ///< the host cannot deliver them
    out_of_memory,
};

} // namespace sel4vm::dev
