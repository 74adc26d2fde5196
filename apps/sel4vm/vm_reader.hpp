// SPDX-License-Identifier: BSD-2-Clause
//
// One [[vm]] table of a system file, read into a machine description. What it says and where is noted in the System.
#pragma once

#include <apps/sel4vm/system.hpp>
#include <apps/sel4vm/toml_reader.hpp>

#include <filesystem>

namespace sel4vm::cli {

/// Adds a VM to the system's description. Paths are relative to `folder`.
void read_vm(TomlReader &table, const std::filesystem::path &folder, System &system, Mistakes &mistakes);

/// [[vm.passthrough]] of VM `index`. (passthrough_reader.cpp)
void read_passthrough(TomlReader &vm, System &system, usize index, Mistakes &mistakes);

/// `topology` and `timer` of VM `index`. (cpu_reader.cpp)
void read_topology(TomlReader &vm, System &system, usize index);
void read_timer(TomlReader &vm, System &system, usize index);

/// `firmware` and `flash` of VM `index`. (firmware_reader.cpp)
void read_firmware(TomlReader &vm, const std::filesystem::path &folder, System &system, usize index,
                   Mistakes &mistakes);

/// An enumerator by its name.
template <class Enum>
void choose(TomlReader &table, std::string_view key, Enum &out) {
    if (const auto index = table.choice(key))
        out = static_cast<Enum>(index->value);
}

/// Notes where the value of `description_key` was written, or that what was written is none.
void note(const TomlReader &table, std::string_view key, System &system, const std::string &description_key);

} // namespace sel4vm::cli
