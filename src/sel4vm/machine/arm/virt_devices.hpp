// SPDX-License-Identifier: BSD-2-Clause
//
// The table of the devices that a description of the `virt` machine can ask for by type. Only what looks kinds up by name refers to it; a
// program that names its kinds links no others.
//
// Threads: never changes.
#pragma once

#include <sel4vm/dev/device_kind.hpp>

namespace sel4vm::machine {

[[nodiscard]] dev::DeviceKinds virt_devices();

} // namespace sel4vm::machine
