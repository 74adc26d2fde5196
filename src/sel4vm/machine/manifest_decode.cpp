// SPDX-License-Identifier: BSD-2-Clause
//
// Reads a manifest as written by manifest_encode.cpp, and believes nothing: every property must be there with its size,
// names must be known, numbers must fit their field. Whether they make sense is validate()'s business.
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/fdt_check.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/names.hpp>

#include <libfdt.h>

namespace sel4vm::machine {
namespace {

using Kind = ManifestErrorKind;

Err<ManifestError> fail(Kind kind, std::string_view what) { return Err{ManifestError{kind, what}}; }

/// One node, and its properties as values or errors that name them.
class Node {
public:
    Node(const void *tree, int offset) : tree_(tree), offset_(offset) {}

    [[nodiscard]] bool has(const char *name) const { return fdt_getprop(tree_, offset_, name, nullptr) != nullptr; }

    [[nodiscard]] Result<std::span<const u8>, ManifestError> bytes(const char *name) const {
        int size = 0;
        const void *value = fdt_getprop(tree_, offset_, name, &size);
        if (value == nullptr || size < 0)
            return fail(Kind::missing_property, name);
        return std::span<const u8>(static_cast<const u8 *>(value), static_cast<usize>(size));
    }
    [[nodiscard]] Result<std::span<const u8>, ManifestError> bytes(const char *name, usize size) const {
        const auto value = SEL4VM_TRY(bytes(name));
        if (value.size() != size)
            return fail(Kind::bad_property, name);
        return value;
    }
    [[nodiscard]] Result<u32, ManifestError> cell(const char *name) const {
        return boot::load_be<u32>(SEL4VM_TRY(bytes(name, 4)), 0);
    }
    [[nodiscard]] Result<u8, ManifestError> byte(const char *name) const {
        const u32 value = SEL4VM_TRY(cell(name));
        if (value > 0xff)
            return fail(Kind::bad_property, name);
        return static_cast<u8>(value);
    }
    [[nodiscard]] Result<bool, ManifestError> flag(const char *name) const {
        const u32 value = SEL4VM_TRY(cell(name));
        if (value > 1)
            return fail(Kind::bad_property, name);
        return value == 1;
    }
    [[nodiscard]] Result<u64, ManifestError> wide(const char *name) const {
        return boot::load_be<u64>(SEL4VM_TRY(bytes(name, 8)), 0);
    }
    [[nodiscard]] Result<AddressBlock, ManifestError> block(const char *name) const {
        const auto value = SEL4VM_TRY(bytes(name, 16));
        return AddressBlock{Gpa{boot::load_be<u64>(value, 0)}, boot::load_be<u64>(value, 8)};
    }
    [[nodiscard]] Result<std::string_view, ManifestError> text(const char *name) const {
        const auto value = SEL4VM_TRY(bytes(name));
        // SAFETY: char may alias any object.
        const std::string_view all(reinterpret_cast<const char *>(value.data()), value.size());
        if (all.empty() || all.find('\0') != all.size() - 1)
            return fail(Kind::bad_property, name);
        return all.substr(0, all.size() - 1);
    }
    template <class E>
    [[nodiscard]] Result<E, ManifestError> choice(const char *name) const {
        const auto value = from_name<E>(SEL4VM_TRY(text(name)));
        if (!value)
            return fail(Kind::bad_property, name);
        return *value;
    }

