// SPDX-License-Identifier: BSD-2-Clause
//
// See stage1_walk.hpp. (Arm ARM DDI 0487, "The AArch64 Virtual Memory System Architecture".)
#include <sel4vm/arch/aarch64/stage1_walk.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/base/bits.hpp>

namespace sel4vm::aarch64 {

namespace {

constexpr unsigned kOutputBits = 48;
constexpr unsigned kSmallestT0sz = 16;
constexpr unsigned kLargestT0sz = 39;

/// One half of the address space as TCR_EL1 describes it.
struct Regime {
    u64 table = 0;
    unsigned input_bits = 0;
    unsigned granule_bits = 0; ///< 12, 14 or 16; 0: reserved
    bool disabled = false;     ///< EPD
    bool ignores_top_byte = false;
};

constexpr unsigned granule_bits_of(unsigned tg, bool upper) {
    // TG0 and TG1 number the same sizes differently.
    constexpr u8 kTg0[4] = {12, 16, 14, 0};
    constexpr u8 kTg1[4] = {0, 14, 12, 16};
    return upper ? kTg1[tg] : kTg0[tg];
}

constexpr Regime regime_of(const Stage1Registers &registers, bool upper) {
    const u64 half = upper ? registers.tcr >> 16 : registers.tcr;
    Regime regime;
    regime.table = upper ? registers.ttbr1 : registers.ttbr0;
    regime.input_bits = 64 - static_cast<unsigned>(half & 0x3f);
    regime.disabled = (half >> 7 & 1) != 0;
    regime.granule_bits = granule_bits_of(static_cast<unsigned>(half >> 14 & 3), upper);
    regime.ignores_top_byte = (registers.tcr >> (upper ? 38 : 37) & 1) != 0;
    return regime;
}

/// What table descriptors on the way take away: APTable.
struct Limits {
    bool no_el0 = false;
    bool read_only = false;
};

bool allowed(u64 descriptor, const Limits &limits, MemoryAccess access, Privilege privilege) {
    constexpr u64 kAccessFlag = u64{1} << 10;
    if ((descriptor & kAccessFlag) == 0)
        return false;
    const bool el0 = (descriptor >> 6 & 1) != 0 && !limits.no_el0;
    const bool read_only = (descriptor >> 7 & 1) != 0 || limits.read_only;
    // Code may be execute-only for EL0, so a fetch asks for nothing here.
    if (access == MemoryAccess::fetch)
        return true;
    if (privilege == Privilege::el0 && !el0)
        return false;
    return access == MemoryAccess::read || !read_only;
}

} // namespace

Stage1 walk_stage1(const Stage1Registers &registers, GuestVirt at, MemoryAccess access, Privilege privilege,
                   TableReader &reader) {
    if ((registers.sctlr & SctlrEl1::M::mask) == 0)
        return {Stage1Result::translated, Gpa{at.value() & low_mask(kOutputBits)}};
    const bool upper = (at.value() >> 55 & 1) != 0;
    const Regime regime = regime_of(registers, upper);
    const unsigned size_field = 64 - regime.input_bits;
    if (regime.disabled || regime.granule_bits == 0 || size_field < kSmallestT0sz || size_field > kLargestT0sz)
        return {};
    const unsigned checked_bits = regime.ignores_top_byte ? 56 : 64;
    const u64 sign = low_mask(checked_bits) & ~low_mask(regime.input_bits);
    if ((at.value() & sign) != (upper ? sign : 0))
        return {};

    const unsigned stride = regime.granule_bits - 3;
    const unsigned levels = (regime.input_bits - regime.granule_bits + stride - 1) / stride;
    // The first table may be larger or smaller than a granule; the others are one granule each.
    unsigned shift = regime.granule_bits + stride * (levels - 1);
    unsigned index_bits = regime.input_bits - shift;
    u64 table = regime.table & low_mask(kOutputBits) & ~u64{1};
    Limits limits;
    for (unsigned level = 4 - levels; level < 4; ++level) {
        const Gpa entry{(table & ~low_mask(index_bits + 3)) | (at.value() >> shift & low_mask(index_bits)) << 3};
        std::optional<u64> descriptor = reader.read(entry, level);
        if (!descriptor)
            return {Stage1Result::table_fault, entry};
        if ((registers.sctlr & SctlrEl1::Ee::mask) != 0)
            descriptor = __builtin_bswap64(*descriptor);
        const unsigned type = static_cast<unsigned>(*descriptor & 3);
        const bool leaf = level == 3 ? type == 3 : type == 1;
        if (leaf) {
            // Blocks exist at level 1 (4 KiB granule only) and 2.
            if (level == 0 || (level == 1 && regime.granule_bits != 12) ||
                !allowed(*descriptor, limits, access, privilege))
                return {};
            const u64 offset = at.value() & low_mask(shift);
            return {Stage1Result::translated, Gpa{(*descriptor & low_mask(kOutputBits) & ~low_mask(shift)) | offset}};
        }
        if (level == 3 || type != 3)
            return {};
        limits.no_el0 = limits.no_el0 || (*descriptor >> 61 & 1) != 0;
        limits.read_only = limits.read_only || (*descriptor >> 62 & 1) != 0;
        table = *descriptor & low_mask(kOutputBits) & ~low_mask(regime.granule_bits);
        shift -= stride;
        index_bits = stride;
    }
    return {};
}

} // namespace sel4vm::aarch64
