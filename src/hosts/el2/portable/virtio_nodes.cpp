// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/virtio_nodes.hpp>

#include <array>

namespace sel4vm::el2 {

namespace {
constexpr std::array kCompatible{"virtio,mmio"};
constexpr u64 kRegisterBytes = 0x200; ///< Virtio 1.2, 4.2.2: 0x100, and a configuration behind them
constexpr u32 kFirstSpi = 32;
} // namespace

std::optional<VirtioNode> next_virtio_node(const DeviceTree &tree, std::optional<DeviceTree::Node> previous) {
    const auto gic = PlatformInfo::gic_node(tree);
    for (auto node = tree.find_compatible(kCompatible, previous); node && gic;
         node = tree.find_compatible(kCompatible, node)) {
        const auto registers = tree.reg(*node, 0);
        const auto irq = PlatformInfo::to_irq(tree.interrupt(*node, 0, *gic));
        if (registers && *registers && (*registers)->size() >= kRegisterBytes && irq && irq->intid >= kFirstSpi &&
            tree.has(*node, "dma-coherent"))
            return VirtioNode{*node, **registers, *irq};
    }
    return std::nullopt;
}

} // namespace sel4vm::el2
