// SPDX-License-Identifier: BSD-2-Clause
//
// What the software GIC has told the hardware about the interrupts that a guest has of it. What the guest made of them is in the
// state of the interrupt machine like everything else.
#pragma once

#include <sel4vm/arch/aarch64/ports/physical_irq_port.hpp>
#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/dev/arm/gic/irq_state.hpp>

namespace sel4vm::dev {

/// How the end of an interrupt came about.
enum class EndedBy : u8 {
    software, ///< the hardware's is active still, if it was
    link,     ///< a linked list register has ended the hardware's, too
};

/// Of 32 shared interrupts.
struct PhysicalWord {
    u32 edge_at_reset = 0; ///< as the hardware is wired
    u32 enabled = 0;
    u32 edge = 0;
    std::array<u8, kIrqsPerWord> target{};
};

struct PhysicalIrqs {
    aarch64::PhysicalIrqPort *port = nullptr;
    OwnedArray<PhysicalWord> words; ///< as IrqMachine::shared()
    [[nodiscard]] bool exist() const { return port != nullptr; }
};

} // namespace sel4vm::dev
