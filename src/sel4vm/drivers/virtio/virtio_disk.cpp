// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/drivers/virtio/virtio_disk.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sel4vm::drivers {

namespace {

// Virtio 1.2, 5.2.3
namespace feature {
constexpr u64 kSizeMax = u64{1} << 1;
constexpr u64 kReadOnly = u64{1} << 5;
constexpr u64 kBlockSize = u64{1} << 6;
constexpr u64 kFlush = u64{1} << 9;
constexpr u64 kWriteZeroes = u64{1} << 14;
constexpr u64 kWanted = kSizeMax | kReadOnly | kBlockSize | kFlush | kWriteZeroes;
} // namespace feature

// 5.2.4
namespace configuration {
constexpr u32 kCapacity = 0;
constexpr u32 kSizeMax = 8;
constexpr u32 kBlockSize = 20;
constexpr u32 kMostZeroedSectors = 48;
} // namespace configuration

// 5.2.6
namespace type {
constexpr u32 kIn = 0;
constexpr u32 kOut = 1;
constexpr u32 kFlush = 4;
constexpr u32 kGetId = 8;
constexpr u32 kWriteZeroes = 13;
} // namespace type
struct Header {
    u32 type;
    u32 reserved;
    u64 sector;
};
struct ZeroedRange {
    u64 sector;
    u32 sectors;
    u32 flags;
};
constexpr u8 kStatusOk = 0;
constexpr u8 kStatusNone = 0xff; ///< nothing that a device says
constexpr usize kStatusAt = 32;  ///< behind the header of a part

template <class T>
void put(std::span<u8> bytes, const T &value) {
    std::memcpy(bytes.data(), &value, sizeof(T));
}

} // namespace

const char *to_string(VirtioDisk::Opened opened) {
    switch (opened) {
    case VirtioDisk::Opened::done: break;
    case VirtioDisk::Opened::no_version_1: return "it has no virtio 1.0";
    case VirtioDisk::Opened::no_queue: return "its queue has no room for a request";
    case VirtioDisk::Opened::large_sectors: return "its sectors are larger than 512 bytes";
    }
    return "";
}

VirtioDisk::~VirtioDisk() {
    if (is_open_)
        transport_.reset();
}

VirtioDisk::Opened VirtioDisk::open() {
    if (!transport_.begin(feature::kWanted, features_))
        return Opened::no_version_1;
    is_open_ = true;
    if ((features_ & feature::kBlockSize) != 0 && transport_.configuration32(configuration::kBlockSize) > kSectorBytes)
        return Opened::large_sectors;
    u16 size = kQueueSize;
    const u16 most = transport_.queue_size_max(0);
    while (size > most)
        size /= 2;
    parts_count_ = std::min<u16>(kParts, size / 3);
    if (parts_count_ == 0)
        return Opened::no_queue;
    if ((features_ & feature::kSizeMax) != 0) {
        const u32 size_max = transport_.configuration32(configuration::kSizeMax);
        most_part_bytes_ = std::clamp<u32>(size_max & ~static_cast<u32>(kSectorBytes - 1), kSectorBytes, kPartBytes);
    }
    if ((features_ & feature::kWriteZeroes) != 0)
        most_zeroed_sectors_ = transport_.configuration32(configuration::kMostZeroedSectors);
    sectors_ = transport_.configuration32(configuration::kCapacity) |
               u64{transport_.configuration32(configuration::kCapacity + 4)} << 32;
    ring_ = VirtioRing({memory_.bytes.first(kQueueBytes), memory_.device_address}, size);
    transport_.set_queue(0, size, ring_.addresses());
    transport_.start();
    return Opened::done;
}

bool VirtioDisk::connect(WorkTurns &turns, DiskAccess access) {
    if (!turns.add(*this))
        return false;
    access_ = access;
    turns_ = &turns;
    return true;
}

void VirtioDisk::disconnect() {
    turns_->withdraw(*this);
    turns_ = nullptr;
}

void VirtioDisk::interrupt() {
    const VirtioTransport::Causes causes = transport_.take_causes();
    if (causes.configuration)
        configuration_changed_.store(true);
    if (turns_ != nullptr)
        turns_->ask(*this);
}

bool VirtioDisk::read_only() const { return access_ == DiskAccess::read_only || (features_ & feature::kReadOnly) != 0; }

// ---------------------------------------------------------------- The name

void VirtioDisk::ask_id() {
    Part &part = parts_[0];
    part.state = PartState::at_device;
    std::fill_n(data_of(part).begin(), kIdBytes, u8{0});
    hand_over(part, type::kGetId, 0, kIdBytes, VirtioRing::Access::device_writes);
    transport_.notify(0);
}

bool VirtioDisk::take_id() {
    const auto used = ring_.take();
    if (!used)
        return false;
    static_cast<void>(transport_.take_causes());
    parts_[0].state = PartState::free;
    const std::span<u8> data = data_of(parts_[0]);
    if (memory_.bytes[header_at(parts_[0]) + kStatusAt] == kStatusOk)
        std::copy_n(data.begin(), kIdBytes, id_.begin());
    return true;
}

