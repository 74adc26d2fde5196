// SPDX-License-Identifier: BSD-2-Clause
//
// The version of the tool, which is the project's, from CMake.
#pragma once

namespace sel4vm::cli {

inline constexpr const char *kVersion = SEL4VM_VERSION;

} // namespace sel4vm::cli
