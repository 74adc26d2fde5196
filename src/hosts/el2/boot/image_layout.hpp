// SPDX-License-Identifier: BSD-2-Clause
//
// Where the parts of this image are, as the linker script names them.
#pragma once

#include <sel4vm/base/range.hpp>

extern "C" {
// Addresses only: the linker defines them, nothing is stored there.
extern const char __image_start[], __rodata_start[], __data_start[], __image_end[];
extern const char __early_tables[], __early_tables_end[], __panic_stack_top[], __stack_guard[], __stack_bottom[],
    __stack_top[];
}

namespace sel4vm::el2 {

[[nodiscard]] inline u64 address_of_symbol(const char *symbol) { return reinterpret_cast<uptr>(symbol); }
[[nodiscard]] inline HostPhysRange between_symbols(const char *first, const char *end) {
    return *HostPhysRange::make(HostPhys{address_of_symbol(first)}, static_cast<u64>(end - first));
}

} // namespace sel4vm::el2
