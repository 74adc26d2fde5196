// SPDX-License-Identifier: BSD-2-Clause
//
// What a guest can see of its GIC, as one plain struct: what Gic::save() fills and Gic::restore() takes. It says the same for a host with list
// registers that can be read back and for one without, and goes from one to the other: what a list register holds is pending or active here.
//
// Deliberately not in it:
// - wires: who drives one does so again. Devices are restored first, the GIC after them;
// - the virtual timer and the active priorities of the CPU interface, which are registers of the vCPU at its host;
// - who listens for the ends of interrupts.
#pragma once

#include <sel4vm/dev/arm/gic/irq_state.hpp>

#include <array>
#include <type_traits>

namespace sel4vm::dev {

/// 32 interrupts, a bit or a byte each.
struct GicIrqState {
    u32 enabled = 0;
    u32 group1 = 0;
    u32 edge = 0;
    u32 pending = 0; ///< latched; apart from the wire of a level-sensitive one
    u32 active = 0;
    std::array<u8, kIrqsPerWord> priority{};
    friend bool operator==(const GicIrqState &, const GicIrqState &) = default;
};

struct GicCpuState {
    GicIrqState irqs;                        ///< INTID 0 to 31
    std::array<u8, kSgiCount> sgi_sources{}; ///< GICv2: the sending CPUs of each pending SGI
    u32 awake = 0;                           ///< GICv3: GICR_WAKER.ProcessorSleep is clear
    u32 interface_known = 0;                 ///< whether the host told the next; else the restored one keeps its own
    u32 interface_control = 0;               ///< ListRegisterPort::interface_control()
    friend bool operator==(const GicCpuState &, const GicCpuState &) = default;
};

struct GicSharedState {
    GicIrqState irqs;
    u32 any_cpu = 0;                        ///< GICv3: GICD_IROUTER.Interrupt_Routing_Mode
    u32 messages = 0;                       ///< GICv3: level-sensitive ones between GICD_SETSPI and CLRSPI
    std::array<u32, kIrqsPerWord> routes{}; ///< GICv2: masks of CPUs; GICv3: affinities
    friend bool operator==(const GicSharedState &, const GicSharedState &) = default;
};

/// About 16 KiB: not for the stack of a target. What a GIC does not have is zero.
struct GicState {
    u32 forwarded_groups = 0; ///< bit 0 group 0, bit 1 group 1
    std::array<GicCpuState, kMaxGicCpus> cpus{};
    std::array<GicSharedState, kMaxIrqWords - 1> shared{}; ///< [0] from INTID 32 on
    friend bool operator==(const GicState &, const GicState &) = default;
};
static_assert(std::is_trivially_copyable_v<GicState> && std::has_unique_object_representations_v<GicState>);

} // namespace sel4vm::dev
