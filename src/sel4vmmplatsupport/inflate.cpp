// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vmmplatsupport/inflate.hpp>

namespace sel4vm::platsupport {
namespace {

// RFC 1951, 3.2.5: the base of each length and distance symbol, and how many more bits say the rest.
constexpr unsigned kFirstLength = 257, kLengths = 29, kDistances = 30, kEndOfBlock = 256, kBadSymbol = ~0u;
constexpr std::array<u16, kLengths> kLengthBase{3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<u8, kLengths> kLengthBits{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                               2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<u16, kDistances> kDistanceBase{1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                                    33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                                    1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::array<u8, kDistances> kDistanceBits{0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                   6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
// 3.2.7: the order in which the code for code lengths is sent.
constexpr std::array<u8, 19> kOrder{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

} // namespace

u32 Inflater::bits(unsigned count) {
    while (bit_count_ < count) {
        const int byte = input_.next();
        if (byte < 0) {
            fail();
            return 0;
        }
        bit_buffer_ |= static_cast<u32>(byte) << bit_count_;
        bit_count_ += 8;
    }
    const u32 value = bit_buffer_ & ((u32{1} << count) - 1);
    bit_buffer_ >>= count;
    bit_count_ -= count;
    return value;
}

// Codes of one length are consecutive numbers, and each length's begin where the shorter ones left off, doubled.
template <usize Symbols>
unsigned Inflater::decode(const Code<Symbols> &code) {
    u32 value = 0, first = 0, index = 0;
    for (unsigned length = 1; length <= kMaxBits; ++length) {
        value |= bits(1);
        const u32 count = code.counts[length];
        if (value - first < count)
            return code.symbols[index + (value - first)];
        index += count;
        first = (first + count) << 1;
        value <<= 1;
    }
    fail();
    return kBadSymbol;
}

/// False when more codes of a length are asked for than there can be. Too few are allowed: the missing ones are found in decode().
template <usize Symbols>
bool Inflater::build(Code<Symbols> &code, std::span<const u8> lengths) {
    code.counts.fill(0);
    for (const u8 length : lengths)
        ++code.counts[length];
    code.counts[0] = 0;
    i32 left = 1;
    std::array<u16, kMaxBits + 2> offsets{};
    for (unsigned length = 1; length <= kMaxBits; ++length) {
        left = left * 2 - code.counts[length];
        if (left < 0)
            return false;
        offsets[length + 1] = static_cast<u16>(offsets[length] + code.counts[length]);
    }
    for (usize symbol = 0; symbol < lengths.size(); ++symbol) {
        if (lengths[symbol] != 0)
            code.symbols[offsets[lengths[symbol]]++] = static_cast<u16>(symbol);
    }
    return true;
}

void Inflater::begin_stored() {
    bit_buffer_ = 0; // the rest of the byte is padding
    bit_count_ = 0;
    const u32 size = bits(16);
    const u32 complement = bits(16);
    if (state_ == State::damaged || size != (complement ^ 0xffff))
        return fail();
    stored_left_ = size;
    state_ = State::stored;
}

void Inflater::begin_fixed() {
    std::array<u8, 288> lengths;
    for (usize i = 0; i < lengths.size(); ++i)
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    std::array<u8, kDistances> distances;
    distances.fill(5);
    if (!build(literals_, lengths) || !build(distances_, distances))
        return fail();
    state_ = State::codes;
}

// The lengths of both codes as one sequence, itself coded.
bool Inflater::read_lengths(std::span<u8> lengths) {
    usize done = 0;
    while (done < lengths.size()) {
        const unsigned symbol = decode(literals_);
        if (state_ == State::damaged)
            return false;
        if (symbol < 16) {
            lengths[done++] = static_cast<u8>(symbol);
            continue;
        }
        if (symbol == 16 && done == 0)
            return false;
        const u8 value = symbol == 16 ? lengths[done - 1] : u8{0};
        const usize times = symbol == 16 ? 3 + bits(2) : symbol == 17 ? 3 + bits(3) : 11 + bits(7);
        if (times > lengths.size() - done)
            return false;
        for (usize i = 0; i < times; ++i)
            lengths[done++] = value;
    }
    return state_ != State::damaged;
}

void Inflater::begin_dynamic() {
    const usize literal_count = bits(5) + 257;
    const usize distance_count = bits(5) + 1;
    const usize order_count = bits(4) + 4;
    if (literal_count > 286 || distance_count > kDistances)
        return fail();
    std::array<u8, kOrder.size()> order{};
    for (usize i = 0; i < order_count; ++i)
        order[kOrder[i]] = static_cast<u8>(bits(3));
    if (!build(literals_, order))
        return fail();
    std::array<u8, 286 + kDistances> lengths{};
    const std::span<u8> both(lengths.data(), literal_count + distance_count);
    if (!read_lengths(both) || both[kEndOfBlock] == 0)
        return fail();
    if (!build(literals_, both.first(literal_count)) || !build(distances_, both.subspan(literal_count)))
        return fail();
    state_ = State::codes;
}

void Inflater::begin_block() {
    if (last_block_) {
        state_ = State::finished;
        return;
    }
    last_block_ = bits(1) != 0;
    const u32 type = bits(2);
    if (state_ == State::damaged)
        return;
    switch (type) {
    case 0: return begin_stored();
    case 1: return begin_fixed();
    case 2: return begin_dynamic();
    default: return fail();
    }
}

void Inflater::put(u8 byte) {
    window_[written_ % kWindowBytes] = byte;
    ++written_;
    out_[out_size_++] = byte;
}

void Inflater::next_symbol() {
    const unsigned symbol = decode(literals_);
    if (state_ == State::damaged)
        return;
    if (symbol < kEndOfBlock)
        return put(static_cast<u8>(symbol));
    if (symbol == kEndOfBlock) {
        state_ = State::block;
        return;
    }
    const unsigned length = symbol - kFirstLength;
    if (length >= kLengths)
        return fail();
    copy_left_ = kLengthBase[length] + bits(kLengthBits[length]);
    const unsigned distance = decode(distances_);
    if (state_ == State::damaged || distance >= kDistances)
        return fail();
    const u64 back = kDistanceBase[distance] + bits(kDistanceBits[distance]);
    if (state_ == State::damaged || back > written_ || back > kWindowBytes)
        return fail();
    copy_from_ = (written_ - back) % kWindowBytes;
}

usize Inflater::read(std::span<u8> out) {
    out_ = out;
    out_size_ = 0;
    while (out_size_ < out.size() && state_ != State::damaged && state_ != State::finished) {
        if (copy_left_ != 0) {
            --copy_left_;
            put(window_[copy_from_]);
            copy_from_ = (copy_from_ + 1) % kWindowBytes;
        } else if (state_ == State::block) {
            begin_block();
        } else if (state_ == State::codes) {
            next_symbol();
        } else if (stored_left_ == 0) {
            state_ = State::block;
        } else {
            --stored_left_;
            const u32 byte = bits(8);
            if (state_ != State::damaged)
                put(static_cast<u8>(byte));
        }
    }
    return out_size_;
}

} // namespace sel4vm::platsupport
