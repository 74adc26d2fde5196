// SPDX-License-Identifier: BSD-2-Clause
//
// From a path or options to a system that is good: the steps that check, build and run share.
#pragma once

#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/images.hpp>
#include <apps/sel4vm/options.hpp>
#include <apps/sel4vm/system.hpp>

#include <memory>
#include <string>

namespace sel4vm::cli {

/// The system of a file; throws Failure when there is no such file.
[[nodiscard]] std::unique_ptr<System> read_system(const std::string &file, Mistakes &mistakes);

/// Prints the warnings, and ends with all mistakes, if there are any.
void require_none(Mistakes &mistakes);

} // namespace sel4vm::cli
