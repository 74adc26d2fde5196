// SPDX-License-Identifier: BSD-2-Clause
//
// A guest-physical space of the fake host: RAM from the process heap, mappings in a map of pages, and checks that the
// core keeps the port's rules. Limits make allocation fail or come in small blocks.
#pragma once

#include <hosts/fake/guest_memory.hpp>

#include <map>

namespace sel4vm::fake {

class GuestSpace final : public GuestSpacePort, public GuestMemory {
public:
    using Page = GuestMemory::Page;

    GuestSpace() = default;
    GuestSpace(const GuestSpace &) = delete;
    GuestSpace &operator=(const GuestSpace &) = delete;
    ~GuestSpace();

    [[nodiscard]] Result<RamBlock, HostError> allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) override;
    void free_ram(const RamBlock &block) override;
    [[nodiscard]] Status<HostError> map_ram(GpaRange at, const RamBlock &block, u64 offset,
                                            Protection protection) override;
    [[nodiscard]] Status<HostError> map_device(GpaRange at, HostPhys phys) override;
    [[nodiscard]] Status<HostError> protect(GpaRange at, Protection protection) override;
    void unmap(GpaRange at) override;
    [[nodiscard]] Status<HostError> reserve_tables(GpaRange at) override;
    void clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) override;
    [[nodiscard]] unsigned address_bits() const override { return 40; }

    // -- GuestMemory
    [[nodiscard]] std::optional<Page> look_up(Gpa at) const override;

    // -- what a test looks at and sets
    /// The mapping of the page that holds `at`, or nullptr.
    [[nodiscard]] const Page *page(Gpa at) const;
    [[nodiscard]] usize mapped_pages() const { return pages_.size(); }
    [[nodiscard]] usize live_blocks() const { return blocks_.size(); }
    [[nodiscard]] u64 cleaned_bytes() const { return cleaned_bytes_; }
    [[nodiscard]] usize requests() const { return requests_; }
    void limit_block(u64 bytes) { largest_block_ = bytes; }
    void limit_total(u64 bytes) { budget_ = bytes; }
    /// The n-th request from now that can fail does; 0 turns that off.
    void fail_at(usize n) { fail_at_ = n == 0 ? 0 : requests_ + n; }

private:
    [[nodiscard]] bool refuse() { return ++requests_ == fail_at_; }
    std::map<u64, Page> pages_; // by guest page address
    std::map<u64, u64> blocks_; // window address -> size
    u64 largest_block_ = ~u64{0};
    u64 budget_ = 4 * kGiB;
    u64 cleaned_bytes_ = 0;
    usize requests_ = 0;
    usize fail_at_ = 0;
};

} // namespace sel4vm::fake
