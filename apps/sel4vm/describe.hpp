// SPDX-License-Identifier: BSD-2-Clause
//
// A system in words, as `sel4vm inspect` and `sel4vm check` print it.
#pragma once

#include <sel4vm/machine/description.hpp>

#include <string>

namespace sel4vm::cli {

[[nodiscard]] std::string describe(const machine::SystemDescription &system);

} // namespace sel4vm::cli
