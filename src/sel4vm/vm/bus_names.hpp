// SPDX-License-Identifier: BSD-2-Clause
//
// Which device is at an address of which VM, for people: traces and counters. Nothing of it is on the way of an exit; who does not ask for
// names does not pay for them.
//
// Threads: that of the VMs' executor.
#pragma once

#include <sel4vm/vm/executor.hpp>
#include <sel4vm/vm/vm.hpp>

#include <array>
#include <optional>

namespace sel4vm {

class BusNames {
public:
    struct Place {
        const char *name; ///< MmioDevice::name(), or "reservation"
        Gpa base;         ///< of the range that it was attached at
    };

    /// The VM outlives this, or is removed. One whose identifier is not below Executor::kMaxVms has no names.
    void add(Vm &vm) { set(vm.id(), &vm); }
    void remove(const Vm &vm) { set(vm.id(), nullptr); }
    /// No value: nothing is there but memory, or the VM is unknown.
    [[nodiscard]] std::optional<Place> find(VmId vm, Gpa at) const {
        if (vm.value() >= vms_.size() || vms_[vm.value()] == nullptr)
            return std::nullopt;
        const MapSlot *const slot = vms_[vm.value()]->map().search(at);
        if (slot == nullptr)
            return std::nullopt;
        return Place{slot->device != nullptr ? slot->device->name() : "reservation", slot->range.base()};
    }

private:
    void set(VmId id, Vm *vm) {
        if (id.value() < vms_.size())
            vms_[id.value()] = vm;
    }
    std::array<Vm *, Executor::kMaxVms> vms_{};
};

} // namespace sel4vm
