// SPDX-License-Identifier: BSD-2-Clause
//
// Places for shared memory, doorbells and their interrupts that a description leaves open. The same in each run: the first that is free,
// of the memory from 32 GiB on in steps of 2 MiB, of the doorbells from 0x0b00'0000 on, of the interrupts from the highest down.
#pragma once

#include <sel4vm/machine/description.hpp>

namespace sel4vm::machine {

inline constexpr Gpa kSharedMemoryFrom{0x8'0000'0000};
inline constexpr Gpa kDoorbellsFrom{0x0b00'0000};

/// Gives each record of vm.shared the values that it lacks. What has no free place keeps none; validate() says so.
void place_shared(MachineDescription &vm);

} // namespace sel4vm::machine
