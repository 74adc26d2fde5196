// SPDX-License-Identifier: BSD-2-Clause
//
// Makes what the VMM wrote through a window visible to a guest that runs with its caches off, and to its instruction
// fetches: by the CPU's own instructions where the kernel lets user code execute them, by kernel calls otherwise.
#pragma once

#include <hosts/sel4/ram.hpp>

namespace sel4vm::sel4 {

void clean_window(RamBacking &backing, u64 offset, u64 size_bytes);

/// Fills it with zeroes, visible likewise.
void clear_window(RamBacking &backing);

} // namespace sel4vm::sel4
