// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_blk.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace sel4vm::dev {

namespace {

namespace feature {
constexpr u64 kSegMax = u64{1} << 2;
constexpr u64 kReadOnly = u64{1} << 5;
constexpr u64 kBlkSize = u64{1} << 6;
constexpr u64 kFlush = u64{1} << 9;
constexpr u64 kTopology = u64{1} << 10;
constexpr u64 kDiscard = u64{1} << 13;
constexpr u64 kWriteZeroes = u64{1} << 14;
} // namespace feature

// Virtio 1.2, 5.2.6
struct Header {
    u32 type;
    u32 reserved;
    u64 sector;
};
constexpr u32 kIn = 0;
constexpr u32 kOut = 1;
constexpr u32 kFlush = 4;
constexpr u32 kGetId = 8;
constexpr u32 kDiscard = 11;
constexpr u32 kWriteZeroes = 13;
constexpr u8 kOk = 0;
constexpr u8 kIoError = 1;
constexpr u8 kUnsupported = 2;

/// Of DISCARD and WRITE_ZEROES.
struct Range {
    u64 sector;
    u32 sectors;
    u32 flags;
};
constexpr u32 kMayUnmap = 1;

template <class T>
[[nodiscard]] bool read_value(DmaPort &dma, std::span<const DmaRange> parts, T &value) {
    std::array<u8, sizeof(T)> bytes;
    if (!read_parts(dma, parts, bytes))
        return false;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return true;
}

} // namespace

VirtioBlk::VirtioBlk(BlockDevice &disk, std::string_view id)
    : disk_(disk),
      id_(id.substr(0, kIdBytes)), config_{.capacity = disk.sector_count(),
                                           .size_max = 0,
                                           .seg_max = kMaxSegments,
                                           .geometry = {},
                                           .block_size = kSectorBytes,
                                           .topology = {3, 0, 1, 0, 0, 0, 0,
                                                        0}, // 8 sectors are one of 4 KiB; 1 is the least to ask for
                                           .writeback = 0,
                                           .unused = 0,
                                           .queues = 1,
                                           .max_discard_sectors = kMaxClearedSectors,
                                           .max_discard_segments = 1,
                                           .discard_sector_alignment = 1,
                                           .max_write_zeroes_sectors = kMaxClearedSectors,
                                           .max_write_zeroes_segments = 1,
                                           .write_zeroes_may_unmap = 0,
                                           .unused_end = {},
                                           .max_secure_erase_sectors = 0} {}

void VirtioBlk::attach(VirtioFunction &function) {
    function_ = &function;
    disk_.set_listener(*this, function.lock());
}

u64 VirtioBlk::features() const {
    const u64 changing = disk_.read_only() ? feature::kReadOnly : feature::kDiscard | feature::kWriteZeroes;
    return feature::kSegMax | feature::kBlkSize | feature::kFlush | feature::kTopology | changing;
}

std::span<const u8> VirtioBlk::config() const {
    // SAFETY: bytes of a struct without padding.
    return {reinterpret_cast<const u8 *>(&config_), sizeof(config_)};
}

VirtioBlk::Request *VirtioBlk::free_request() {
    const auto free = std::find_if(requests_.begin(), requests_.end(), [](const Request &one) { return !one.used; });
    return free == requests_.end() ? nullptr : &*free;
}

bool VirtioBlk::serve(VirtioFunction &function, u32 queue, u64 &left_bytes) {
    if (waiting_ != nullptr)
        submit(*std::exchange(waiting_, nullptr));
    while (left_bytes > 0) {
        if (waiting_ != nullptr)
            return false; // block_space() goes on
        Request *const request = free_request();
        stalled_ = request == nullptr;
        if (stalled_ || !function.take(queue, request->chain, left_bytes))
            return false; // block_ended() goes on, or the driver's next notification
        request->used = true;
        begin(*request);
    }
    return true;
}

