// SPDX-License-Identifier: BSD-2-Clause
//
// The [[shared]] tables of a system file, read into the descriptions of the VMs that they name.
#pragma once

#include <apps/sel4vm/system.hpp>
#include <apps/sel4vm/toml_reader.hpp>

namespace sel4vm::cli {

/// `root`: the whole file, whose VMs are read.
void read_shared(TomlReader &root, System &system, Mistakes &mistakes);

} // namespace sel4vm::cli
