// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/validate_pci.hpp>

namespace sel4vm::machine {

namespace {

using Key = ValidationReport::Key;
constexpr u32 kWires = 4;

class PciCheck {
public:
    PciCheck(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims)
        : vm_(vm), index_(index), report_(report), claims_(claims) {}

    void run() {
        for (const DeviceRecord &device : vm_.devices)
            if (device.slot)
                check_function(device);
        if (!vm_.pci)
            return;
        const Key key = bus_key();
        for (const AddressBlock &block : {kPciConfig, kPciPorts, kPciMemory32, kPciMemory64})
            claims_.claim(block, key, key, kPageBytes);
        check_wires();
    }

private:
    [[nodiscard]] Key bus_key() const {
        Key key;
        key << "vm[" << u64{index_} << "].pci";
        return key;
    }
    [[nodiscard]] Key key_of(const DeviceRecord &device, const char *part) const {
        Key key;
        key << "vm[" << u64{index_} << "].devices." << device.name << part;
        return key;
    }

    void check_function(const DeviceRecord &device) {
        const Key key = key_of(device, ".slot");
        if (!vm_.pci)
            report_.add(key, u32{*device.slot}, "a VM with a PCI bus").other = bus_key();
        if (device.kind != nullptr && device.kind != &dev::kUnmadeKind && device.kind->make_function == nullptr)
            report_.add(key, device.kind->type, "a kind of device that can be on PCI");
        if (*device.slot == 0 || *device.slot > kMostPciSlot)
            report_.add(key, u32{*device.slot}, "a slot from 1 to ", u32{kMostPciSlot});
        for (const DeviceRecord &other : vm_.devices) {
            if (&other == &device)
                return;
            if (other.slot == device.slot) {
                report_.add(key, u32{*device.slot}, "another slot than ", key_of(other, "").view()).other =
                    key_of(other, ".slot");
                return;
            }
        }
    }

    void check_wires() {
        if (kPciSpi + kWires > vm_.gic.spi_count)
            report_.add(bus_key(), "true", "a GIC with at least ", kPciSpi + kWires, " shared interrupts");
        for (const DeviceRecord &device : vm_.devices)
            if (!device.slot && device.spi >= kPciSpi && device.spi < kPciSpi + kWires)
                report_
                    .add(key_of(device, ".spi"), device.spi, "another SPI than those of PCI (", kPciSpi, " to ",
                         kPciSpi + kWires - 1, ")")
                    .other = bus_key();
        const MsiRecord &msi = vm_.gic.msi;
        if ((msi.kind == MsiKind::v2m || msi.kind == MsiKind::mbi) && msi.first_spi < kPciSpi + kWires)
            report_.add(bus_key(), "true", "messages (gic.msi) with other SPIs than ", kPciSpi, " to ",
                        kPciSpi + kWires - 1);
    }

    const MachineDescription &vm_;
    usize index_;
    ValidationReport &report_;
    AddressClaims &claims_;
};

} // namespace

void check_pci(const MachineDescription &vm, usize index, ValidationReport &report, AddressClaims &claims) {
    PciCheck(vm, index, report, claims).run();
}

} // namespace sel4vm::machine
