// SPDX-License-Identifier: BSD-2-Clause
//
// Whether the images of a VM are what they are said to be and fit into its memory, as the machine itself will find when
// it starts: the same functions of the library judge here.
#pragma once

#include <apps/sel4vm/images.hpp>

#include <optional>

namespace sel4vm::cli {

/// Bytes, in whole MiB, that the first region of the VM's memory needs at least so that all has a place; nothing when no size helps.
[[nodiscard]] std::optional<u64> least_memory(const machine::MachineDescription &vm, const LoadedImages &images);

/// For a VM whose description is valid.
void judge_placement(const System &system, usize vm_index, const LoadedImages &images, Mistakes &mistakes);

} // namespace sel4vm::cli
