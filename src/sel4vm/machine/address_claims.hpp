// SPDX-License-Identifier: BSD-2-Clause
//
// The ranges of one VM's addresses that validate() has seen, so that the next one is held against them. Deliberately not what is behind them.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/machine/validation_report.hpp>

namespace sel4vm::machine {

class AddressClaims {
public:
    using Key = ValidationReport::Key;

    explicit AddressClaims(ValidationReport &report) : report_(report) {}

    /// Checks one range by itself, then against all before it. `base_key` and `size_key` name its two numbers.
    void claim(const AddressBlock &block, const Key &base_key, const Key &size_key, u64 alignment) {
        bool good = true;
        if (!is_aligned(block.base.value(), alignment)) {
            report_.add(base_key, block.base, "a multiple of ", Hex{alignment});
            good = false;
        }
        const u64 unit = std::min(alignment, u64{kPageBytes});
        if (block.size_bytes == 0 || !is_aligned(block.size_bytes, unit)) {
            report_.add(size_key, Size{block.size_bytes}, "a multiple of ", Size{unit},
                        block.size_bytes == 0 ? ", not 0" : "");
            good = false;
        }
        if (good)
            claim_good(block, base_key, size_key);
    }

private:
    /// A range that was found good by itself.
    struct Claim {
        GpaRange range;
        Key key;
    };

    void claim_good(const AddressBlock &block, const Key &base_key, const Key &size_key) {
        const auto range = GpaRange::make(block.base, block.size_bytes);
        if (block.base.value() >= kGuestAddressEnd) {
            report_.add(base_key, block.base, "an address below ", Hex{kGuestAddressEnd});
            return;
        }
        if (!range || range->end().value() > kGuestAddressEnd) {
            report_
                .add(size_key, Size{block.size_bytes}, "a range that ends by ", Hex{kGuestAddressEnd}, ", not ",
                     Size{block.size_bytes}, " from ", block.base, " on")
                .other = base_key;
            return;
        }
        for (const Claim &other : claims_)
            if (other.range.overlaps(*range)) {
                Problem &problem = report_.add(base_key, block.base, "no overlap with ", other.key.view(), " (",
                                               Size{other.range.size()}, " from ", other.range.base(), " on)");
                problem.other = other.key;
                problem.range = block;
                problem.other_range = {other.range.base(), other.range.size()};
                return;
            }
        (void)claims_.emplace_back(Claim{*range, base_key}); // the capacity is the sum of all kinds
    }

    ValidationReport &report_;
    FixedVector<Claim, kMaxMemoryRegions + kMaxDevices + kMaxImages + 2 * kMaxShared + 6> claims_;
};

} // namespace sel4vm::machine
