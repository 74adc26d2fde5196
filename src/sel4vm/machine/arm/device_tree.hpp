// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's device tree: generated from the same records that build the bus, or a user's own tree with memory and
// /chosen filled in. Uses libfdt, so on the target only before the first guest runs.
#pragma once

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/ports/passed_device.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/machine/description.hpp>

#include <optional>
#include <span>

namespace sel4vm::machine {

/// A buffer of this size holds any generated tree.
inline constexpr usize kDeviceTreeBufferBytes = 64 * 1024;

inline constexpr usize kRngSeedBytes = 32;
inline constexpr usize kKaslrSeedBytes = 8;

struct DeviceTreeInputs {
    std::optional<GpaRange> initrd;
    /// Fills /chosen rng-seed and kaslr-seed; without one, or when it has none, they are left out.
    Entropy *entropy = nullptr;
    /// The instruction by which the guest is told to call its firmware.
    aarch64::Conduit firmware = aarch64::Conduit::hvc;
    /// Devices of the machine, as MachineDescription::passthrough names them, and the tree that they are in; of a generated tree.
    std::span<const aarch64::PassedDevice> passed{};
    std::span<const u8> host_tree{};
    bool pmu = false; ///< the guest has performance monitors
};

/// The generated tree, inside `buffer` (8-byte aligned).
[[nodiscard]] Result<std::span<u8>, boot::FdtError>
write_device_tree(const MachineDescription &vm, const DeviceTreeInputs &inputs, std::span<u8> buffer);

/// A user's tree (8-byte aligned), checked, with /memory and /chosen as the description says, inside `buffer`, which has
/// room for the tree and kDeviceTreeBufferBytes more. Its own /psci stays, but says smc where the inputs do: an hvc may be the host's call there.
[[nodiscard]] Result<std::span<u8>, boot::FdtError> adapt_device_tree(std::span<const u8> tree,
                                                                      const MachineDescription &vm,
                                                                      const DeviceTreeInputs &inputs,
                                                                      std::span<u8> buffer);

/// The seeds inside a tree made here, so that each start of the guest can have fresh ones without libfdt.
[[nodiscard]] FixedVector<std::span<u8>, 2> find_seeds(std::span<u8> tree);

} // namespace sel4vm::machine