void VirtioBlk::begin(Request &request) {
    const std::span<DmaRange> readable = request.chain.for_reading();
    const std::span<DmaRange> writable = request.chain.for_writing();
    Header header;
    if (bytes_of(writable) == 0 || bytes_of(readable) < sizeof(Header) ||
        !read_value(function_->dma(), readable, header)) {
        give_up(request);
        return;
    }
    // The status may share its part with data.
    const auto last =
        std::find_if(writable.rbegin(), writable.rend(), [](const DmaRange &part) { return part.size_bytes != 0; });
    request.status = {Gpa{last->at.value() + last->size_bytes - 1}, 1};
    request.data_bytes = 0;
    const std::span<DmaRange> written = without_last(writable, 1);
    const std::span<DmaRange> read = without_first(readable, sizeof(Header));
    request.block = {.sector = header.sector, .dma = &function_->dma()};
    switch (header.type) {
    case kIn:
        request.block.operation = BlockOperation::read;
        request.block.memory = written;
        request.data_bytes = static_cast<u32>(bytes_of(written));
        break;
    case kOut:
        request.block.operation = BlockOperation::write;
        request.block.memory = read;
        break;
    case kFlush: request.block.operation = BlockOperation::flush; break;
    case kGetId: tell_id(request, written); return;
    case kDiscard:
    case kWriteZeroes:
        request.block.memory = read;
        begin_clearing(request, header.type);
        return;
    default: end(request, kUnsupported, 1); return;
    }
    submit(request);
}

void VirtioBlk::begin_clearing(Request &request, u32 type) {
    Range range;
    if (bytes_of(request.block.memory) != sizeof(Range)) {
        end(request, bytes_of(request.block.memory) % sizeof(Range) == 0 ? kUnsupported : kIoError, 1);
        return;
    }
    if (!read_value(function_->dma(), request.block.memory, range)) {
        give_up(request);
        return;
    }
    const bool zeroes = type == kWriteZeroes;
    if ((range.flags & ~(zeroes ? kMayUnmap : 0)) != 0) {
        end(request, kUnsupported, 1);
        return;
    }
    if (range.sectors > kMaxClearedSectors) {
        end(request, kIoError, 1);
        return;
    }
    request.block.operation = zeroes ? BlockOperation::write_zeroes : BlockOperation::discard;
    request.block.memory = {};
    request.block.sector = range.sector;
    request.block.sectors = range.sectors;
    submit(request);
}

void VirtioBlk::tell_id(Request &request, std::span<DmaRange> data) {
    std::array<u8, kIdBytes> text{};
    std::copy(id_.begin(), id_.end(), text.begin());
    const usize count = static_cast<usize>(std::min<u64>(bytes_of(data), kIdBytes));
    if (!write_parts(function_->dma(), data, std::span<const u8>(text).first(count)))
        give_up(request);
    else
        end(request, kOk, static_cast<u32>(count) + 1);
}

void VirtioBlk::submit(Request &request) {
    if (!disk_.submit(request.block))
        waiting_ = &request;
}

void VirtioBlk::end(Request &request, u8 status, u32 written_bytes) {
    if (!function_->dma().write(request.status.at, {&status, 1})) {
        give_up(request);
        return;
    }
    request.used = false;
    function_->give_back(0, request.chain.head, written_bytes);
}

/// It has no end that the driver could see.
void VirtioBlk::give_up(Request &request) {
    request.used = false;
    function_->needs_reset();
}

void VirtioBlk::block_ended(BlockRequest &block, BlockStatus status) {
    const auto found =
        std::find_if(requests_.begin(), requests_.end(), [&](const Request &one) { return &one.block == &block; });
    Request &request = *found;
    switch (status) {
    case BlockStatus::done: end(request, kOk, request.data_bytes + 1); break;
    case BlockStatus::bad_memory: give_up(request); break;
    case BlockStatus::out_of_range:
    case BlockStatus::read_only:
    case BlockStatus::failed: end(request, kIoError, 1); break;
    }
    function_->tell();
    if (std::exchange(stalled_, false))
        function_->ask(0);
}

void VirtioBlk::forget(u32) {
    disk_.forget();
    for (Request &request : requests_)
        request.used = false;
    waiting_ = nullptr;
    stalled_ = false;
}

VirtioBlk::State VirtioBlk::state() const {
    State state;
    for (const Request &request : requests_)
        if (request.used)
            state.heads[state.count++] = request.chain.head;
    return state;
}

void VirtioBlk::restore(const State &state) {
    if (state.count > kMaxRequests || state.count != function_->in_flight(0)) {
        function_->needs_reset();
        return;
    }
    for (u32 i = 0; i < state.count; ++i) {
        Request *const request = free_request();
        if (waiting_ != nullptr || request == nullptr || !function_->fetch(0, state.heads[i], request->chain)) {
            function_->needs_reset();
            return;
        }
        request->used = true;
        begin(*request);
    }
}

} // namespace sel4vm::dev
