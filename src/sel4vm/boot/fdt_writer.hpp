// SPDX-License-Identifier: BSD-2-Clause
//
// Writes a flattened device tree front to back into memory of the caller, over libfdt's sequential-write interface. The
// first error sticks and is told by finish(), so that a tree is written without a check per property. On the target
// only before the first guest runs: the libfdt there uses SIMD registers.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

#include <initializer_list>
#include <span>
#include <string_view>

namespace sel4vm::boot {

enum class FdtError : u8 {
    no_space,  ///< the buffer is too small
    bad_name,  ///< a node or property name that is empty where it must not be, or too long
    malformed, ///< not a well-formed tree
    bad_cells, ///< #address-cells and #size-cells of the root that are not 1 or 2, or too narrow for a number
};
[[nodiscard]] std::string_view to_string(FdtError error);

class FdtWriter {
public:
    /// `buffer` is 8-byte aligned.
    explicit FdtWriter(std::span<u8> buffer);
    FdtWriter(const FdtWriter &) = delete;
    FdtWriter &operator=(const FdtWriter &) = delete;

    FdtWriter &begin_node(std::string_view name);
    /// `name@address`, the address in hexadecimal as the specification wants it.
    FdtWriter &begin_node(std::string_view name, u64 unit_address);
    FdtWriter &end_node();

    /// Property names are literals.
    FdtWriter &empty(const char *name);
    FdtWriter &cells(const char *name, std::initializer_list<u32> values);
    FdtWriter &cells(const char *name, std::span<const u32> values);
    FdtWriter &cell(const char *name, u32 value) { return cells(name, {value}); }
    /// Values of two cells each.
    FdtWriter &wide_cells(const char *name, std::initializer_list<u64> values);
    /// A string, or a list of strings.
    FdtWriter &text(const char *name, std::string_view value) { return texts(name, {value}); }
    FdtWriter &texts(const char *name, std::initializer_list<std::string_view> values);
    FdtWriter &bytes(const char *name, std::span<const u8> value);

    /// The finished tree inside the buffer.
    [[nodiscard]] Result<std::span<const u8>, FdtError> finish();

private:
    void note(int libfdt_result);
    std::span<u8> open_property(const char *name, usize size_bytes);
    std::span<u8> buffer_;
    int error_ = 0; ///< libfdt's
    u32 depth_ = 0; ///< nodes begun and not ended
};

} // namespace sel4vm::boot
