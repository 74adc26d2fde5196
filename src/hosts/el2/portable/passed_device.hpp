// SPDX-License-Identifier: BSD-2-Clause
//
// Finds a device that a VM is to be given in the machine's device tree, and judges whether it can be: what the host itself uses, and what it
// cannot pass through, it refuses with a sentence.
#pragma once

#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/arch/aarch64/ports/passed_device.hpp>

namespace sel4vm::el2 {

/// `platform` has been read from the same tree. The error's message names the node, but for one that is not there.
[[nodiscard]] Result<aarch64::PassedDevice, TreeError>
find_passed_device(const DeviceTree &tree, const PlatformInfo &platform, std::string_view path);

} // namespace sel4vm::el2
