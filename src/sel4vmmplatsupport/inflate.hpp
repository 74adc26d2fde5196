// SPDX-License-Identifier: BSD-2-Clause
//
// Unpacks a deflate stream (RFC 1951) piece by piece, with a window of 32 KiB and nothing else kept. The stream is not
// believed: a code, length or distance that cannot be ends it with an error. Deliberately no checksum and no container format: see
// gzip_image.hpp. Written for small size: a kernel is unpacked once.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <span>

namespace sel4vm::platsupport {

/// Where the compressed bytes come from.
class ByteInput {
public:
    /// The next byte, or -1 at the end.
    [[nodiscard]] virtual int next() = 0;

protected:
    ~ByteInput() = default;
};

class Inflater {
public:
    enum class State : u8 { block, stored, codes, finished, damaged };

    explicit Inflater(ByteInput &input) : input_(input) {}
    Inflater(const Inflater &) = delete;
    Inflater &operator=(const Inflater &) = delete;

    /// Fills `out` as far as the stream goes and returns how much that was; less only at its end or when it is damaged.
    [[nodiscard]] usize read(std::span<u8> out);
    [[nodiscard]] State state() const { return state_; }

private:
    static constexpr usize kWindowBytes = 32 * kKiB;
    static constexpr unsigned kMaxBits = 15;

    /// A canonical Huffman code: how many codes of each length there are, and the symbols in the order of their codes.
    template <usize Symbols>
    struct Code {
        std::array<u16, kMaxBits + 1> counts{};
        std::array<u16, Symbols> symbols{};
    };

    [[nodiscard]] u32 bits(unsigned count);
    template <usize Symbols>
    [[nodiscard]] unsigned decode(const Code<Symbols> &code);
    template <usize Symbols>
    [[nodiscard]] static bool build(Code<Symbols> &code, std::span<const u8> lengths);
    void begin_block();
    void begin_stored();
    void begin_fixed();
    void begin_dynamic();
    [[nodiscard]] bool read_lengths(std::span<u8> lengths);
    void next_symbol();
    void put(u8 byte);
    void fail() { state_ = State::damaged; }

    ByteInput &input_;
    State state_ = State::block;
    bool last_block_ = false;
    u32 bit_buffer_ = 0;
    unsigned bit_count_ = 0;
    u32 stored_left_ = 0;
    u32 copy_left_ = 0; ///< of a match, from copy_from_
    usize copy_from_ = 0;
    u64 written_ = 0;
    std::span<u8> out_{};
    usize out_size_ = 0;
    Code<288> literals_;
    Code<30> distances_;
    std::array<u8, kWindowBytes> window_;
};

} // namespace sel4vm::platsupport
