// SPDX-License-Identifier: BSD-2-Clause
//
// Frames, page tables, VSpaces and their ASIDs. The levels are those of a kernel whose guests have 40 or 44 bits of physical
// addresses: the root's entries are 1 GiB each, or 512 GiB.
#pragma once

#include <sel4_host/double/object.hpp>

#include <hosts/fake/guest_memory.hpp>

#include <vector>

namespace sel4vm::sel4_double {

class Frame final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::frame;
    enum class Memory : u8 { ram, device };
    Frame(unsigned bits, Memory of) : Object(kKind, bits), what(of) {}
    const Memory what;
};

class PageTable;

struct TableEntry {
    PageTable *table = nullptr;
    Frame *frame = nullptr;
    u8 rights = 0;
    bool execute = false;
    [[nodiscard]] bool empty() const { return table == nullptr && frame == nullptr; }
};

class PageTable final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::page_table;
    static constexpr unsigned kIndexBits = 9;
    PageTable() : Object(kKind, seL4_PageTableBits), entries(usize{1} << kIndexBits) {}
    std::vector<TableEntry> entries;
};

class VSpace final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::vspace;
#ifdef CONFIG_ARM_PA_SIZE_BITS_44
    static constexpr unsigned kAddressBits = 44;
    static constexpr unsigned kRootShift = 39;
#else
    static constexpr unsigned kAddressBits = 40;
    static constexpr unsigned kRootShift = 30;
#endif
    VSpace() : Object(kKind, seL4_VSpaceBits), root(usize{1} << (kAddressBits - kRootShift)) {}
    void finalise() override;

    struct Place {
        TableEntry *entry;
        unsigned bits; ///< of what the entry covers
    };
    /// The lowest entry that the tables have for this address.
    [[nodiscard]] Place find(u64 address);

    u32 asid = 0;
    std::vector<TableEntry> root;
};

class AsidPool final : public Object {
public:
    static constexpr ObjectKind kKind = ObjectKind::asid_pool;
    AsidPool() : Object(kKind, seL4_PageBits) {}
};

/// nullptr when the ASID is not in use.
[[nodiscard]] VSpace *vspace_of(u32 asid);
void unmap_frame(const Frame &frame, u32 asid, u64 address);
void unmap_table(const PageTable &table, u32 asid, u64 address);
/// What an executed guest reaches at this address of the space.
[[nodiscard]] std::optional<fake::GuestMemory::Page> page_of(VSpace &space, Gpa at);

} // namespace sel4vm::sel4_double
