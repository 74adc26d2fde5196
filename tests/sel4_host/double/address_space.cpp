// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/address_space.hpp>

#include <sel4_host/double/kernel.hpp>

#include <hosts/fake/guest_cpu.hpp>

#include <sel4vm/base/bits.hpp>

namespace sel4vm::sel4_double {

namespace {

Protection protection_of(const TableEntry &entry) {
    const bool write = (entry.rights & kWrite) != 0;
    if (entry.execute)
        return write ? Protection::read_write_execute : Protection::read_execute;
    return write ? Protection::read_write : Protection::read_only;
}

} // namespace

VSpace::Place VSpace::find(u64 address) {
    unsigned bits = kRootShift;
    TableEntry *entry = &root[address >> bits & (root.size() - 1)];
    while (entry->table != nullptr && bits > seL4_PageBits) {
        bits -= PageTable::kIndexBits;
        entry = &entry->table->entries[address >> bits & (entry->table->entries.size() - 1)];
    }
    return {entry, bits};
}

void VSpace::finalise() {
    if (asid != 0)
        Kernel::current().asids.erase(asid);
}

VSpace *vspace_of(u32 asid) {
    const auto &asids = Kernel::current().asids;
    const auto found = asids.find(asid);
    return found == asids.end() ? nullptr : found->second;
}

void unmap_frame(const Frame &frame, u32 asid, u64 address) {
    VSpace *const space = vspace_of(asid);
    if (space == nullptr)
        return;
    const VSpace::Place place = space->find(address);
    if (place.bits == frame.size_bits && place.entry->frame == &frame)
        *place.entry = {};
}

void unmap_table(const PageTable &table, u32 asid, u64 address) {
    VSpace *const space = vspace_of(asid);
    if (space == nullptr)
        return;
    unsigned bits = VSpace::kRootShift;
    TableEntry *entry = &space->root[address >> bits & (space->root.size() - 1)];
    while (entry->table != nullptr && entry->table != &table) {
        bits -= PageTable::kIndexBits;
        entry = &entry->table->entries[address >> bits & (entry->table->entries.size() - 1)];
    }
    if (entry->table == &table)
        *entry = {};
}

// The GIC's virtual CPU interface is the executed guest's own; other devices are memory.
std::optional<fake::GuestMemory::Page> page_of(VSpace &space, Gpa at) {
    if (at.value() >> VSpace::kAddressBits != 0)
        return std::nullopt;
    const VSpace::Place place = space.find(at.value());
    if (place.entry->frame == nullptr || (place.entry->rights & kRead) == 0)
        return std::nullopt;
    const Frame &frame = *place.entry->frame;
    const u64 phys = frame.phys + align_down(at.value() & low_mask<u64>(place.bits), kPageBytes);
#ifdef SEL4VM_GICV_PADDR
    if (phys - SEL4VM_GICV_PADDR < 2 * kPageBytes)
        return fake::GuestMemory::Page{fake::kVirtualCpuInterface.value() + phys - SEL4VM_GICV_PADDR,
                                       protection_of(*place.entry), true};
#endif
    // SAFETY: the executed guest's memory is where this process sees it.
    return fake::GuestMemory::Page{reinterpret_cast<u64>(Kernel::current().memory.bytes(phys)),
                                   protection_of(*place.entry), false};
}

} // namespace sel4vm::sel4_double
