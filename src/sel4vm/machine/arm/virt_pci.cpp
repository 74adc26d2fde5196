// SPDX-License-Identifier: BSD-2-Clause
//
// The PCI bus, and the functions on it.
#include <sel4vm/machine/arm/virt_machine.hpp>

#include <sel4vm/dev/pci/pci_function.hpp>

namespace sel4vm::machine {

Status<BuildError> VirtMachine::make_pci() {
    if (!description_.pci)
        return Ok{};
    IrqRouter &irqs = *platform_.irqs();
    dev::PciHost::Wires wires;
    for (u32 i = 0; i < dev::PciHost::kWires; ++i) {
        const u32 intid = aarch64::kFirstSpi + kPciSpi + i;
        if (!irqs.has(intid))
            return Err{build_error("pci", "the interrupt controller has no such shared interrupts")};
        wires[i] = IrqLine{irqs, intid};
    }
    pci_ = Owned<Pci>::make(host_.allocator, dev::PciHost::Site{wires, msi_, dma_, host_.locks});
    if (!pci_)
        return Err{build_error("pci", "the host has no memory left for it")};
    const auto attach = [this](const AddressBlock &block, MmioDevice &device) {
        const auto range = GpaRange::make(block.base, block.size_bytes);
        return range && vm_.attach(*range, device);
    };
    if (!attach(kPciConfig, pci_->host.configuration()) || !attach(kPciPorts, pci_->ports) ||
        !attach(kPciMemory32, pci_->memory32) || !attach(kPciMemory64, pci_->memory64))
        return Err{build_error("pci", "its windows overlap another range")};
    return Ok{};
}

Status<BuildError> VirtMachine::make_function(const DeviceRecord &record, Device &device, const dev::DeviceSite &site,
                                              std::string_view key) {
    if (!pci_ || record.kind->make_function == nullptr)
        return Err{build_error(key, "there is no PCI bus, or no model of it on one")};
    device.function = record.kind->make_function(site, pci_->host.place(*record.slot));
    dev::PciFunction *const function = device.function.get();
    if (function == nullptr)
        return Err{build_error(key, "the host has no memory left for it")};
    pci_->host.add(*function);
    return Ok{};
}

} // namespace sel4vm::machine
