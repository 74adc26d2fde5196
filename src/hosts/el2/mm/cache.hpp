// SPDX-License-Identifier: BSD-2-Clause
//
// Cache maintenance. "By address" reaches every cache of the system up to the point of coherency; "by set and way" only the
// caches of the calling CPU, which is enough before anything else runs.
#pragma once

#include <hosts/el2/lib/sysreg.hpp>

#include <sel4vm/base/types.hpp>

namespace sel4vm::el2 {

/// Writes dirty lines back: memory then holds what the CPU sees.
void clean_to_memory(u64 base, u64 size_bytes);
/// Writes dirty lines back and drops all lines.
void clean_and_drop(u64 base, u64 size_bytes);
/// Drops lines without writing them back: right only when memory is newer.
void drop(u64 base, u64 size_bytes);
/// Cleans and drops everything in the data caches of this CPU. Only while its caches are off.
void clean_and_drop_all();
/// Instruction fetches see what memory holds, on all CPUs.
void drop_instructions();

/// Fills with zeros, without reading. 64-byte aligned. Uses SIMD registers and leaves them as they were.
void clear_memory(u64 base, u64 size_bytes);

} // namespace sel4vm::el2
