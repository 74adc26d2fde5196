// SPDX-License-Identifier: BSD-2-Clause
//
// How shared memory describes itself to a guest: docs/shared-memory.md has the bindings, which are ours.
#pragma once

#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/machine/description.hpp>

namespace sel4vm::machine {

/// The first of the memories' phandles.
inline constexpr u32 kFirstSharedPhandle = 0x3000;

/// /reserved-memory with each memory, and a node for each doorbell; nothing without any.
void write_shared_nodes(boot::FdtWriter &out, const MachineDescription &vm);

} // namespace sel4vm::machine
