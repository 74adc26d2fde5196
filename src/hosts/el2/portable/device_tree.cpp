// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/device_tree.hpp>

#include <algorithm>
#include <libfdt.h>

namespace sel4vm::el2 {
namespace {

constexpr unsigned kMaxDepth = 16;
constexpr usize kVersionCell = 5; // of the header
constexpr u32 kOldestVersion = 16;

std::optional<DeviceTree::Node> node_at(int offset) {
    if (offset < 0)
        return std::nullopt;
    return DeviceTree::Node{offset};
}

/// Big-endian number of 1 or 2 cells at `cell_index`; the caller knows that it is there.
u64 cells_at(std::span<const u8> bytes, usize cell_index, unsigned cells) {
    u64 value = 0;
    for (usize i = 0; i < 4 * usize{cells}; ++i)
        value = value << 8 | bytes[4 * cell_index + i];
    return value;
}

bool plain_cells(int cells, int least) { return cells >= least && cells <= 2; }

} // namespace

u64 DeviceTree::claimed_size(std::span<const u8> header) {
    if (header.size() < 8 || cells_at(header, 0, 1) != FDT_MAGIC)
        return 0;
    return cells_at(header, 1, 1);
}

Result<DeviceTree, TreeError> DeviceTree::open(std::span<const u8> blob) {
    TreeError bad;
    const u64 claimed = claimed_size(blob);
    if (claimed == 0)
        bad.message << "there is no device tree";
    else if (claimed > blob.size() || claimed > kMaxBytes)
        bad.message << "the device tree claims " << claimed << " bytes, at most "
                    << std::min<u64>(blob.size(), kMaxBytes) << " are possible";
    // fdt_check_full() of libfdt 1.6.1 reads through a null pointer in trees of older versions, whose node names are paths.
    else if (claimed < FDT_V16_SIZE || cells_at(blob, kVersionCell, 1) < kOldestVersion)
        bad.message << "the device tree is older than version " << kOldestVersion;
    else if (const int code = fdt_check_full(blob.data(), static_cast<size_t>(claimed)); code != 0)
        bad.message << "the device tree is damaged (libfdt: " << fdt_strerror(code) << ")";
    else
        return DeviceTree(blob.first(static_cast<usize>(claimed)));
    return Err{bad};
}

// ---------------------------------------------------------------- nodes

std::optional<DeviceTree::Node> DeviceTree::find(std::string_view path) const {
    return node_at(fdt_path_offset_namelen(fdt(), path.data(), static_cast<int>(path.size())));
}

std::optional<DeviceTree::Node> DeviceTree::find_compatible(std::span<const char *const> names,
                                                            std::optional<Node> previous) const {
    auto node = previous ? next_node(*previous) : node_at(0);
    for (; node; node = next_node(*node)) {
        if (is_compatible(*node, names) && is_enabled(*node))
            return node;
    }
    return std::nullopt;
}

std::optional<DeviceTree::Node> DeviceTree::find_path_or_alias(std::string_view text) const {
    text = text.substr(0, text.find(':'));
    if (text.empty())
        return std::nullopt;
    return node_at(fdt_path_offset_namelen(fdt(), text.data(), static_cast<int>(text.size())));
}

std::optional<DeviceTree::Node> DeviceTree::first_child(Node parent) const {
    return node_at(fdt_first_subnode(fdt(), parent.offset));
}
std::optional<DeviceTree::Node> DeviceTree::next_sibling(Node node) const {
    return node_at(fdt_next_subnode(fdt(), node.offset));
}
std::optional<DeviceTree::Node> DeviceTree::next_node(Node node) const {
    return node_at(fdt_next_node(fdt(), node.offset, nullptr));
}

bool DeviceTree::is_enabled(Node node) const {
    const auto status = string(node, "status");
    return property(node, "status").empty() || status == "okay" || status == "ok";
}
/// One look at the property for all names: finding a property is what costs time in a flattened tree.
bool DeviceTree::is_compatible(Node node, std::span<const char *const> names) const {
    const auto list = property(node, "compatible");
    auto at = list.begin();
    while (at != list.end()) {
        const auto end = std::find(at, list.end(), u8{0});
        if (end == list.end())
            return false;
        // SAFETY: characters may alias bytes.
        const std::string_view entry{reinterpret_cast<const char *>(&*at), static_cast<usize>(end - at)};
        if (std::any_of(names.begin(), names.end(), [&](const char *name) { return entry == name; }))
            return true;
        at = end + 1;
    }
    return false;
}
std::string_view DeviceTree::name(Node node) const {
    int length = 0;
    const char *text = fdt_get_name(fdt(), node.offset, &length);
    return text == nullptr ? std::string_view{} : std::string_view{text, static_cast<usize>(length)};
}

// ---------------------------------------------------------------- properties

std::span<const u8> DeviceTree::property(Node node, const char *name) const {
    int length = 0;
    const void *data = fdt_getprop(fdt(), node.offset, name, &length);
    if (data == nullptr || length <= 0)
        return {};
    return {static_cast<const u8 *>(data), static_cast<usize>(length)};
}

bool DeviceTree::has(Node node, const char *name) const {
    return fdt_getprop(fdt(), node.offset, name, nullptr) != nullptr;
}

std::string_view DeviceTree::string(Node node, const char *name) const {
    const auto bytes = property(node, name);
    const auto end = std::find(bytes.begin(), bytes.end(), u8{0});
    if (end == bytes.end())
        return {};
    // SAFETY: characters may alias bytes, and the terminator was found inside the property.
    return {reinterpret_cast<const char *>(bytes.data()), static_cast<usize>(end - bytes.begin())};
}

std::optional<u32> DeviceTree::cell(Node node, const char *name) const {
    const auto bytes = property(node, name);
    if (bytes.size() != 4)
        return std::nullopt;
    return static_cast<u32>(cells_at(bytes, 0, 1));
}

std::optional<u64> DeviceTree::number(Node node, const char *name) const {
    const auto bytes = property(node, name);
    if (bytes.size() != 4 && bytes.size() != 8)
        return std::nullopt;
    return cells_at(bytes, 0, static_cast<unsigned>(bytes.size() / 4));
}

// ---------------------------------------------------------------- addresses

/// Carries an address on the bus up to the root, through "ranges".
std::optional<u64> DeviceTree::to_cpu_address(Node from, u64 address, u64 size_bytes) const {
    int bus = from.offset;
    for (unsigned depth = 0; bus > 0; ++depth) {
        const int parent = fdt_parent_offset(fdt(), bus);
        if (depth == kMaxDepth || parent < 0)
            return std::nullopt;
        int length = 0;
        const void *data = fdt_getprop(fdt(), bus, "ranges", &length);
        if (data == nullptr)
            return std::nullopt; // this bus cannot be reached from the CPU
        const int child_cells = fdt_address_cells(fdt(), bus);
        const int size_cells = fdt_size_cells(fdt(), bus);
        const int parent_cells = fdt_address_cells(fdt(), parent);
        if (!plain_cells(child_cells, 1) || !plain_cells(size_cells, 1) || !plain_cells(parent_cells, 1))
            return std::nullopt;
        const std::span<const u8> ranges{static_cast<const u8 *>(data), static_cast<usize>(std::max(length, 0))};
        bool found = ranges.empty(); // empty: the two buses are one
        const auto c = static_cast<unsigned>(child_cells);
        const auto p = static_cast<unsigned>(parent_cells);
        const auto s = static_cast<unsigned>(size_cells);
        for (usize at = 0; !found && 4 * (at + c + p + s) <= ranges.size(); at += c + p + s) {
            const u64 child_base = cells_at(ranges, at, c);
            const u64 parent_base = cells_at(ranges, at + c, p);
            const u64 window = cells_at(ranges, at + c + p, s);
            const u64 offset = address - child_base;
            if (address < child_base || offset >= window || size_bytes > window - offset)
                continue;
            const auto sum = checked_add(parent_base, offset);
            if (!sum)
                return std::nullopt;
            address = *sum;
            found = true;
        }
        if (!found)
            return std::nullopt;
        bus = parent;
    }
    return bus < 0 ? std::nullopt : std::optional{address};
}

Result<std::optional<HostPhysRange>, TreeError> DeviceTree::reg(Node node, unsigned index) const {
    const int parent = fdt_parent_offset(fdt(), node.offset);
    const int address_cells = parent < 0 ? -1 : fdt_address_cells(fdt(), parent);
    const int size_cells = parent < 0 ? -1 : fdt_size_cells(fdt(), parent);
    if (!plain_cells(address_cells, 1) || !plain_cells(size_cells, 1))
        return Err{error(node, "the bus has an unsupported number of address or size cells")};
    const auto a = static_cast<unsigned>(address_cells);
    const auto s = static_cast<unsigned>(size_cells);
    const auto bytes = property(node, "reg");
    if (bytes.size() % (4 * usize{a + s}) != 0)
        return Err{error(node, "'reg' has an odd length")};
    const usize at = usize{index} * (a + s);
    if (4 * (at + a + s) > bytes.size())
        return std::optional<HostPhysRange>{};
    const u64 base = cells_at(bytes, at, a);
    const u64 size = cells_at(bytes, at + a, s);
    const auto address = to_cpu_address(Node{parent}, base, size);
    if (!address)
        return Err{error(node, "'reg' cannot be reached through the buses above")};
    const auto range = HostPhysRange::make(HostPhys{*address}, size);
    if (!range || range->end().value() > u64{1} << 48)
        return Err{error(node, "'reg' is empty or lies beyond 48 bits of address")};
    return range;
}

std::optional<u64> DeviceTree::unit_address(Node node) const {
    const int parent = fdt_parent_offset(fdt(), node.offset);
    const int cells = parent < 0 ? -1 : fdt_address_cells(fdt(), parent);
    const auto bytes = property(node, "reg");
    if (!plain_cells(cells, 1) || bytes.size() < 4 * static_cast<usize>(cells))
        return std::nullopt;
    return cells_at(bytes, 0, static_cast<unsigned>(cells));
}

std::optional<GicSpecifier> DeviceTree::interrupt(Node node, unsigned index, Node controller) const {
    int at = node.offset;
    std::optional<u32> parent;
    for (unsigned depth = 0; at >= 0 && depth < kMaxDepth; ++depth) {
        parent = cell(Node{at}, "interrupt-parent");
        if (parent)
            break;
        at = fdt_parent_offset(fdt(), at);
    }
    const u32 phandle = fdt_get_phandle(fdt(), controller.offset);
    const auto bytes = property(node, "interrupts");
    if (!parent || *parent != phandle || cell(controller, "#interrupt-cells") < 3U ||
        bytes.size() < 4 * (3 * usize{index} + 3))
        return std::nullopt;
    // A controller with more cells (partitioned PPIs) has them after the first three.
    const usize stride = *cell(controller, "#interrupt-cells");
    if (stride > 4 || 4 * (index * stride + 3) > bytes.size())
        return std::nullopt;
    const usize first = index * stride;
    return GicSpecifier{static_cast<u32>(cells_at(bytes, first, 1)), static_cast<u32>(cells_at(bytes, first + 1, 1)),
                        static_cast<u32>(cells_at(bytes, first + 2, 1))};
}

// ---------------------------------------------------------------- the rest

usize DeviceTree::reserved_count() const { return static_cast<usize>(std::max(fdt_num_mem_rsv(fdt()), 0)); }

std::optional<HostPhysRange> DeviceTree::reserved(usize index) const {
    uint64_t base = 0;
    uint64_t size = 0;
    if (fdt_get_mem_rsv(fdt(), static_cast<int>(index), &base, &size) != 0)
        return std::nullopt;
    return HostPhysRange::make(HostPhys{base}, size);
}

TreeError DeviceTree::error(Node node, std::string_view text) const {
    TreeError e;
    e.message << "device tree node '" << (node.offset == 0 ? std::string_view{"/"} : name(node)) << "': " << text;
    return e;
}

} // namespace sel4vm::el2
