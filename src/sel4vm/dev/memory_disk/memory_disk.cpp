// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/memory_disk/memory_disk.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::dev {

bool MemoryDisk::submit(BlockRequest &request) {
    if (count_ == kMaxRequests) {
        refused_ = true;
        return false;
    }
    request.next = nullptr;
    if (first_ == nullptr) {
        first_ = &request;
        begin_first();
        turns_.ask(*this);
    } else {
        last_->next = &request;
    }
    last_ = &request;
    ++count_;
    return true;
}

void MemoryDisk::forget() {
    first_ = last_ = nullptr;
    count_ = 0;
    refused_ = false;
    turns_.withdraw(*this);
}

void MemoryDisk::begin_first() {
    if (first_ != nullptr)
        progress_ = {.at_bytes = first_->sector * kSectorBytes}; // of no meaning when check() refuses the sector
}

BlockStatus MemoryDisk::check(const BlockRequest &request) {
    u64 sectors = 0;
    const BlockStatus status = check_request(request, sector_count(), read_only(), sectors);
    progress_.end_bytes = (request.sector + sectors) * kSectorBytes;
    return status;
}

bool MemoryDisk::carry_out(const BlockRequest &request, u64 &left, BlockStatus &status) {
    if (moves_bytes(request.operation))
        return move(request, left, status);
    return request.operation == BlockOperation::flush || clear(left);
}

bool MemoryDisk::clear(u64 &left) {
    const u64 count = std::min(progress_.end_bytes - progress_.at_bytes, left);
    const std::span<u8> here = writable_.subspan(progress_.at_bytes, count);
    std::fill(here.begin(), here.end(), u8{0});
    progress_.at_bytes += count;
    left -= count;
    return progress_.at_bytes == progress_.end_bytes;
}

bool MemoryDisk::move(const BlockRequest &request, u64 &left, BlockStatus &status) {
    const u64 from = progress_.at_bytes;
    const u64 rest = progress_.end_bytes - from;
    const auto moved = request.operation == BlockOperation::read
                           ? move_out(request, progress_.place, contents_.subspan(from, rest), left)
                           : move_bytes(request, progress_.place, writable_.subspan(from, rest), left);
    if (!moved) {
        status = BlockStatus::bad_memory;
        return true;
    }
    progress_.at_bytes += *moved;
    return progress_.at_bytes == progress_.end_bytes;
}

void MemoryDisk::end_first(BlockStatus status) {
    BlockRequest &request = *first_;
    first_ = std::exchange(request.next, nullptr);
    if (first_ == nullptr)
        last_ = nullptr;
    --count_;
    begin_first();
    listener_->block_ended(request, status); // may submit, or forget
    if (count_ < kMaxRequests && std::exchange(refused_, false))
        listener_->block_space();
}

bool MemoryDisk::work(u64 &left_bytes) {
    LockGuard guard(*lock_);
    while (first_ != nullptr && left_bytes > 0) {
        BlockStatus status = check(*first_);
        if (status == BlockStatus::done && !carry_out(*first_, left_bytes, status))
            break;
        left_bytes -= std::min(left_bytes, kBlockRequestCost);
        end_first(status);
    }
    return first_ != nullptr;
}

} // namespace sel4vm::dev
