// SPDX-License-Identifier: BSD-2-Clause
#include <apps/vmm/passthrough.hpp>

#include <hosts/el2/portable/passed_device.hpp>
#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::vmm {

namespace {

HostPhysRange pages_of(HostPhysRange range) {
    const u64 base = align_down(range.base().value(), kPageBytes);
    return *HostPhysRange::make(HostPhys{base}, *align_up(range.end().value(), kPageBytes) - base);
}

bool share_something(const aarch64::PassedDevice &a, const aarch64::PassedDevice &b) {
    for (const aarch64::PassedRange &mine : a.ranges)
        for (const aarch64::PassedRange &theirs : b.ranges)
            if (mine.range.overlaps(theirs.range))
                return true;
    return std::any_of(a.irqs.begin(), a.irqs.end(), [&b](const aarch64::PassedIrq &mine) {
        return std::any_of(b.irqs.begin(), b.irqs.end(),
                           [&mine](const aarch64::PassedIrq &theirs) { return mine.intid == theirs.intid; });
    });
}

} // namespace

bool Passthrough::refuse(usize vm, std::string_view list, usize index, std::string_view text) {
    Text<300> line;
    line << list << "[" << u64{index} << "]: " << text;
    log_.line(LogLevel::error, system_.vms[vm].name, line.view());
    return false;
}

bool Passthrough::reserve_memory() {
    const Clearing clearing = system_.bench.skip_clearing ? Clearing::skip : Clearing::cleared;
    for (usize vm = 0; vm < system_.vms.size(); ++vm) {
        const auto &regions = system_.vms[vm].memory;
        for (usize i = 0; i < regions.size(); ++i) {
            if (!regions[i].one_to_one)
                continue;
            const auto range = HostPhysRange::make(HostPhys{regions[i].base.value()}, regions[i].size_bytes);
            const auto block =
                range ? host_.pages().allocate_ram_at(*range, clearing) : Err{HostError{HostErrorKind::invalid}};
            if (!block)
                return refuse(vm, "memory", i,
                              "one_to_one: a part of it is not memory of this machine, or the host needs it itself");
            memory_[vm][i] = *block;
        }
    }
    return true;
}

bool Passthrough::is_wanted() const {
    return std::any_of(system_.vms.begin(), system_.vms.end(),
                       [](const machine::MachineDescription &vm) { return !vm.passthrough.empty(); });
}

bool Passthrough::find(usize vm, std::span<const Owned<el2::Vcpu>> vcpus, GivenDevices &given) {
    const usize count = system_.vms[vm].passthrough.size();
    if (count == 0)
        return true;
    given.devices = OwnedArray<aarch64::PassedDevice>::make(host_.heap(), count);
    given.irqs = Owned<el2::PassedIrqs>::make(host_.heap(), host_.gic(), share_, vcpus);
    if (!given.devices || !given.irqs)
        return refuse(vm, "passthrough", 0, "the host has not enough memory left");
    for (usize i = 0; i < count; ++i)
        if (!find_one(vm, i, given.devices[i]))
            return false;
    (void)others_.emplace_back(&given); // as many as there can be VMs
    return true;
}

bool Passthrough::find_one(usize vm, usize index, aarch64::PassedDevice &device) {
    const auto found = el2::find_passed_device(host_.tree(), host_.platform(), system_.vms[vm].passthrough[index].node);
    if (!found)
        return refuse(vm, "passthrough", index, found.error().message.view());
    device = *found;
    if (!is_free(device))
        return refuse(vm, "passthrough", index, "it shares registers or an interrupt with a device of another VM");
    for (const aarch64::PassedRange &part : device.ranges)
        if (part.pages == aarch64::PassedPages::shared &&
            !host_.map().map(pages_of(part.range), el2::HostMemory::device))
            return refuse(vm, "passthrough", index, "the host has not enough memory left");
    return true;
}

bool Passthrough::is_free(const aarch64::PassedDevice &device) const {
    for (const GivenDevices *other : others_)
        for (const aarch64::PassedDevice &theirs : other->devices)
            if (share_something(device, theirs))
                return false;
    return true;
}

machine::PassedParts Passthrough::parts(const GivenDevices &given) {
    if (!given.irqs)
        return {};
    return {.devices = given.devices.view(),
            .host_tree = host_.tree().bytes(),
            .registers = &registers_,
            .irqs = given.irqs.get()};
}

} // namespace sel4vm::vmm
