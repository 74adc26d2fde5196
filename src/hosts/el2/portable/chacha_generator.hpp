// SPDX-License-Identifier: BSD-2-Clause
//
// Random bytes from a 256-bit key: the ChaCha20 block function (RFC 8439 section 2.3) with the key replaced by the
// first half of every block, so that what was handed out cannot be computed from the state that remains. Not a cipher; no threads.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <span>

namespace sel4vm::el2 {

class ChaChaGenerator {
public:
    static constexpr usize kKeyBytes = 32;

    ChaChaGenerator() = default;
    explicit ChaChaGenerator(std::span<const u8, kKeyBytes> key);
    void fill(std::span<u8> out);

    using Words = std::array<u32, 16>;
    /// The block function: the input state after 20 rounds, added to itself.
    [[nodiscard]] static Words block(const Words &state);

private:
    std::array<u32, 8> key_{};
};

} // namespace sel4vm::el2
