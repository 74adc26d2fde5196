// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/block_requests.hpp>

#include <algorithm>

namespace sel4vm {

namespace {

constexpr u64 kRangeCost = 64; ///< what finding a part of guest memory counts for

template <class Byte, class Move>
Result<u64, DmaError> move_some(const BlockRequest &request, BlockPlace &place, std::span<Byte> bytes, u64 &left_bytes,
                                Move move) {
    u64 moved = 0;
    while (moved < bytes.size() && left_bytes > 0 && place.range < request.memory.size()) {
        const DmaRange &range = request.memory[place.range];
        const u64 count = std::min({range.size_bytes - place.in_range, bytes.size() - moved, left_bytes});
        u64 at = 0;
        if (__builtin_add_overflow(range.at.value(), place.in_range, &at))
            return Err{DmaError::unmapped};
        if (const Status<DmaError> done = move(Gpa{at}, bytes.subspan(moved, count)); !done)
            return Err{done.error()};
        moved += count;
        left_bytes -= count;
        place.in_range += count;
        if (place.in_range == range.size_bytes) {
            place = {.range = place.range + 1};
            left_bytes -= std::min(left_bytes, kRangeCost);
        }
    }
    return moved;
}

} // namespace

BlockStatus check_request(const BlockRequest &request, u64 sector_count, bool read_only, u64 &sectors) {
    sectors = 0;
    if (request.operation == BlockOperation::flush)
        return BlockStatus::done;
    if (request.operation != BlockOperation::read && read_only)
        return BlockStatus::read_only;
    u64 total = 0;
    for (const DmaRange &range : request.memory)
        if (__builtin_add_overflow(total, range.size_bytes, &total))
            return BlockStatus::out_of_range;
    sectors = moves_bytes(request.operation) ? total / kSectorBytes : request.sectors;
    if (total % kSectorBytes != 0 || request.sector > sector_count || sectors > sector_count - request.sector)
        return BlockStatus::out_of_range;
    return BlockStatus::done;
}

Result<u64, DmaError> move_out(const BlockRequest &request, BlockPlace &place, std::span<const u8> bytes,
                               u64 &left_bytes) {
    return move_some(request, place, bytes, left_bytes,
                     [&](Gpa at, std::span<const u8> part) { return request.dma->write(at, part); });
}

Result<u64, DmaError> move_bytes(const BlockRequest &request, BlockPlace &place, std::span<u8> bytes, u64 &left_bytes) {
    if (request.operation == BlockOperation::read)
        return move_out(request, place, bytes, left_bytes);
    return move_some(request, place, bytes, left_bytes,
                     [&](Gpa at, std::span<u8> part) { return request.dma->read(at, part); });
}

} // namespace sel4vm
