// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/cfi_flash/cfi_flash.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <bit>
#include <span>

namespace sel4vm::dev {
namespace {

// Commands.
constexpr u8 kProgram = 0x40;
constexpr u8 kProgramToo = 0x10;
constexpr u8 kErase = 0x20;
constexpr u8 kClearStatus = 0x50;
constexpr u8 kLock = 0x60;
constexpr u8 kReadStatus = 0x70;
constexpr u8 kReadIdentifier = 0x90;
constexpr u8 kQuery = 0x98;
constexpr u8 kSuspend = 0xb0;
constexpr u8 kConfirm = 0xd0;
constexpr u8 kBuffer = 0xe8;
constexpr u8 kReadArray = 0xff;
constexpr u8 kReset = 0xf0; // of the other command set, which drivers try, too

// Status.
constexpr u8 kReady = 0x80;
constexpr u8 kEraseError = 0x20;
constexpr u8 kProgramError = 0x10;
constexpr u8 kBlockLocked = 0x02;
constexpr u8 kSequenceError = kEraseError | kProgramError;

constexpr u64 kChips = 2;
constexpr u64 kWordBytes = CfiFlash::kBankWidth;
constexpr u32 kBufferWords = CfiFlash::kBufferBytes / CfiFlash::kBankWidth;

// JESD68.01; from byte 0x31 on the extended table of command set 1, version 1.0. A chip has one byte in each of its words.
constexpr u8 kFirstQuery = 0x10;
constexpr std::array<u8, 0x30> kQueryTable{
    'Q',  'R',  'Y',  0x01, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, // sets of commands
    0x27, 0x36, 0x00, 0x00,                                           // 2.7 to 3.6 V, no programming voltage
    0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00,                   // typical and longest times, as powers of two
    0x00, 0x01, 0x00, 0x09, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,       // size (made below), x16, buffer, blocks (below)
    'P',  'R',  'I',  '1',  '0',  0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x33, 0x00, 0x00};
constexpr u8 kSizeAt = 0x27;
constexpr u8 kBlocksAt = 0x2d;

u64 lanes_of(u32 word, u64 offset, Width width) { return word >> (8 * (offset % kWordBytes)) & mask_of(width); }

} // namespace

// ---------------------------------------------------------------- reads

Result<u64, BusFault> CfiFlash::read(const Access &access) {
    if (state_.mode == Mode::array) {
        u64 value = 0;
        memory_.read(access.offset, {reinterpret_cast<u8 *>(&value), bytes_of(access.width)});
        return value;
    }
    const auto word = [&](u64 offset) { return u32{answer(offset / kWordBytes)} * 0x1'0001; };
    if (access.width == Width::b8)
        return word(access.offset) | u64{word(access.offset + kWordBytes)} << 32;
    return lanes_of(word(access.offset), access.offset, access.width);
}

u16 CfiFlash::answer(u64 word) const {
    switch (state_.mode) {
    case Mode::identifier: return identifier(word);
    case Mode::query: return query(word);
    default: return state_.status;
    }
}

// A 28F256J3, whose size is half the usual bank's. Each block says at its third word whether it is locked.
u16 CfiFlash::identifier(u64 word) const {
    switch (word % (kBlockBytes / kWordBytes)) {
    case 0: return 0x0089;
    case 1: return 0x001d;
    case 2: return writes_ == Writes::locked ? 1 : 0;
    default: return 0;
    }
}

u8 CfiFlash::query(u64 word) const {
    const u64 blocks = memory_.size_bytes() / kBlockBytes;
    switch (word) {
    case kSizeAt: return static_cast<u8>(std::countr_zero(memory_.size_bytes() / kChips));
    case kBlocksAt: return static_cast<u8>(blocks - 1);
    case kBlocksAt + 1: return static_cast<u8>((blocks - 1) >> 8);
    default: break;
    }
    return word >= kFirstQuery && word - kFirstQuery < kQueryTable.size() ? kQueryTable[word - kFirstQuery] : u8{0};
}

// ---------------------------------------------------------------- writes

Status<BusFault> CfiFlash::write(const Access &access, u64 value) {
    if (access.width == Width::b8) { // two cycles of the bus
        write_word(access.offset, Width::b4, static_cast<u32>(value));
        write_word(access.offset + kWordBytes, Width::b4, static_cast<u32>(value >> 32));
    } else {
        write_word(access.offset, access.width, static_cast<u32>(value));
    }
    return Ok{};
}

void CfiFlash::write_word(u64 offset, Width width, u32 value) {
    const auto code = static_cast<u8>(value);
    switch (state_.mode) {
    case Mode::array:
    case Mode::identifier:
    case Mode::query:
    case Mode::status: command(offset, code); return;
    case Mode::program: program(offset, {reinterpret_cast<const u8 *>(&value), bytes_of(width)}); return;
    case Mode::erase:
        if (code == kConfirm)
            erase(offset);
        else
            finish(kSequenceError);
        return;
    case Mode::lock: finish(0); return;
    case Mode::buffer_count: count(value & 0xffff); return;
    case Mode::buffer_data: buffer(offset, width, value); return;
    case Mode::buffer_confirm:
        if (code == kConfirm)
            program_buffer();
        else
            finish(kSequenceError);
        return;
    }
}

void CfiFlash::command(u64 offset, u8 code) {
    switch (code) {
    case kReadArray:
    case kReset: enter(Mode::array); break;
    case kReadIdentifier: enter(Mode::identifier); break;
    case kQuery: enter(Mode::query); break;
    case kReadStatus:
    case kSuspend: enter(Mode::status); break;
    case kClearStatus: state_.status = kReady; break;
    case kProgram:
    case kProgramToo: enter(Mode::program); break;
    case kErase: enter(Mode::erase); break;
    case kLock: enter(Mode::lock); break;
    case kBuffer:
        state_.buffer_from = static_cast<u32>(offset / kWordBytes);
        enter(Mode::buffer_count);
        break;
    default: break; // no command
    }
}

void CfiFlash::count(u32 value) {
    if (value >= kBufferWords) {
        finish(kSequenceError);
        return;
    }
    state_.words_left = state_.buffer_words = value + 1;
    state_.buffer.fill(0xff); // which programs nothing
    enter(Mode::buffer_data);
}

// The first word says where the buffer goes; all are inside it, and in one block. A driver that takes the bank for one chip of 16 bits, as U-Boot does,
// counts halves of words, so less may come than was announced.
void CfiFlash::buffer(u64 offset, Width width, u32 value) {
    if (state_.words_left == state_.buffer_words)
        state_.buffer_from = static_cast<u32>(offset / kWordBytes);
    const u64 from = u64{state_.buffer_from} * kWordBytes;
    const u64 end = from + buffer_bytes();
    if (offset < from || offset >= end) {
        finish(kSequenceError);
        return;
    }
    const u64 bytes = std::min<u64>(bytes_of(width), end - offset);
    std::copy_n(reinterpret_cast<const u8 *>(&value), bytes, state_.buffer.begin() + (offset - from));
    if (--state_.words_left == 0)
        enter(Mode::buffer_confirm);
}

/// As far as its block goes.
u64 CfiFlash::buffer_bytes() const {
    const u64 from = u64{state_.buffer_from} * kWordBytes;
    return std::min(u64{state_.buffer_words} * kWordBytes, kBlockBytes - from % kBlockBytes);
}

void CfiFlash::program_buffer() {
    program(u64{state_.buffer_from} * kWordBytes, std::span(state_.buffer).first(buffer_bytes()));
}

void CfiFlash::program(u64 offset, std::span<const u8> data) {
    if (writes_ == Writes::locked) {
        finish(kBlockLocked | kProgramError);
        return;
    }
    std::array<u8, kBufferBytes> cells;
    const std::span<u8> there = std::span(cells).first(data.size());
    std::fill(there.begin(), there.end(), u8{0xff});
    memory_.read(offset, there);
    std::transform(there.begin(), there.end(), data.begin(), there.begin(),
                   [](u8 cell, u8 bits) { return static_cast<u8>(cell & bits); });
    memory_.write(offset, there);
    finish(0);
}

void CfiFlash::erase(u64 offset) {
    if (writes_ == Writes::locked) {
        finish(kBlockLocked | kEraseError);
        return;
    }
    std::array<u8, kBufferBytes> erased;
    erased.fill(0xff);
    const u64 block = align_down(offset, kBlockBytes);
    for (u64 at = block; at < block + kBlockBytes; at += erased.size())
        memory_.write(at, erased);
    finish(0);
}

/// Errors stay until they are cleared.
void CfiFlash::finish(u8 error) {
    state_.status |= error;
    enter(Mode::status);
}

void CfiFlash::enter(Mode mode) {
    const bool was_array = state_.mode == Mode::array;
    state_.mode = mode;
    if (was_array == (mode == Mode::array))
        return;
    if (was_array)
        memory_.hide();
    else
        memory_.show();
}

// ---------------------------------------------------------------- state

void CfiFlash::reset() {
    enter(Mode::array);
    state_ = State{};
}

void CfiFlash::restore(const State &state) {
    const Mode mode = state.mode <= kLastMode ? state.mode : Mode::array;
    enter(mode);
    state_ = state;
    state_.mode = mode;
    state_.status = (state.status & (kSequenceError | kBlockLocked)) | kReady;
    state_.buffer_words = std::min(state.buffer_words, kBufferWords);
    state_.words_left = std::min(state.words_left, state_.buffer_words);
    const u64 words = memory_.size_bytes() / kWordBytes;
    state_.buffer_from = static_cast<u32>(std::min<u64>(state.buffer_from, words - state_.buffer_words));
    if (state_.words_left == 0 && mode == Mode::buffer_data)
        enter(Mode::status);
}

} // namespace sel4vm::dev
