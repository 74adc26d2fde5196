// SPDX-License-Identifier: BSD-2-Clause
//
// Accesses of the VMM to guest RAM. Regions are made in guest_regions.cpp.
#include <sel4vm/vm/guest_memory.hpp>

#include <algorithm>
#include <cstring>

namespace sel4vm {

GuestMemory::Piece *GuestMemory::piece_at(Gpa at) {
    usize low = 0;
    usize high = pieces_.size();
    while (low < high) {
        const usize middle = (low + high) / 2;
        Piece &piece = pieces_[middle];
        if (at < piece.range.base())
            high = middle;
        else if (piece.range.contains(at))
            return &piece;
        else
            low = middle + 1;
    }
    return nullptr;
}

bool GuestMemory::contains(Gpa at, u64 size_bytes) const {
    u64 next = at.value();
    u64 left = size_bytes;
    while (left > 0) {
        const Piece *piece = piece_at(Gpa{next});
        if (piece == nullptr)
            return false;
        const u64 here = std::min(left, piece->range.end().value() - next);
        next += here;
        left -= here;
    }
    return size_bytes > 0;
}

GuestMemory::Touch GuestMemory::materialise(Piece &piece, u64 offset) {
    if (!piece.steps)
        return Touch::mapped_before;
    const u64 step = offset / kStepBytes;
    if (piece.steps[step].load(std::memory_order_acquire) == kMapped)
        return Touch::mapped_before;
    LockGuard guard(lock_);
    const u8 clear_parts = piece.steps[step].load(std::memory_order_relaxed);
    if (clear_parts == kMapped)
        return Touch::mapped_before;
    const u64 start = step * kStepBytes;
    const u64 bytes = std::min(kStepBytes, piece.range.size() - start);
    const u64 clear = clear_parts * kPartBytes;
    if (clear < bytes) {
        const u64 part = std::min(kPartBytes, bytes - clear);
        // SAFETY: no guest or VMM code can reach the step before it is marked, so plain memset is enough.
        std::memset(const_cast<u8 *>(piece.block.window + start + clear), 0, part);
        space_.clean_to_guest(piece.block, start + clear, part);
        if (clear + part < bytes) {
            piece.steps[step].store(static_cast<u8>(clear_parts + 1), std::memory_order_relaxed);
            return Touch::mapped_now;
        }
    }
    const auto range = GpaRange::make(Gpa{piece.range.base().value() + start}, bytes);
    if (!space_.map_ram(*range, piece.block, start, Protection::read_write_execute))
        return Touch::refused;
    piece.steps[step].store(kMapped, std::memory_order_release);
    return Touch::mapped_now;
}

bool GuestMemory::materialise(Piece &piece, u64 offset, u64 size_bytes) {
    if (!piece.steps)
        return true;
    for (u64 at = offset; at < offset + size_bytes; at = (at / kStepBytes + 1) * kStepBytes) {
        Touch touch = Touch::mapped_now;
        while (touch == Touch::mapped_now)
            touch = materialise(piece, at);
        if (touch == Touch::refused)
            return false;
    }
    return true;
}

GuestMemory::Touch GuestMemory::touch(Gpa at, MemoryAccess access) {
    Piece *piece = piece_at(at);
    if (piece == nullptr)
        return Touch::not_memory;
    if (is_read_only(piece->kind) && access == MemoryAccess::write)
        return Touch::read_only;
    return materialise(*piece, piece->range.offset_of(at));
}

bool GuestMemory::bring_in(Gpa at, u64 size_bytes) {
    u64 next = at.value();
    for (u64 left = has_demand_ram_ ? size_bytes : 0; left > 0;) {
        Piece *const piece = piece_at(Gpa{next});
        if (piece == nullptr)
            return true;
        const u64 offset = piece->range.offset_of(Gpa{next});
        const u64 here = std::min(left, piece->range.size() - offset);
        for (u64 step = offset; piece->steps && step < offset + here; step = (step / kStepBytes + 1) * kStepBytes) {
            const Touch touch = materialise(*piece, step);
            if (touch != Touch::mapped_before)
                return touch == Touch::refused;
        }
        next += here;
        left -= here;
    }
    return true;
}

Result<volatile u8 *, MemoryError> GuestMemory::atomic_place(Gpa at, u64 size_bytes) const {
    auto *self = const_cast<GuestMemory *>(this); // first touch of demand RAM does not change what a reader sees
    Piece *piece = self->piece_at(at);
    if (piece == nullptr || !piece->range.contains(at, size_bytes))
        return Err{MemoryError::unmapped};
    if (!is_aligned(at.value(), size_bytes))
        return Err{MemoryError::misaligned};
    const u64 offset = piece->range.offset_of(at);
    if (!self->materialise(*piece, offset, size_bytes))
        return Err{MemoryError::unmapped};
    return piece->block.window + offset;
}

Result<volatile u8 *, MemoryError> GuestMemory::writable_atomic_place(Gpa at, u64 size_bytes) {
    const Piece *piece = piece_at(at);
    if (piece != nullptr && is_read_only(piece->kind))
        return Err{MemoryError::read_only};
    return atomic_place(at, size_bytes);
}

template <class Visit>
Status<MemoryError> GuestMemory::each_part(Gpa at, u64 size_bytes, Visit visit) {
    if (size_bytes == 0)
        return Ok{};
    if (!contains(at, size_bytes))
        return Err{MemoryError::unmapped};
    u64 done = 0;
    while (done < size_bytes) {
        const Gpa here{at.value() + done};
        Piece &piece = *piece_at(here);
        const u64 offset = piece.range.offset_of(here);
        const u64 count = std::min(size_bytes - done, piece.range.size() - offset);
        if (!materialise(piece, offset, count))
            return Err{MemoryError::unmapped};
        visit(piece, offset, done, count);
        done += count;
    }
    return Ok{};
}

// SAFETY (the three copies below): bounds were checked by each_part; guest CPUs may race on the bytes, which the caller
// accepts by taking a copy. memcpy does not read a byte twice for a decision: decisions are taken on the copy.
Status<MemoryError> GuestMemory::read(Gpa at, std::span<u8> out) const {
    auto *self = const_cast<GuestMemory *>(this);
    return self->each_part(at, out.size(), [&](const Piece &piece, u64 offset, u64 done, u64 count) {
        std::memcpy(out.data() + done, const_cast<const u8 *>(piece.block.window + offset), count);
    });
}

Status<MemoryError> GuestMemory::write(Gpa at, std::span<const u8> bytes) {
    for (const RegionInfo &region : regions_) {
        const auto target = GpaRange::make(at, bytes.size());
        if (target && is_read_only(region.kind) && region.range.overlaps(*target))
            return Err{MemoryError::read_only};
    }
    return each_part(at, bytes.size(), [&](const Piece &piece, u64 offset, u64 done, u64 count) {
        std::memcpy(const_cast<u8 *>(piece.block.window + offset), bytes.data() + done, count);
    });
}

Status<MemoryError> GuestMemory::fill(Gpa at, u64 size_bytes, u8 value) {
    return each_part(at, size_bytes, [&](const Piece &piece, u64 offset, u64, u64 count) {
        std::memset(const_cast<u8 *>(piece.block.window + offset), value, count);
    });
}

Status<MemoryError> GuestMemory::load_image(Gpa at, std::span<const u8> bytes) {
    const auto target = GpaRange::make(at, bytes.size());
    for (const RegionInfo &region : regions_) {
        if (target && region.kind == RegionKind::shared_rom && region.range.overlaps(*target))
            return Err{MemoryError::read_only};
    }
    return each_part(at, bytes.size(), [&](const Piece &piece, u64 offset, u64 done, u64 count) {
        std::memcpy(const_cast<u8 *>(piece.block.window + offset), bytes.data() + done, count);
        space_.clean_to_guest(piece.block, offset, count);
    });
}

Result<bool, MemoryError> GuestMemory::visit(Gpa at, u64 size_bytes, Visitor &visitor) {
    bool wanted = true;
    SEL4VM_TRY(each_part(at, size_bytes, [&](const Piece &piece, u64 offset, u64 done, u64 count) {
        volatile u8 *const window = piece.block.window + offset; // the visitor may add regions, which moves the pieces
        for (u64 here = 0; wanted && here < count;) {
            const Gpa gpa{at.value() + done + here};
            const u64 bytes = std::min(count - here, kPageBytes - gpa.value() % kPageBytes);
            wanted = visitor.part(gpa, window + here, done + here, bytes);
            here += bytes;
        }
    }));
    return wanted;
}

Status<MemoryError> GuestMemory::clean(Gpa at, u64 size_bytes) {
    return each_part(at, size_bytes, [&](const Piece &piece, u64 offset, u64, u64 count) {
        space_.clean_to_guest(piece.block, offset, count);
    });
}

Result<u64, MemoryError> GuestMemory::load_width(Gpa at, Width width) const {
    u64 value = 0;
    // Little-endian hosts only, as all that this library runs on.
    if (const auto status = read(at, {reinterpret_cast<u8 *>(&value), bytes_of(width)}); !status)
        return Err{status.error()};
    return value;
}

Status<MemoryError> GuestMemory::store_width(Gpa at, Width width, u64 value) {
    return write(at, {reinterpret_cast<const u8 *>(&value), bytes_of(width)});
}

bool GuestMemory::clear_ram(Cleared &until, u64 size_bytes) {
    constexpr u64 kLookBytes = 512; // what looking at a step that needs no clearing counts for
    u64 done = 0;
    while (until.piece < pieces_.size()) {
        Piece &piece = pieces_[until.piece];
        const u64 left = piece.range.size() - until.offset;
        if (is_read_only(piece.kind) || is_shared(piece.kind) || left == 0) {
            ++until.piece;
            until.offset = 0;
            continue;
        }
        if (done >= size_bytes)
            return false;
        u64 bytes = left;
        bool dirty = true;
        if (piece.steps) { // demand RAM that was never touched is clear already
            bytes = std::min(bytes, kStepBytes - until.offset % kStepBytes);
            dirty = piece.steps[until.offset / kStepBytes].load(std::memory_order_acquire) == kMapped;
        }
        if (dirty) {
            bytes = std::min(bytes, size_bytes - done);
            std::memset(const_cast<u8 *>(piece.block.window + until.offset), 0, bytes);
            space_.clean_to_guest(piece.block, until.offset, bytes);
        }
        until.offset += bytes;
        done += dirty ? bytes : kLookBytes;
    }
    return true;
}

} // namespace sel4vm
