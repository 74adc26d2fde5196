// SPDX-License-Identifier: BSD-2-Clause
//
// [[vm.passthrough]]: devices of the machine. What they can do to it is said once for each VM.
#include <apps/sel4vm/text.hpp>
#include <apps/sel4vm/vm_reader.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace sel4vm::cli {
namespace {

std::string node_key(usize vm, usize index) { return fmt::format("vm[{}].passthrough[{}].node", vm, index); }

/// Where this device was given away already, for people; empty when it was not.
std::string owner_of(const System &system, std::string_view node) {
    for (usize vm = 0; vm < system.description.vms.size(); ++vm) {
        const auto &devices = system.description.vms[vm].passthrough;
        for (usize i = 0; i < devices.size(); ++i) {
            if (devices[i].node != node)
                continue;
            const Origin *at = system.written(node_key(vm, i));
            return fmt::format("VM '{}' has it{}", system.description.vms[vm].name,
                               at != nullptr ? fmt::format(", by line {}", at->line) : "");
        }
    }
    return {};
}

/// A device without an IOMMU in front of it is as trusted as the host.
void warn_of_dma(const System &system, usize index, const Origin &at, Mistakes &mistakes) {
    const auto &memory = system.description.vms[index].memory;
    const bool reachable = std::any_of(memory.begin(), memory.end(),
                                       [](const machine::MemoryRegion &region) { return region.one_to_one; });
    mistakes.warn(at,
                  fmt::format("if this device does DMA, its VM can read and write all memory of the machine: no IOMMU "
                              "holds it back{}",
                              reachable ? ""
                                        : "; and its DMA goes elsewhere than the VM means, since none of the VM's "
                                          "memory has one_to_one = true"));
}

} // namespace

void read_passthrough(TomlReader &vm, System &system, usize index, Mistakes &mistakes) {
    auto &devices = system.description.vms[index].passthrough;
    for (TomlReader &table : vm.tables("passthrough")) {
        const auto node = table.text("node");
        if (!node)
            continue;
        if (const std::string owner = owner_of(system, node->value); !owner.empty()) {
            mistakes.expected(node->origin, fmt::format("a device that nothing else is given: {}", owner));
            continue;
        }
        if (devices.empty())
            warn_of_dma(system, index, node->origin, mistakes);
        system.said(node_key(index, devices.size()), node->origin);
        static_cast<void>(devices.emplace_back(machine::PassthroughRecord{system.keep(node->value)}));
    }
}

} // namespace sel4vm::cli
