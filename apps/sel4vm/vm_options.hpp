// SPDX-License-Identifier: BSD-2-Clause
//
// The options of `sel4vm run` applied to a system: to a new one with a single VM, or to the only VM of a file.
#pragma once

#include <apps/sel4vm/options.hpp>
#include <apps/sel4vm/system.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace sel4vm::cli {

/// A system of one VM as the options describe it, with defaults for the rest.
[[nodiscard]] std::unique_ptr<System> system_from_options(const RunOptions &options, Mistakes &mistakes);

/// Changes what a file said.
void apply_options(const RunOptions &options, System &system, Mistakes &mistakes);

/// --timeout as a time.
[[nodiscard]] std::optional<std::chrono::milliseconds> time_limit(const RunOptions &options, Mistakes &mistakes);

} // namespace sel4vm::cli
