// SPDX-License-Identifier: BSD-2-Clause
//
// The tables of a system file's keys as a JSON Schema (draft 7), for editors: `sel4vm schema`.
#pragma once

#include <string>

namespace sel4vm::cli {

[[nodiscard]] std::string system_file_schema();

} // namespace sel4vm::cli