std::string_view VirtioDisk::id() const {
    const auto end = std::find(id_.begin(), id_.end(), u8{0});
    // SAFETY: characters are bytes.
    return {reinterpret_cast<const char *>(id_.data()), static_cast<usize>(end - id_.begin())};
}

// ---------------------------------------------------------------- Requests

bool VirtioDisk::submit(BlockRequest &request) {
    const auto free =
        std::find_if(requests_.begin(), requests_.end(), [](const Request &one) { return one.asked == nullptr; });
    if (free == requests_.end()) {
        refused_ = true;
        return false;
    }
    *free = {.asked = &request, .number = next_number_++};
    turns_->ask(*this);
    return true;
}

void VirtioDisk::forget() {
    for (Request &request : requests_)
        request = {};
    for (Part &part : parts_) {
        part.request = nullptr;
        if (part.state == PartState::arrived)
            part.state = PartState::free;
    }
    refused_ = false;
    turns_->withdraw(*this);
}

bool VirtioDisk::work(u64 &left_bytes) {
    LockGuard guard(*lock_);
    if (configuration_changed_.exchange(false) && transport_.has_failed())
        give_up();
    collect();
    const bool more_to_deliver = deliver(left_bytes);
    const bool more_to_begin = begin(left_bytes);
    end_finished(left_bytes);
    return more_to_deliver || more_to_begin;
}

void VirtioDisk::collect() {
    while (const auto used = ring_.take()) {
        const usize index = used->head / 3U;
        if (used->head % 3 != 0 || index >= parts_.size() || parts_[index].state != PartState::at_device) {
            give_up();
            return;
        }
        Part &part = parts_[index];
        part.state = part.request == nullptr ? PartState::free : PartState::arrived;
    }
    if (ring_.is_broken())
        give_up();
}

// The device may have moved anything meanwhile, in memory of ours.
void VirtioDisk::give_up() {
    if (std::exchange(failed_, true))
        return;
    transport_.reset();
    for (Part &part : parts_)
        part = {};
    for (Request &request : requests_) {
        request.begun = true;
        request.parts = 0;
        request.status = BlockStatus::failed;
    }
}

// ---------------------------------------------------------------- What came back

bool VirtioDisk::deliver(u64 &left_bytes) {
    for (Part &part : parts_) {
        if (part.state != PartState::arrived)
            continue;
        Request &request = *part.request;
        const bool good = memory_.bytes[header_at(part) + kStatusAt] == kStatusOk;
        if (good && request.asked->operation == BlockOperation::read && request.status == BlockStatus::done) {
            const std::span<u8> rest = data_of(part).subspan(part.copied, part.bytes - part.copied);
            const auto moved = move_out(*request.asked, part.place, rest, left_bytes);
            if (!moved)
                request.status = BlockStatus::bad_memory;
            else if (*moved < rest.size()) {
                part.copied += static_cast<u32>(*moved);
                return true;
            }
        } else if (!good && request.status == BlockStatus::done) {
            request.status = BlockStatus::failed;
        }
        end_part(part);
    }
    return false;
}

void VirtioDisk::end_part(Part &part) {
    --part.request->parts;
    part = {};
}

void VirtioDisk::end_finished(u64 &left_bytes) {
    for (Request &request : requests_) {
        if (request.asked == nullptr || !request.begun || request.parts != 0)
            continue;
        left_bytes -= std::min(left_bytes, kBlockRequestCost);
        BlockRequest &asked = *request.asked;
        const BlockStatus status = request.status;
        request = {};
        listener_->block_ended(asked, status); // may submit, or forget
        if (std::exchange(refused_, false))
            listener_->block_space();
    }
}

// ---------------------------------------------------------------- What goes out

VirtioDisk::Request *VirtioDisk::next_to_begin() {
    Request *next = nullptr;
    for (Request &request : requests_)
        if (request.asked != nullptr && !request.begun && (next == nullptr || request.number < next->number))
            next = &request;
    return next;
}

VirtioDisk::Part *VirtioDisk::free_part() {
    const auto last = parts_.begin() + parts_count_;
    const auto free =
        std::find_if(parts_.begin(), last, [](const Part &part) { return part.state == PartState::free; });
    return free == last ? nullptr : &*free;
}

bool VirtioDisk::any_forgotten() const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const Part &part) { return part.state == PartState::at_device && part.request == nullptr; });
}

bool VirtioDisk::begin(u64 &left_bytes) {
    if (any_forgotten())
        return false; // their end is an interrupt
    bool handed_over = false;
    bool turn_is_over = false;
    while (Request *const request = next_to_begin()) {
        turn_is_over = left_bytes < kSectorBytes;
        if (turn_is_over)
            break;
        if (request->sectors == 0 && request->parts == 0)
            begin_request(*request, left_bytes);
        request->begun = request->begun || request->status != BlockStatus::done; // an earlier part's
        if (request->begun)
            continue;
        Part *const part = free_part();
        if (part == nullptr)
            break;
        if (begin_part(*request, *part, left_bytes))
            handed_over = true;
    }
    if (handed_over && ring_.wants_notice())
        transport_.notify(0);
    return turn_is_over;
}

