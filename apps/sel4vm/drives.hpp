// SPDX-License-Identifier: BSD-2-Clause
//
// Files that are disks of the machine: those to which guests' writes go, and those in a format that QEMU alone reads.
#pragma once

#include <apps/sel4vm/system.hpp>

namespace sel4vm::cli {

/// Whether a file is in QEMU's own format, by its contents.
[[nodiscard]] bool is_qcow2(const std::filesystem::path &path);

/// A new disk of the machine for `record`, which it names. Says what is wrong with the file.
void add_drive(System &system, machine::DeviceRecord &record, MachineDrive drive, Mistakes &mistakes);

/// Mistakes for all of them: `why` they cannot be had.
void refuse_drives(const System &system, Mistakes &mistakes, const std::string &why);

} // namespace sel4vm::cli
