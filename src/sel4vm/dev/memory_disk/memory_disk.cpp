// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/memory_disk/memory_disk.hpp>

#include <algorithm>
#include <utility>

namespace sel4vm::dev {

namespace {
bool moves(BlockOperation operation) { return operation == BlockOperation::read || operation == BlockOperation::write; }
constexpr u64 kRequestCost = 256; ///< bytes that one counts for that moves nothing
constexpr u64 kPartCost = 64;     ///< what finding a part of guest memory counts for
} // namespace

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

BlockStatus MemoryDisk::check(const BlockRequest &request) const {
    if (request.operation == BlockOperation::flush)
        return BlockStatus::done;
    if (request.operation != BlockOperation::read && read_only())
        return BlockStatus::read_only;
    u64 total = 0;
    for (const DmaRange &part : request.memory)
        if (__builtin_add_overflow(total, part.size_bytes, &total))
            return BlockStatus::out_of_range;
    const u64 count = moves(request.operation) ? total / kSectorBytes : request.sectors;
    const u64 sectors = sector_count();
    if (total % kSectorBytes != 0 || request.sector > sectors || count > sectors - request.sector)
        return BlockStatus::out_of_range;
    return BlockStatus::done;
}

bool MemoryDisk::carry_out(const BlockRequest &request, u64 &left, BlockStatus &status) {
    switch (request.operation) {
    case BlockOperation::flush: return true;
    case BlockOperation::read:
    case BlockOperation::write: return move(request, left, status);
    case BlockOperation::write_zeroes:
    case BlockOperation::discard: break;
    }
    return clear(request, left);
}

bool MemoryDisk::clear(const BlockRequest &request, u64 &left) {
    const u64 end = (request.sector + request.sectors) * kSectorBytes;
    const u64 count = std::min(end - progress_.at_bytes, left);
    const std::span<u8> here = writable_.subspan(progress_.at_bytes, count);
    std::fill(here.begin(), here.end(), u8{0});
    progress_.at_bytes += count;
    left -= count;
    return progress_.at_bytes == end;
}

bool MemoryDisk::move(const BlockRequest &request, u64 &left, BlockStatus &status) {
    while (progress_.part < request.memory.size()) {
        const DmaRange &part = request.memory[progress_.part];
        const u64 count = std::min(part.size_bytes - progress_.in_part, left);
        u64 at = 0;
        if (__builtin_add_overflow(part.at.value(), progress_.in_part, &at)) {
            status = BlockStatus::bad_memory;
            return true;
        }
        const u64 from = progress_.at_bytes;
        const Status<DmaError> moved = request.operation == BlockOperation::read
                                           ? request.dma->write(Gpa{at}, contents_.subspan(from, count))
                                           : request.dma->read(Gpa{at}, writable_.subspan(from, count));
        if (!moved) {
            status = BlockStatus::bad_memory;
            return true;
        }
        left -= count;
        progress_.at_bytes += count;
        progress_.in_part += count;
        if (progress_.in_part == part.size_bytes) {
            progress_ = {.part = progress_.part + 1, .at_bytes = progress_.at_bytes};
            left -= std::min(left, kPartCost);
        } else if (left == 0)
            return false;
    }
    status = BlockStatus::done;
    return true;
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
        left_bytes -= std::min(left_bytes, kRequestCost);
        end_first(status);
    }
    return first_ != nullptr;
}

} // namespace sel4vm::dev
