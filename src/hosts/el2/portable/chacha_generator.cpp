// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/chacha_generator.hpp>

#include <algorithm>
#include <bit>

namespace sel4vm::el2 {
namespace {

void quarter_round(ChaChaGenerator::Words &x, unsigned a, unsigned b, unsigned c, unsigned d) {
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 7);
}

} // namespace

ChaChaGenerator::Words ChaChaGenerator::block(const Words &state) {
    Words x = state;
    for (unsigned round = 0; round < 20; round += 2) {
        for (unsigned i = 0; i < 4; ++i)
            quarter_round(x, i, 4 + i, 8 + i, 12 + i);
        for (unsigned i = 0; i < 4; ++i)
            quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (unsigned i = 0; i < 16; ++i)
        x[i] += state[i];
    return x;
}

ChaChaGenerator::ChaChaGenerator(std::span<const u8, kKeyBytes> key) {
    for (usize i = 0; i < kKeyBytes; ++i)
        key_[i / 4] |= static_cast<u32>(key[i]) << (8 * (i % 4));
}

void ChaChaGenerator::fill(std::span<u8> out) {
    while (!out.empty()) {
        Words state{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
        std::copy(key_.begin(), key_.end(), state.begin() + 4);
        const Words words = block(state);
        std::copy(words.begin(), words.begin() + 8, key_.begin());
        const usize count = std::min<usize>(out.size(), 32);
        for (usize i = 0; i < count; ++i)
            out[i] = static_cast<u8>(words[8 + i / 4] >> (8 * (i % 4)));
        out = out.subspan(count);
    }
}

} // namespace sel4vm::el2
