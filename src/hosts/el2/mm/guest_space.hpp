// SPDX-License-Identifier: BSD-2-Clause
//
// A guest's physical address space: stage-2 tables (4 KiB granule), a VMID, and the host memory behind it. Only RAM that
// came from allocate_ram() and device ranges named by the caller are ever mapped. Build time, plus demand mapping by the
// executor of the VM; one CPU at a time changes one space.
#pragma once

#include <hosts/el2/mm/page_allocator.hpp>
#include <hosts/el2/portable/page_table.hpp>
#include <hosts/el2/stage2.hpp>

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/guest_space_port.hpp>

#include <array>

namespace sel4vm::el2 {

/// What the hardware allows, read once.
struct Stage2Config {
    u64 control; ///< VTCR_EL2
    u8 address_bits;
    u8 start_level;
    static Stage2Config of_this_cpu();
};

/// VMIDs 1 to 255; 0 means that no guest's tables are loaded. More would need more VMs than one machine has memory for.
class VmidPool {
public:
    /// 0 when all are in use.
    [[nodiscard]] u8 allocate();
    void free(u8 vmid);

private:
    std::array<u64, 4> used_{1, 0, 0, 0};
};

class GuestSpace final : public GuestSpacePort, public Stage2, private TableMemory {
public:
    GuestSpace(PageAllocator &pages, VmidPool &vmids, const Stage2Config &config);
    ~GuestSpace();
    GuestSpace(const GuestSpace &) = delete;
    GuestSpace &operator=(const GuestSpace &) = delete;
    /// Allocates root table and VMID; call once, before anything else.
    [[nodiscard]] Status<HostError> create();

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override;
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override;
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override;
    void unmap(GpaRange at) override;
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override;
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override;
    [[nodiscard]] unsigned address_bits() const override { return config_.address_bits; }

    /// What the page of this guest-physical address is mapped to, with the address's offset in it.
    [[nodiscard]] std::optional<HostPhys> translate(Gpa at) const;

    [[nodiscard]] u64 translation_base() const override;
    [[nodiscard]] u64 translation_control() const override { return config_.control; }
    [[nodiscard]] const volatile u8 *ram_at(Gpa at, u64 size_bytes) const override;

private:
    [[nodiscard]] u64 allocate_tables(unsigned count) override;
    void free_tables(u64 base, unsigned count) override;
    [[nodiscard]] u64 load(u64 table, unsigned index) const override;
    void store(u64 table, unsigned index, u64 descriptor) override;
    void publish() override;
    void invalidate(u64 base, u64 size_bytes) override;

    PageAllocator &pages_;
    VmidPool &vmids_;
    const Stage2Config &config_;
    u8 vmid_ = 0;
    PageTable table_;
};

} // namespace sel4vm::el2
