// SPDX-License-Identifier: BSD-2-Clause
//
// The tool's commands. Each returns the exit status or throws Failure.
#pragma once

#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/options.hpp>

namespace sel4vm::cli {

[[nodiscard]] ExitStatus check(const CheckOptions &options);
[[nodiscard]] ExitStatus build(const BuildOptions &options);
[[nodiscard]] ExitStatus run(const RunOptions &options);
[[nodiscard]] ExitStatus inspect(const InspectOptions &options);

} // namespace sel4vm::cli