void VirtioDisk::begin_request(Request &request, u64 &left_bytes) {
    const BlockOperation operation = request.asked->operation;
    request.status =
        failed_ ? BlockStatus::failed : check_request(*request.asked, sectors_, read_only(), request.sectors);
    // Nobody needs what a discarded sector holds, as before; and a disk without a cache has nothing to flush.
    const bool nothing_to_do =
        operation == BlockOperation::discard ||
        (operation == BlockOperation::flush ? (features_ & feature::kFlush) == 0 : request.sectors == 0);
    request.begun = request.status != BlockStatus::done || nothing_to_do;
    left_bytes -= std::min<u64>(left_bytes, 1);
}

bool VirtioDisk::begin_part(Request &request, Part &part, u64 &left_bytes) {
    const BlockRequest &asked = *request.asked;
    const u64 sector = asked.sector + request.begun_sectors;
    const u64 rest = request.sectors - request.begun_sectors;
    u64 sectors = std::min<u64>(rest, most_part_bytes_ / kSectorBytes);
    const std::span<u8> data = data_of(part);
    part = {.request = &request, .place = request.next};
    switch (asked.operation) {
    case BlockOperation::flush:
        hand_over(part, type::kFlush, 0, 0, VirtioRing::Access::device_reads);
        request.begun = true;
        break;
    case BlockOperation::read: {
        // Where the next part begins: the bytes are moved later.
        u64 bytes = sectors * kSectorBytes;
        part.bytes = static_cast<u32>(bytes);
        while (bytes >= asked.memory[request.next.range].size_bytes - request.next.in_range) {
            bytes -= asked.memory[request.next.range].size_bytes - request.next.in_range;
            request.next = {.range = request.next.range + 1};
            left_bytes -= std::min<u64>(left_bytes, 1);
            if (request.next.range == asked.memory.size())
                break;
        }
        request.next.in_range += bytes;
        hand_over(part, type::kIn, sector, part.bytes, VirtioRing::Access::device_writes);
        break;
    }
    case BlockOperation::write: {
        sectors = std::min(sectors, left_bytes / kSectorBytes);
        u64 most = ~u64{0}; // a part is whole; what its ranges cost is taken afterwards
        const auto moved = move_bytes(asked, request.next, data.first(sectors * kSectorBytes), most);
        left_bytes -= std::min(left_bytes, ~u64{0} - most);
        if (!moved) {
            part = {};
            request.status = BlockStatus::bad_memory;
            request.begun = true;
            return false;
        }
        hand_over(part, type::kOut, sector, static_cast<u32>(sectors * kSectorBytes), VirtioRing::Access::device_reads);
        break;
    }
    case BlockOperation::write_zeroes:
    case BlockOperation::discard:
        if (most_zeroed_sectors_ != 0) {
            sectors = std::min<u64>(rest, most_zeroed_sectors_);
            put(data, ZeroedRange{sector, static_cast<u32>(sectors), 0});
            hand_over(part, type::kWriteZeroes, 0, sizeof(ZeroedRange), VirtioRing::Access::device_reads);
        } else {
            sectors = std::min(sectors, left_bytes / kSectorBytes);
            const std::span<u8> zeros = data.first(sectors * kSectorBytes);
            std::fill(zeros.begin(), zeros.end(), u8{0});
            left_bytes -= zeros.size();
            hand_over(part, type::kOut, sector, static_cast<u32>(zeros.size()), VirtioRing::Access::device_reads);
        }
        break;
    }
    ++request.parts;
    request.begun_sectors += sectors;
    request.begun = request.begun || request.begun_sectors == request.sectors;
    return true;
}

std::span<u8> VirtioDisk::data_of(const Part &part) const {
    return memory_.bytes.subspan(kQueueBytes + kHeaderBytes + usize{index_of(part)} * kPartBytes, kPartBytes);
}

void VirtioDisk::hand_over(Part &part, u32 type, u64 sector, u32 bytes, VirtioRing::Access access) {
    const u16 head = static_cast<u16>(3 * index_of(part));
    const auto address = [this](usize at) { return memory_.device_address + at; };
    const usize header = header_at(part);
    put(memory_.bytes.subspan(header), Header{type, 0, sector});
    memory_.bytes[header + kStatusAt] = kStatusNone;
    const u16 last = static_cast<u16>(head + 2);
    const u16 second = bytes == 0 ? last : static_cast<u16>(head + 1);
    ring_.set(head, address(header), sizeof(Header), VirtioRing::Access::device_reads, second);
    if (bytes != 0)
        ring_.set(second, address(static_cast<usize>(data_of(part).data() - memory_.bytes.data())), bytes, access,
                  last);
    ring_.set(last, address(header + kStatusAt), 1, VirtioRing::Access::device_writes, std::nullopt);
    part.state = PartState::at_device;
    ring_.offer(head);
}

} // namespace sel4vm::drivers
