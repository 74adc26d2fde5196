// SPDX-License-Identifier: BSD-2-Clause
//
// What every disk does with a request: whether it can be carried out at all, and moving its bytes a bounded part at a time.
#pragma once

#include <sel4vm/host/block_device.hpp>

namespace sel4vm {

/// Whether the request moves bytes of guest memory.
[[nodiscard]] constexpr bool moves_bytes(BlockOperation operation) {
    return operation == BlockOperation::read || operation == BlockOperation::write;
}

/// done: it can be carried out, and `sectors` is how many it is about.
[[nodiscard]] BlockStatus check_request(const BlockRequest &request, u64 sector_count, bool read_only, u64 &sectors);

/// A place in a request's memory.
struct BlockPlace {
    usize range = 0;  ///< index
    u64 in_range = 0; ///< bytes of it
};

/// What of a turn a request costs beside its bytes.
inline constexpr u64 kBlockRequestCost = 256;

/// Goes on with a read or a write at `place`: moves up to `left_bytes` between `bytes`, which are those of the disk from there on, and guest memory,
/// and takes them, and a price for each range, from `left_bytes`. How many were moved; an error: guest memory is not there.
[[nodiscard]] Result<u64, DmaError> move_bytes(const BlockRequest &request, BlockPlace &place, std::span<u8> bytes,
                                               u64 &left_bytes);
/// The same of a disk that is only read.
[[nodiscard]] Result<u64, DmaError> move_out(const BlockRequest &request, BlockPlace &place, std::span<const u8> bytes,
                                             u64 &left_bytes);

} // namespace sel4vm
