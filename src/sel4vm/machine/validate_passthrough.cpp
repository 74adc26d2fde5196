// SPDX-License-Identifier: BSD-2-Clause
//
// What can be told without the machine about devices and memory of it that VMs are given. Whether there is such a device, and whether
// the memory is there and free, only the host knows.
#include <sel4vm/machine/validation_report.hpp>

#include <sel4vm/base/range.hpp>

namespace sel4vm::machine {
namespace {

using Key = ValidationReport::Key;

Key key_of(usize vm, std::string_view list, usize index, std::string_view field) {
    Key key;
    key << "vm[" << u64{vm} << "]." << list << "[" << u64{index} << "]." << field;
    return key;
}

/// An absolute path whose parts are not empty, of printable characters.
bool is_node_path(std::string_view path) {
    if (path.size() < 2 || path.size() > kMaxNodePathBytes || path.front() != '/' || path.back() == '/')
        return false;
    for (usize i = 0; i < path.size(); ++i)
        if (path[i] <= ' ' || path[i] > '~' || (path[i] == '/' && path[i + 1] == '/'))
            return false;
    return true;
}

class Check {
public:
    Check(const SystemDescription &system, ValidationReport &report) : system_(system), report_(report) {}

    void run() {
        for (usize vm = 0; vm < system_.vms.size(); ++vm) {
            for (usize i = 0; i < system_.vms[vm].passthrough.size(); ++i)
                check_node(vm, i);
            for (usize i = 0; i < system_.vms[vm].memory.size(); ++i)
                check_memory(vm, i);
        }
    }

private:
    void check_node(usize vm, usize index) {
        const std::string_view node = system_.vms[vm].passthrough[index].node;
        const Key key = key_of(vm, "passthrough", index, "node");
        if (!is_node_path(node)) {
            report_.add(key, node, "the path of a device in the host's device tree, such as /virtio_mmio@a003e00");
            return;
        }
        for (usize other = 0; other <= vm; ++other) {
            const auto &devices = system_.vms[other].passthrough;
            for (usize j = 0; j < (other == vm ? index : devices.size()); ++j) {
                if (devices[j].node != node)
                    continue;
                const Key first = key_of(other, "passthrough", j, "node");
                report_.add(key, node, "a device that nothing else is given: ", first.view(), " names it").other =
                    first;
                return;
            }
        }
    }

    void check_memory(usize vm, usize index) {
        const MemoryRegion &region = system_.vms[vm].memory[index];
        if (!region.one_to_one)
            return;
        if (region.kind == RamKind::demand)
            report_.add(key_of(vm, "memory", index, "one_to_one"), "true",
                        "memory of kind eager: a device cannot wait for a first touch");
        const auto range = GpaRange::make(region.base, region.size_bytes);
        if (!range)
            return; // reported with its VM
        for (usize other = 0; other < vm; ++other) {
            const auto &regions = system_.vms[other].memory;
            for (usize j = 0; j < regions.size(); ++j) {
                const auto taken = GpaRange::make(regions[j].base, regions[j].size_bytes);
                if (regions[j].one_to_one && taken && taken->overlaps(*range)) {
                    add_overlap(vm, index, other, j);
                    return;
                }
            }
        }
    }

    void add_overlap(usize vm, usize index, usize other, usize other_index) {
        const MemoryRegion &region = system_.vms[vm].memory[index];
        const MemoryRegion &first = system_.vms[other].memory[other_index];
        const Key other_key = key_of(other, "memory", other_index, "base");
        Problem &problem =
            report_.add(key_of(vm, "memory", index, "base"), region.base, "no overlap with ", other_key.view(), " (",
                        Size{first.size_bytes}, " from ", first.base, " on), which is one to one, too");
        problem.other = other_key;
        problem.range = {region.base, region.size_bytes};
        problem.other_range = {first.base, first.size_bytes};
    }

    const SystemDescription &system_;
    ValidationReport &report_;
};

} // namespace

void check_passthrough(const SystemDescription &system, ValidationReport &report) { Check(system, report).run(); }

} // namespace sel4vm::machine
