// SPDX-License-Identifier: BSD-2-Clause
//
// Table pages in a map, with a suspicious eye: it knows the tree from the descriptors that it is given, and counts every way in
// which a CPU walking it concurrently could see two translations, a page that is not a table yet, or one that is no longer.
#pragma once

#include <hosts/el2/portable/page_table.hpp>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sel4vm::el2 {

class FakeTableMemory final : public TableMemory {
public:
    explicit FakeTableMemory(TableGeometry geometry) : geometry_(geometry) {}

    usize tables_left = ~usize{0};                ///< allocations that still succeed
    std::vector<std::string> violations;          ///< what hardware would not have forgiven
    std::vector<std::pair<u64, u64>> invalidated; ///< base, size
    usize stores = 0;
    [[nodiscard]] usize live_tables() const { return pages_.size(); }

    [[nodiscard]] u64 allocate_tables(unsigned count) override {
        if (tables_left < count)
            return 0;
        tables_left -= count;
        next_ = (next_ + count * kPageBytes - 1) / (count * kPageBytes) * (count * kPageBytes);
        const u64 base = next_;
        next_ += count * kPageBytes;
        for (unsigned i = 0; i < count; ++i)
            pages_[base + i * kPageBytes] = {};
        if (root_ == 0) {
            root_ = base;
            place_[base] = {0, geometry_.start_level};
        }
        return base;
    }
    void free_tables(u64 base, unsigned count) override {
        for (const auto &[entry, stale] : stale_) {
            if ((stale.descriptor & kAddress) == base && stale.is_table)
                violations.push_back("table freed while walkers may hold it");
        }
        for (unsigned i = 0; i < count; ++i) {
            if (pages_.erase(base + i * kPageBytes) == 0)
                violations.push_back("freed a page that is not a table");
        }
        place_.erase(base);
    }
    [[nodiscard]] u64 load(u64 table, unsigned index) const override {
        return pages_.at(page_of(table, index)).at(index % 512);
    }
    void store(u64 table, unsigned index, u64 descriptor) override {
        ++stores;
        u64 &entry = pages_.at(page_of(table, index)).at(index % 512);
        const u64 old = std::exchange(entry, descriptor);
        const auto place = place_.find(table);
        if (place == place_.end())
            return; // not linked: no walker sees it
        const auto [base, level] = place->second;
        const u64 size = u64{1} << (39 - 9 * level);
        const u64 at = base + index * size;
        const Key key{table, index};
        const bool table_now = (descriptor & 3) == 3 && level < 3;
        if ((old & 1) != 0 && (descriptor & 1) != 0 && ((old ^ descriptor) & (kAddress | 3)) != 0)
            violations.push_back("valid entry replaced by a different one without a break");
        if ((old & 1) != 0 && (descriptor & 1) == 0)
            stale_[key] = {at, size, old, (old & 3) == 3 && level < 3};
        if ((old & 1) == 0 && (descriptor & 1) != 0 && stale_.contains(key))
            violations.push_back("entry made before the invalidation of the old one");
        if (table_now) {
            if (unpublished_)
                violations.push_back("table linked before its contents were published");
            place_[descriptor & kAddress] = {at, level + 1U};
        }
        unpublished_ = true;
    }
    void publish() override { unpublished_ = false; }
    void invalidate(u64 base, u64 size_bytes) override {
        publish();
        invalidated.emplace_back(base, size_bytes);
        std::erase_if(stale_, [&](const auto &item) {
            const Stale &stale = item.second;
            const bool covered = base <= stale.at && stale.at + stale.size <= base + size_bytes;
            if (covered && stale.is_table)
                place_.erase(stale.descriptor & kAddress);
            return covered;
        });
    }
    /// Entries whose old translation some CPU may still use.
    [[nodiscard]] usize stale_entries() const { return stale_.size(); }
    [[nodiscard]] bool unpublished() const { return unpublished_; }

private:
    static constexpr u64 kAddress = 0x0000'ffff'ffff'f000;
    using Key = std::pair<u64, unsigned>;
    struct Stale {
        u64 at;
        u64 size;
        u64 descriptor;
        bool is_table;
    };
    static u64 page_of(u64 table, unsigned index) { return table + index / 512 * kPageBytes; }

    TableGeometry geometry_;
    u64 next_ = 0x8000'0000;
    u64 root_ = 0;
    bool unpublished_ = false;
    std::map<u64, std::array<u64, 512>> pages_;
    std::map<u64, std::pair<u64, unsigned>> place_; ///< linked tables: base address, level
    std::map<Key, Stale> stale_;
};

} // namespace sel4vm::el2
