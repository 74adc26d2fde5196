// SPDX-License-Identifier: BSD-2-Clause
//
// Reading a flattened device tree (Devicetree Specification v0.4) that the boot loader gave us: libfdt, plus the parts it
// leaves to its caller: addresses translated through the buses above a node, interrupts as INTIDs, ranges checked. A tree is input:
// nothing in it is trusted, and a mistake is a sentence that names the node. Strings and bytes that are returned lie inside the tree.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/text.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::el2 {

/// What is wrong with the tree, for people.
struct TreeError {
    Text<160> message;
};

/// The three cells of a GIC interrupt specifier.
struct GicSpecifier {
    u32 kind; ///< 0 SPI, 1 PPI
    u32 number;
    u32 flags;
};

class DeviceTree {
public:
    static constexpr u64 kMaxBytes = 2 * kMiB; // the boot protocol's limit

    /// A node's place in the tree; made by the functions below.
    struct Node {
        int offset;
    };

    /// Size that the header claims, when `header` (8 bytes or more) starts a tree; else 0.
    [[nodiscard]] static u64 claimed_size(std::span<const u8> header);
    /// Checks the whole structure once; `blob` is 8-byte aligned.
    [[nodiscard]] static Result<DeviceTree, TreeError> open(std::span<const u8> blob);

    [[nodiscard]] std::span<const u8> bytes() const { return blob_; }
    [[nodiscard]] std::optional<Node> find(std::string_view path) const;
    /// The first enabled node after `previous` (or of the tree) that is compatible with one of the names.
    [[nodiscard]] std::optional<Node> find_compatible(std::span<const char *const> names,
                                                      std::optional<Node> previous = std::nullopt) const;
    /// The node that a path or alias up to the first ':' names, as in stdout-path.
    [[nodiscard]] std::optional<Node> find_path_or_alias(std::string_view text) const;
    [[nodiscard]] std::optional<Node> first_child(Node parent) const;
    [[nodiscard]] std::optional<Node> next_sibling(Node node) const;
    [[nodiscard]] std::optional<Node> next_node(Node node) const;

    [[nodiscard]] bool is_enabled(Node node) const;
    [[nodiscard]] bool is_compatible(Node node, std::span<const char *const> names) const;
    [[nodiscard]] std::string_view name(Node node) const;

    [[nodiscard]] std::span<const u8> property(Node node, const char *name) const;
    /// Whether there is such a property, which may be empty.
    [[nodiscard]] bool has(Node node, const char *name) const;
    /// A string property up to its terminator; empty when absent or unterminated.
    [[nodiscard]] std::string_view string(Node node, const char *name) const;
    [[nodiscard]] std::optional<u32> cell(Node node, const char *name) const;
    /// A property of one or two cells.
    [[nodiscard]] std::optional<u64> number(Node node, const char *name) const;

    /// Entry `index` of "reg" as the CPU sees it; no value when there are not so many.
    [[nodiscard]] Result<std::optional<HostPhysRange>, TreeError> reg(Node node, unsigned index) const;
    /// The first number of "reg", untranslated (for cpu nodes).
    [[nodiscard]] std::optional<u64> unit_address(Node node) const;
    /// Entry `index` of "interrupts" when `controller` is the node's interrupt parent.
    [[nodiscard]] std::optional<GicSpecifier> interrupt(Node node, unsigned index, Node controller) const;

    /// The memory reservation block.
    [[nodiscard]] usize reserved_count() const;
    [[nodiscard]] std::optional<HostPhysRange> reserved(usize index) const;

    [[nodiscard]] TreeError error(Node node, std::string_view text) const;

private:
    explicit DeviceTree(std::span<const u8> blob) : blob_(blob) {}
    [[nodiscard]] const void *fdt() const { return blob_.data(); }
    [[nodiscard]] std::optional<u64> to_cpu_address(Node bus, u64 address, u64 size_bytes) const;

    std::span<const u8> blob_;
};

} // namespace sel4vm::el2
