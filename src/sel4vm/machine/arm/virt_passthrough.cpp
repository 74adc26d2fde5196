// SPDX-License-Identifier: BSD-2-Clause
//
// Devices of the machine that the VM is given: their registers at their own addresses, their interrupts under their own numbers.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::machine {

namespace {

constexpr u32 kFirstSpi = 32;

GpaRange at_own_address(HostPhysRange range) { return *GpaRange::make(Gpa{range.base().value()}, range.size()); }

GpaRange pages_of(HostPhysRange range) {
    const u64 base = align_down(range.base().value(), kPageBytes);
    return *GpaRange::make(Gpa{base}, *align_up(range.end().value(), kPageBytes) - base);
}

} // namespace

Status<BuildError> VirtMachine::make_passthrough() {
    if (description_.passthrough.empty())
        return Ok{};
    if (host_.passed.devices.size() != description_.passthrough.size() || host_.passed.registers == nullptr ||
        host_.passed.irqs == nullptr || platform_.gic() == nullptr)
        return Err{build_error("passthrough", "this host gives no devices away")};
    for (usize i = 0; i < description_.passthrough.size(); ++i) {
        Text<32> key;
        key << "passthrough[" << u64{i} << "]";
        if (auto passed = pass_registers(host_.passed.devices[i], key.view()); !passed)
            return passed;
        if (auto passed = pass_irqs(host_.passed.devices[i], key.view()); !passed)
            return passed;
    }
    return Ok{};
}

Status<BuildError> VirtMachine::pass_registers(const aarch64::PassedDevice &device, std::string_view key) {
    FixedVector<GpaRange, aarch64::PassedDevice::kMost> mapped;
    for (const aarch64::PassedRange &part : device.ranges) {
        const bool own = part.pages == aarch64::PassedPages::own;
        const GpaRange range = own ? pages_of(part.range) : at_own_address(part.range);
        if (std::any_of(mapped.begin(), mapped.end(), [&](const GpaRange &other) { return other.contains(range); }))
            continue; // two ranges in one page
        if (vm_.memory().overlaps(range) || vm_.map().overlaps(range)) {
            Text<100> text;
            text << "its registers at " << range.base() << " are where the VM has something else";
            return Err{build_error(key, text.view())};
        }
        if (own) {
            if (!host_.space.map_device(range, HostPhys{range.base().value()}))
                return Err{build_error(key, "the host could not map its registers")};
            (void)mapped.emplace_back(range); // as many as ranges
            continue;
        }
        ForwardedRegisters *const registers = forwarded_.emplace_back(*host_.passed.registers, part.range.base());
        if (registers == nullptr || !vm_.attach(range, *registers))
            return Err{build_error(key, "too many ranges of registers in pages with other devices'")};
    }
    return Ok{};
}

bool VirtMachine::is_passed_irq(u32 intid) const {
    return std::find(passed_irqs_.begin(), passed_irqs_.end(), intid) != passed_irqs_.end();
}

Status<BuildError> VirtMachine::pass_irqs(const aarch64::PassedDevice &device, std::string_view key) {
    for (const aarch64::PassedIrq &irq : device.irqs) {
        const u32 spi = irq.intid - kFirstSpi;
        if (is_passed_irq(irq.intid))
            continue; // of two of its devices
        const char *problem = nullptr;
        if (!platform_.gic()->has(irq.intid))
            problem = " is beyond gic.spis";
        if (description_.gic.msi.kind != MsiKind::none && description_.gic.msi.kind != MsiKind::its &&
            spi >= description_.gic.msi.first_spi &&
            spi - description_.gic.msi.first_spi < description_.gic.msi.spi_count)
            problem = " is one of gic.msi";
        for (const DeviceRecord &other : description_.devices)
            if (other.spi == spi)
                problem = " is that of another device of the VM";
        for (const SharedRecord &shared : description_.shared)
            if (shared.spi == spi)
                problem = " is that by which shared memory rings the VM";
        if (problem != nullptr) {
            Text<100> text;
            text << "its interrupt " << spi << problem;
            return Err{build_error(key, text.view())};
        }
        const Trigger trigger = irq.trigger == aarch64::PhysicalTrigger::edge ? Trigger::edge : Trigger::level;
        if (!platform_.gic()->connect_physical(host_.allocator, irq.intid, trigger, *host_.passed.irqs))
            return Err{build_error(key, "the host has no memory left for its interrupt")};
        (void)passed_irqs_.emplace_back(irq.intid); // as many as devices can have
    }
    return Ok{};
}

} // namespace sel4vm::machine
