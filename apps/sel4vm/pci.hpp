// SPDX-License-Identifier: BSD-2-Clause
//
// PCI in system files and options: which devices are on the bus, in which slots, and what a VM with a bus has besides.
#pragma once

#include <apps/sel4vm/system.hpp>
#include <apps/sel4vm/toml_reader.hpp>

namespace sel4vm::cli {

/// The slot of a function whose slot nobody has said: finish_pci() chooses one.
inline constexpr u8 kAnySlot = 0;

/// `transport` and `slot` of a device: `record` is on PCI when it says so. `key` is that of the device.
void read_transport(TomlReader &table, const std::string &key, System &system, machine::DeviceRecord &record,
                    Mistakes &mistakes);

/// Once all devices of a VM are known, and again after more were added: slots for those without one, the bus, and the target of messages that goes with
/// its GIC where none was asked for.
void finish_pci(System &system, usize vm);

} // namespace sel4vm::cli
