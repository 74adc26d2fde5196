// SPDX-License-Identifier: BSD-2-Clause
//
// A RomPort over bytes of a test, which says whether it is shown and refuses what leaves it.
#pragma once

#include <sel4vm/vm/rom_port.hpp>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace sel4vm::test {

class ArrayRom final : public RomPort {
public:
    explicit ArrayRom(usize size_bytes) : bytes(size_bytes, 0xff) {}

    [[nodiscard]] u64 size_bytes() const override { return bytes.size(); }
    void hide() override {
        shown = false;
        ++changes;
    }
    void show() override {
        shown = true;
        ++changes;
    }
    void read(u64 offset, std::span<u8> out) const override {
        if (offset > bytes.size() || out.size() > bytes.size() - offset)
            std::abort(); // a device reads where it is
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    }
    void write(u64 offset, std::span<const u8> from) override {
        if (offset > bytes.size() || from.size() > bytes.size() - offset)
            std::abort();
        std::copy(from.begin(), from.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    }

    std::vector<u8> bytes;
    bool shown = true;
    unsigned changes = 0;
};

} // namespace sel4vm::test
