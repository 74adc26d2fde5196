// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/fw_cfg/fw_cfg.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/dev/fw_cfg/fw_cfg_keys.hpp>

#include <algorithm>

namespace sel4vm::dev {
namespace {

constexpr u64 kData = 0x00;
constexpr u64 kSelector = 0x08;
constexpr u64 kDma = 0x10;
constexpr u64 kDmaLow = 0x14;
/// What the DMA register says of itself, as a guest loads it: "QEMU CFG".
constexpr u64 kDmaSignature = 0x4746'4320'554d'4551;

/// Of a descriptor's control word.
namespace control_bit {
constexpr u32 kError = 1;
constexpr u32 kRead = 2;
constexpr u32 kSkip = 4;
constexpr u32 kSelect = 8;
constexpr u32 kWrite = 16;
} // namespace control_bit
constexpr usize kControlBytes = 16; // control, length (4 each), address (8)

constexpr u16 kWantsToWrite = 0x4000;
constexpr std::array<u8, 4> kSignature{'Q', 'E', 'M', 'U'};
constexpr u32 kTraditionalAndDma = 3;
constexpr usize kZeroBytes = 512; // at once

/// Of the width of the field, in the other order.
template <class T>
T swapped(T value) {
    T out = 0;
    for (usize i = 0; i < sizeof(T); ++i)
        out = static_cast<T>(out << 8 | (value >> (8 * i) & 0xff));
    return out;
}

u64 big_endian(std::span<const u8> bytes) {
    u64 value = 0;
    for (const u8 byte : bytes)
        value = value << 8 | byte;
    return value;
}

void put_big_endian(std::span<u8> out, u64 value) {
    for (usize i = out.size(); i > 0; --i, value >>= 8)
        out[i - 1] = static_cast<u8>(value);
}

} // namespace

FwCfg::FwCfg(DmaPort &dma, WorkTurns &turns, LockMode locks)
    : dma_(dma), turns_(turns), lock_(LockRank::device, locks) {
    const bool made = add(fw_cfg_key::kSignature, kSignature) &&
                      add_number(fw_cfg_key::kInterfaces, kTraditionalAndDma, 4) &&
                      add(fw_cfg_key::kDirectory, std::span(directory_).first(4));
    SEL4VM_ASSERT(made); // the first three
}

// ---------------------------------------------------------------- items

bool FwCfg::add(u16 key, std::span<const u8> bytes) { return items_.emplace_back(Item{key, bytes}) != nullptr; }

bool FwCfg::add_number(u16 key, u32 value, u32 bytes) {
    std::array<u8, 4> *const number = numbers_.emplace_back();
    if (number == nullptr)
        return false;
    for (usize i = 0; i < number->size(); ++i)
        (*number)[i] = static_cast<u8>(value >> (8 * i));
    return add(key, std::span(*number).first(bytes));
}

bool FwCfg::add_file(std::string_view name, std::span<const u8> bytes) {
    if (name.size() > kMostNameBytes || files_ == kMostFiles)
        return false;
    const auto key = static_cast<u16>(fw_cfg_key::kFirstFile + files_);
    if (!add(key, bytes))
        return false;
    const std::span<u8> entry = std::span(directory_).subspan(4 + files_ * kDirectoryEntry, kDirectoryEntry);
    put_big_endian(entry.first(4), bytes.size());
    put_big_endian(entry.subspan(4, 2), key);
    std::copy(name.begin(), name.end(), entry.subspan(8).begin());
    put_big_endian(std::span(directory_).first(4), ++files_);
    for (Item &item : items_)
        if (item.key == fw_cfg_key::kDirectory)
            item.bytes = std::span(directory_).first(4 + files_ * kDirectoryEntry);
    return true;
}

/// Nothing for a number that no item has.
std::span<const u8> FwCfg::selected() const {
    for (const Item &item : items_)
        if (item.key == (state_.key & ~kWantsToWrite))
            return item.bytes;
    return {};
}

void FwCfg::select(u16 key) {
    state_.key = key;
    state_.offset = 0;
}

// ---------------------------------------------------------------- registers

// Behind the end of an item there are zeros.
Result<u64, BusFault> FwCfg::read(const Access &access) {
    LockGuard guard(lock_);
    if (access.offset >= kDma)
        return kDmaSignature >> (8 * (access.offset - kDma)) & mask_of(access.width);
    if (access.offset != kData)
        return u64{0};
    const std::span<const u8> bytes = selected();
    u64 value = 0;
    for (u32 i = 0; i < bytes_of(access.width); ++i) {
        if (state_.offset < bytes.size())
            value |= u64{bytes[state_.offset++]} << (8 * i);
    }
    return value;
}

Status<BusFault> FwCfg::write(const Access &access, u64 value) {
    LockGuard guard(lock_);
    if (access.offset == kSelector && access.width == Width::b2) {
        select(swapped(static_cast<u16>(value)));
    } else if (access.offset == kDma && access.width == Width::b4) {
        state_.address_high = swapped(static_cast<u32>(value));
    } else if (access.offset == kDmaLow && access.width == Width::b4) {
        ask_for_dma(access.vcpu, u64{state_.address_high} << 32 | swapped(static_cast<u32>(value)));
    } else if (access.offset == kDma && access.width == Width::b8) {
        ask_for_dma(access.vcpu, swapped(value));
    }
    return Ok{};
}

void FwCfg::reset() {
    LockGuard guard(lock_);
    turns_.withdraw(*this);
    state_ = State{};
}

// ---------------------------------------------------------------- DMA

// Another one while one goes on is lost, as the one that goes on would be if it were taken.
void FwCfg::ask_for_dma(VcpuId by, u64 descriptor) {
    state_.address_high = 0;
    if (state_.busy)
        return;
    state_.descriptor = descriptor;
    state_.busy = true;
    state_.begun = false;
    turns_.ask(*this, by);
}

bool FwCfg::work(u64 &left_bytes) {
    LockGuard guard(lock_);
    if (!state_.busy)
        return false;
    if (!state_.begun) {
        if (!dma_.bring_in(Gpa{state_.descriptor}, kControlBytes)) {
            left_bytes = 0; // clearing a part of its memory was a whole step
            return true;
        }
        left_bytes -= std::min<u64>(left_bytes, kControlBytes);
        if (!begin())
            return false;
    }
    while (state_.left != 0 && left_bytes != 0 && state_.busy)
        move(left_bytes);
    if (state_.busy && state_.left == 0)
        finish(true);
    return state_.busy;
}

/// False: it is over.
bool FwCfg::begin() {
    std::array<u8, kControlBytes> descriptor;
    if (!dma_.read(Gpa{state_.descriptor}, descriptor)) {
        state_.busy = false; // nowhere to say so
        return false;
    }
    const std::span<const u8> fields(descriptor);
    const auto control = static_cast<u32>(big_endian(fields.first(4)));
    state_.left = static_cast<u32>(big_endian(fields.subspan(4, 4)));
    state_.target = big_endian(fields.subspan(8));
    state_.begun = true;
    if ((control & control_bit::kSelect) != 0)
        select(static_cast<u16>(control >> 16));
    state_.moving =
        (control & control_bit::kRead) != 0 ? control_bit::kRead : control & (control_bit::kWrite | control_bit::kSkip);
    if ((state_.moving & control_bit::kWrite) != 0) {
        finish(false);
        return false;
    }
    if (state_.moving == control_bit::kSkip) {
        const u64 end = std::min<u64>(u64{state_.offset} + state_.left, selected().size());
        state_.offset = std::max(state_.offset, static_cast<u32>(end));
    }
    if (state_.moving != control_bit::kRead)
        state_.left = 0;
    return true;
}

void FwCfg::move(u64 &left_bytes) {
    static constexpr std::array<u8, kZeroBytes> kZeros{};
    const std::span<const u8> bytes = selected();
    std::span<const u8> piece = bytes.subspan(std::min<usize>(state_.offset, bytes.size()));
    const u64 most = std::min<u64>(state_.left, left_bytes);
    const bool behind = piece.empty();
    if (behind)
        piece = kZeros;
    piece = piece.first(std::min<u64>(piece.size(), most));
    if (!dma_.bring_in(Gpa{state_.target}, piece.size())) {
        left_bytes = 0;
        return;
    }
    if (!dma_.write(Gpa{state_.target}, piece)) {
        finish(false);
        return;
    }
    const auto count = static_cast<u32>(piece.size());
    state_.offset += behind ? 0 : count;
    state_.target += count;
    state_.left -= count;
    left_bytes -= count;
}

// The guest looks at the control word until nothing but the error is left in it. Each half is written after all before it.
void FwCfg::finish(bool good) {
    state_.busy = false;
    state_.left = 0;
    const u64 at = state_.descriptor;
    const auto low = swapped(static_cast<u16>(good ? 0 : control_bit::kError));
    if (dma_.store_index(Gpa{at + 2}, low) && dma_.store_index(Gpa{at}, 0))
        return;
    std::array<u8, 4> control{};
    put_big_endian(control, good ? 0 : control_bit::kError);
    static_cast<void>(
        dma_.write(Gpa{at}, control)); // at an odd address, or in memory that is not to be written: its own fault
}

} // namespace sel4vm::dev
