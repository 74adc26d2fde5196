// SPDX-License-Identifier: BSD-2-Clause
//
// Descriptions that are right, for tests to break.
#pragma once

#include <sel4vm/machine/description.hpp>

namespace sel4vm::test {

/// The default board with 256 MiB and a kernel of 1 MiB in blob 0.
inline machine::MachineDescription good_vm(std::string_view name = "guest") {
    machine::MachineDescription vm;
    vm.name = name;
    (void)vm.memory.emplace_back(machine::MemoryRegion{Gpa{0x4000'0000}, 256 * kMiB, machine::RamKind::eager});
    (void)vm.devices.emplace_back(machine::default_uart());
    (void)vm.devices.emplace_back(machine::default_rtc());
    machine::ImageRecord kernel;
    kernel.size_bytes = kMiB;
    kernel.source = "Image";
    (void)vm.images.emplace_back(kernel);
    vm.cmdline = "console=ttyAMA0";
    return vm;
}

inline machine::SystemDescription good_system() {
    machine::SystemDescription system;
    (void)system.vms.emplace_back(good_vm());
    return system;
}

} // namespace sel4vm::test
