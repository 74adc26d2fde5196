// SPDX-License-Identifier: BSD-2-Clause
//
// Device trees in tests: a buffer with the alignment that libfdt wants, and properties by path as plain values.
#pragma once

#include <sel4vm/base/types.hpp>

#include <algorithm>
#include <cstring>
#include <libfdt.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sel4vm::test {

/// 8-byte aligned, and no more than rounded up to that, so that the address sanitizer sees what reads beyond.
class TreeBuffer {
public:
    explicit TreeBuffer(usize size) : words_(std::max<usize>((size + 7) / 8, 1)), size_(size) {}
    explicit TreeBuffer(std::span<const u8> bytes) : TreeBuffer(bytes.size()) {
        std::copy(bytes.begin(), bytes.end(), this->bytes().begin());
    }
    std::span<u8> bytes() { return {reinterpret_cast<u8 *>(words_.data()), size_}; }

private:
    std::vector<u64> words_;
    usize size_;
};

/// Reads a tree that was checked before.
class TreeView {
public:
    explicit TreeView(std::span<const u8> tree) : tree_(tree.data()) {}

    [[nodiscard]] bool has(const char *path) const { return fdt_path_offset(tree_, path) >= 0; }
    [[nodiscard]] std::optional<std::vector<u8>> bytes(const char *path, const char *property) const {
        const int node = fdt_path_offset(tree_, path);
        int size = 0;
        const void *value = node >= 0 ? fdt_getprop(tree_, node, property, &size) : nullptr;
        if (value == nullptr)
            return std::nullopt;
        const auto *first = static_cast<const u8 *>(value);
        return std::vector<u8>(first, first + size);
    }
    [[nodiscard]] std::vector<u32> cells(const char *path, const char *property) const {
        const auto raw = bytes(path, property).value_or(std::vector<u8>{});
        std::vector<u32> cells;
        for (usize i = 0; i + 4 <= raw.size(); i += 4)
            cells.push_back(u32{raw[i]} << 24 | u32{raw[i + 1]} << 16 | u32{raw[i + 2]} << 8 | raw[i + 3]);
        return cells;
    }
    /// The strings of a list, each ended by '|'.
    [[nodiscard]] std::string texts(const char *path, const char *property) const {
        const auto raw = bytes(path, property).value_or(std::vector<u8>{});
        std::string text(raw.begin(), raw.end());
        std::replace(text.begin(), text.end(), '\0', '|');
        return text;
    }

private:
    const void *tree_;
};

} // namespace sel4vm::test
