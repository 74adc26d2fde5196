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
        go_on();
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
    timeouts_.cancel(step_);
}

void MemoryDisk::begin_first() {
    if (first_ != nullptr)
        progress_ = {.at_bytes = first_->sector * kSectorBytes}; // of no meaning when check() refuses the sector
}

BlockStatus MemoryDisk::check(const BlockRequest &request) const {
    if (request.operation == BlockOperation::flush)
        return BlockStatus::done;
    if (request.operation == BlockOperation::write && read_only())
        return BlockStatus::read_only;
    u64 total = 0;
    for (const DmaRange &part : request.memory)
        if (__builtin_add_overflow(total, part.size_bytes, &total))
            return BlockStatus::out_of_range;
    const u64 sectors = sector_count();
    if (total % kSectorBytes != 0 || request.sector > sectors || total / kSectorBytes > sectors - request.sector)
        return BlockStatus::out_of_range;
    return BlockStatus::done;
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
        if (progress_.in_part == part.size_bytes)
            progress_ = {.part = progress_.part + 1, .at_bytes = progress_.at_bytes};
        else if (left == 0)
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

void MemoryDisk::timeout() {
    u64 left = kStepBytes;
    u32 requests = kMaxRequests; // those that move nothing are bounded, too
    while (first_ != nullptr && left > 0 && requests-- > 0) {
        BlockStatus status = check(*first_);
        if (status == BlockStatus::done && first_->operation != BlockOperation::flush && !move(*first_, left, status))
            break;
        end_first(status);
    }
    if (first_ != nullptr)
        go_on();
}

} // namespace sel4vm::dev
