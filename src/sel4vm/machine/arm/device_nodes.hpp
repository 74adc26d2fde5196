// SPDX-License-Identifier: BSD-2-Clause
//
// How each part of the machine describes itself to the guest: one function per node, from the same record that puts the
// part on the bus. Bindings: Linux Documentation/devicetree/bindings, Devicetree Specification 0.4.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/ports/passed_device.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/machine/description.hpp>

namespace sel4vm::machine {

/// What nodes refer to each other by.
inline constexpr u32 kGicPhandle = 1;
inline constexpr u32 kClockPhandle = 2;
/// And those after it: one for each device.
inline constexpr u32 kFirstDevicePhandle = 3;
/// Of vCPUs and of caches, where a topology is described.
inline constexpr u32 kFirstCpuPhandle = 0x1000;
inline constexpr u32 kFirstCachePhandle = 0x2000;
/// Of clocks of devices of the machine: kClocksOfADevice for each.
inline constexpr u32 kFirstPassedClockPhandle = 0x3000;
inline constexpr u32 kClocksOfADevice = 4;
/// What an msi-map or msi-parent names, when the description has message-signalled interrupts.
inline constexpr u32 kMsiPhandle = kFirstDevicePhandle + kMaxDevices;
[[nodiscard]] constexpr u32 msi_phandle(const MsiRecord &msi) {
    return msi.kind == MsiKind::mbi ? kGicPhandle : kMsiPhandle;
}

/// The three cells of a GIC interrupt specifier.
enum class IrqSpace : u32 { shared = 0, private_ = 1 };
enum class IrqFlags : u32 { edge_rising = 1, level_high = 4 };

void write_cpu_nodes(boot::FdtWriter &out, const MachineDescription &vm);
/// Its `method` is the firmware's conduit.
[[nodiscard]] const char *psci_method(aarch64::Conduit firmware);
void write_psci_node(boot::FdtWriter &out, aarch64::Conduit firmware);
void write_memory_nodes(boot::FdtWriter &out, const MachineDescription &vm);
void write_timer_node(boot::FdtWriter &out, const MachineDescription &vm);
void write_pmu_node(boot::FdtWriter &out, const MachineDescription &vm);
/// #address-cells of the GIC's node, which names parts inside of it or none.
[[nodiscard]] u32 gic_address_cells(const MachineDescription &vm);
void write_gic_node(boot::FdtWriter &out, const MachineDescription &vm);
/// The fixed clock that PrimeCell devices name.
void write_flash_node(boot::FdtWriter &out, const FlashRecord &flash);
void write_fw_cfg_node(boot::FdtWriter &out);
void write_pci_node(boot::FdtWriter &out, const MachineDescription &vm); ///< pci_node.cpp
void write_clock_node(boot::FdtWriter &out);
/// With the nodes that its kind has beside it.
void write_device_node(boot::FdtWriter &out, const DeviceRecord &device, u32 phandle);

/// Of a device of the machine, number `index` of those that the VM has: a copy of its node in the host's tree, without what refers to other nodes. Its
/// clocks that are fixed ones are copied, too. (passed_nodes.cpp)
void write_passed_node(boot::FdtWriter &out, std::span<const u8> host_tree, std::string_view path,
                       const aarch64::PassedDevice &device, u32 index);

/// The absolute path of a device's node.
[[nodiscard]] Text<48> device_path(const DeviceRecord &device);

} // namespace sel4vm::machine
