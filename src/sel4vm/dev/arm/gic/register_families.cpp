// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/arm/gic/register_families.hpp>

namespace sel4vm::dev {

namespace {

constexpr u32 kWordBytes = 4;

[[nodiscard]] u64 part_mask(Width width) { return mask_of(bytes_of(width) < kWordBytes ? width : Width::b4); }

} // namespace

u64 read_parts(const FamilyEntry *entry, IrqRegisters &frame, RegisterOrigin origin, u32 offset, Width width) {
    const u64 mask = part_mask(width);
    u64 value = 0;
    for (u32 at = 0; at < bytes_of(width); at += kWordBytes, offset += kWordBytes) {
        while (entry->end <= offset)
            ++entry;
        if (offset >= entry->offset && entry->read != nullptr)
            value |= (entry->read(frame, origin, entry->index_at(offset)) >> entry->shift_at(offset) & mask)
                     << (8 * at);
    }
    return value;
}

void write_parts(const FamilyEntry *entry, IrqRegisters &frame, RegisterOrigin origin, u32 offset, Width width,
                 u64 value) {
    const u64 mask = part_mask(width);
    for (u32 at = 0; at < bytes_of(width); at += kWordBytes, offset += kWordBytes) {
        while (entry->end <= offset)
            ++entry;
        const bool whole = mask == mask_of(Width::b4) && entry->log2_bytes == 2;
        if (offset < entry->offset || entry->write == nullptr || (entry->part == PartWrite::ignored && !whole))
            continue;
        const u32 index = entry->index_at(offset);
        const u64 lanes = mask << entry->shift_at(offset);
        u64 all = (value >> (8 * at) & mask) << entry->shift_at(offset);
        if (entry->part == PartWrite::merge && entry->read != nullptr)
            all |= entry->read(frame, origin, index) & ~lanes;
        entry->write(frame, origin, index, all, lanes);
    }
}

} // namespace sel4vm::dev