    /// The part of a node's name before its unit address.
    [[nodiscard]] std::string_view kind() const {
        const char *name = fdt_get_name(tree_, offset_, nullptr);
        const std::string_view whole = name != nullptr ? name : "";
        return whole.substr(0, whole.find('@'));
    }
    [[nodiscard]] const void *tree() const { return tree_; }
    [[nodiscard]] int offset() const { return offset_; }

private:
    const void *tree_;
    int offset_;
};

/// Calls `visit(child)` for each child until one fails.
template <class Visit>
Status<ManifestError> for_each_child(const Node &parent, Visit visit) {
    for (int at = fdt_first_subnode(parent.tree(), parent.offset()); at >= 0; at = fdt_next_subnode(parent.tree(), at))
        SEL4VM_TRY(visit(Node(parent.tree(), at)));
    return Ok{};
}

Result<GicRecord, ManifestError> read_gic(const Node &node) {
    GicRecord gic;
    const u32 version = SEL4VM_TRY(node.cell("version"));
    if (version != 2 && version != 3)
        return fail(Kind::bad_property, "gic version");
    gic.version = static_cast<GicVersion>(version);
    gic.distributor = SEL4VM_TRY(node.block("distributor"));
    gic.cpu_interface = SEL4VM_TRY(node.block("cpu-interface"));
    gic.redistributors = SEL4VM_TRY(node.block("redistributors"));
    gic.spi_count = SEL4VM_TRY(node.cell("spis"));
    return gic;
}

Result<TimerRecord, ManifestError> read_timer(const Node &vm) {
    const auto cells = SEL4VM_TRY(vm.bytes("timer-ppis", 16));
    u8 ppis[4] = {};
    for (usize i = 0; i < 4; ++i) {
        const u32 ppi = boot::load_be<u32>(cells, i * 4);
        if (ppi > 15)
            return fail(Kind::bad_property, "timer-ppis");
        ppis[i] = static_cast<u8>(ppi);
    }
    return TimerRecord{ppis[0], ppis[1], ppis[2], ppis[3]};
}

Result<MemoryRegion, ManifestError> read_memory(const Node &node) {
    const AddressBlock range = SEL4VM_TRY(node.block("range"));
    return MemoryRegion{range.base, range.size_bytes, SEL4VM_TRY(node.choice<RamKind>("kind"))};
}

Result<DeviceRecord, ManifestError> read_device(const Node &node) {
    DeviceRecord device;
    device.type = SEL4VM_TRY(node.choice<DeviceType>("type"));
    device.name = SEL4VM_TRY(node.text("name"));
    device.registers = SEL4VM_TRY(node.block("registers"));
    device.spi = SEL4VM_TRY(node.cell("spi"));
    device.trigger = SEL4VM_TRY(node.choice<Trigger>("trigger"));
    device.console = SEL4VM_TRY(node.choice<ConsoleRoute>("console"));
    return device;
}

Result<ImageRecord, ManifestError> read_image(const Node &node) {
    ImageRecord image;
    image.kind = SEL4VM_TRY(node.choice<ImageKind>("kind"));
    if (node.has("where"))
        image.where = Gpa{SEL4VM_TRY(node.wide("where"))};
    image.writable = SEL4VM_TRY(node.flag("writable"));
    image.blob = SEL4VM_TRY(node.cell("blob"));
    image.size_bytes = SEL4VM_TRY(node.wide("size"));
    image.region_bytes = SEL4VM_TRY(node.wide("region"));
    image.source = SEL4VM_TRY(node.text("source"));
    return image;
}

/// Appends what `read` gives to a vector of fixed capacity.
template <class Vector, class Read>
Status<ManifestError> append(Vector &vector, const Node &node, std::string_view what, Read read) {
    if (vector.full())
        return fail(Kind::too_many, what);
    const auto record = SEL4VM_TRY(read(node));
    (void)vector.emplace_back(record); // not full, see above
    return Ok{};
}

Status<ManifestError> read_vm(const Node &node, MachineDescription &vm) {
    vm.name = SEL4VM_TRY(node.text("name"));
    vm.vcpu_count = SEL4VM_TRY(node.cell("vcpus"));
    vm.cmdline = SEL4VM_TRY(node.text("cmdline"));
    if (node.has("entry"))
        vm.entry = Gpa{SEL4VM_TRY(node.wide("entry"))};
    vm.on_reset = SEL4VM_TRY(node.choice<ResetPolicy>("on-reset"));
    if (node.has("on-panic"))
        vm.on_panic = SEL4VM_TRY(node.choice<PanicPolicy>("on-panic"));
    vm.counter = SEL4VM_TRY(node.choice<CounterPolicy>("counter"));
    vm.timer = SEL4VM_TRY(read_timer(node));
    usize gics = 0;
    const auto visited = for_each_child(node, [&](const Node &child) -> Status<ManifestError> {
        const std::string_view kind = child.kind();
        if (kind == "memory")
            return append(vm.memory, child, "memory", read_memory);
        if (kind == "device")
            return append(vm.devices, child, "device", read_device);
        if (kind == "image")
            return append(vm.images, child, "image", read_image);
        if (kind != "gic")
            return fail(Kind::unknown_node, "in vm");
        if (++gics > 1)
            return fail(Kind::too_many, "gic");
        vm.gic = SEL4VM_TRY(read_gic(child));
        return Ok{};
    });
    if (!visited)
        return visited;
    if (gics == 0)
        return fail(Kind::missing_property, "gic");
    return Ok{};
}

} // namespace

Status<ManifestError> decode_manifest(std::span<const u8> manifest, SystemDescription &system) {
    if (!boot::is_well_formed_fdt(manifest))
        return fail(Kind::not_a_tree, "manifest");
    const void *tree = manifest.data();

    const Node root(tree, 0);
    if (SEL4VM_TRY(root.cell("version")) != kManifestVersion)
        return fail(Kind::bad_version, "version");
    system.exit_method = SEL4VM_TRY(root.choice<ExitMethod>("exit-method"));
    system.time_slice_us = SEL4VM_TRY(root.cell("time-slice-us"));
    system.log_level = SEL4VM_TRY(root.choice<LogLevel>("log-level"));
    system.console.prefix = SEL4VM_TRY(root.choice<LinePrefix>("console-prefix"));
    system.console.input = SEL4VM_TRY(root.text("console-input"));
    system.console.escape = SEL4VM_TRY(root.byte("console-escape"));
    system.bench.report_setup = SEL4VM_TRY(root.flag("bench-report-setup"));
    system.bench.report_exits = SEL4VM_TRY(root.flag("bench-report-exits"));
    system.bench.skip_clearing = SEL4VM_TRY(root.flag("bench-skip-clearing"));
    system.vms.clear();
    return for_each_child(root, [&](const Node &child) -> Status<ManifestError> {
        if (child.kind() != "vm")
            return fail(Kind::unknown_node, "in the root");
        MachineDescription *vm = system.vms.emplace_back();
        if (vm == nullptr)
            return fail(Kind::too_many, "vm");
        return read_vm(child, *vm);
    });
}

} // namespace sel4vm::machine
