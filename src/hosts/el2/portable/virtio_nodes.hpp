// SPDX-License-Identifier: BSD-2-Clause
//
// The slots for virtio devices over MMIO that the machine's device tree names. Whether a device is in one, only its registers tell.
#pragma once

#include <hosts/el2/portable/platform_info.hpp>

namespace sel4vm::el2 {

struct VirtioNode {
    DeviceTree::Node node;
    HostPhysRange registers;
    IrqInfo irq; ///< a shared one
};

/// The first after `previous`, or of the tree, that this host can drive: it has registers and an interrupt, and sees what caches hold.
[[nodiscard]] std::optional<VirtioNode> next_virtio_node(const DeviceTree &tree,
                                                         std::optional<DeviceTree::Node> previous = std::nullopt);

} // namespace sel4vm::el2
