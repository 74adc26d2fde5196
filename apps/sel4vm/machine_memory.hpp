// SPDX-License-Identifier: BSD-2-Clause
//
// How much memory the machine of `sel4vm run` has: enough for its VMs, their files and the host, and no more than QEMU gives.
#pragma once

#include <apps/sel4vm/images.hpp>

namespace sel4vm::cli {

/// For a machine with the host program: `check` and `build` judge by it, too, although they start none.
void judge_machine_memory(const System &system, const LoadedImages &images, Mistakes &mistakes);

/// What the machine gets when nobody says it. `image_bytes`: of the host program with its bundle.
[[nodiscard]] u64 machine_memory_bytes(const System &system, u64 image_bytes);

} // namespace sel4vm::cli
