// SPDX-License-Identifier: BSD-2-Clause
//
// One VM's guest-physical space: anonymous memory of the process, given to KVM in slots. Linux puts pages behind it at their first touch, by
// the guest or by us, so eager RAM costs nothing until then. Deliberately no device of the host: that is VFIO's.
//
// Threads: any; a lock of its own.
#pragma once

#include <hosts/kvm/file.hpp>
#include <hosts/kvm/slot_table.hpp>

#include <mutex>

namespace sel4vm::kvm {

/// Anonymous memory of the process; both in bytes, `alignment` a power of two of at least a page.
[[nodiscard]] Result<RamBlock, HostError> allocate_block(u64 size_bytes, u64 alignment);
void free_block(const RamBlock &block);

class GuestSpace final : public GuestSpacePort {
public:
    /// `vm` outlives this.
    GuestSpace(const File &vm, u32 slot_count, unsigned address_bits)
        : vm_(vm), slots_(slot_count), address_bits_(address_bits) {}
    GuestSpace(const GuestSpace &) = delete;
    GuestSpace &operator=(const GuestSpace &) = delete;

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override;
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override;
    /// Between the removal of a slot and its return a vCPU that runs finds nothing there: for one that does not.
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override;
    void unmap(GpaRange at) override;
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override;
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override;
    [[nodiscard]] unsigned address_bits() const override { return address_bits_; }

    /// The address behind [at, at + size), when it is mapped and contiguous.
    [[nodiscard]] Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes);

private:
    [[nodiscard]] Status<HostError> tell(std::vector<SlotRequest> &requests);

    const File &vm_;
    std::mutex lock_;
    SlotTable slots_;
    unsigned address_bits_;
};

} // namespace sel4vm::kvm
