// SPDX-License-Identifier: BSD-2-Clause
//
// Finds, in what one guest prints, the line with which a Linux kernel announces that it gives up: "Kernel panic - not syncing",
// at the start of a line, behind optional time stamps. A kernel has no other way to say so. Knows bytes only: the marks that a
// console puts before the lines of several guests must not be among them, or one guest could speak as another.
#pragma once

#include <sel4vm/base/types.hpp>

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::machine {

class PanicLine {
public:
    /// Bytes of a line that are looked at; the rest of a longer one is passed over.
    static constexpr usize kLongestLine = 200;

    /// When `bytes` complete such a line: what it says behind those words, valid until the next call; it may be empty. What
    /// follows the line in `bytes` is not looked at.
    [[nodiscard]] std::optional<std::string_view> feed(std::span<const u8> bytes);
    /// Forgets the line that is not finished.
    void clear() { size_ = 0; }

private:
    std::array<char, kLongestLine> line_{};
    usize size_ = 0;
};

} // namespace sel4vm::machine
