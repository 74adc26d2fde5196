// SPDX-License-Identifier: BSD-2-Clause
//
// Reads a manifest as written by manifest_encode.cpp, and believes nothing: every property must be there with its size,
// names must be known, numbers must fit their field. Whether they make sense is validate()'s business.
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/fdt_check.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <sel4vm/machine/names.hpp>

#include <algorithm>
#include <libfdt.h>
#include <optional>

namespace sel4vm::machine {
namespace {

using Kind = ManifestErrorKind;

/// The first error of a reading. What is read after it means nothing, so that only whole records have to look.
class Errors {
public:
    void add(Kind kind, std::string_view what) {
        if (!first_)
            first_ = ManifestError{kind, what};
    }
    [[nodiscard]] const std::optional<ManifestError> &first() const { return first_; }

private:
    std::optional<ManifestError> first_;
};

/// One node, and its properties as values; those that are missing or wrong are noted by name.
class Node {
public:
    Node(const void *tree, int offset, Errors &errors) : tree_(tree), offset_(offset), errors_(errors) {}

    [[nodiscard]] bool has(const char *name) const { return fdt_getprop(tree_, offset_, name, nullptr) != nullptr; }

    [[nodiscard]] u32 cell(const char *name) const {
        const auto value = bytes(name, 4);
        return value.empty() ? 0 : boot::load_be<u32>(value, 0);
    }
    [[nodiscard]] u16 half(const char *name) const { return static_cast<u16>(at_most(name, 0xffff)); }
    [[nodiscard]] u8 byte(const char *name) const { return static_cast<u8>(at_most(name, 0xff)); }
    [[nodiscard]] bool flag(const char *name) const { return at_most(name, 1) != 0; }
    [[nodiscard]] u64 wide(const char *name) const {
        const auto value = bytes(name, 8);
        return value.empty() ? 0 : boot::load_be<u64>(value, 0);
    }
    [[nodiscard]] AddressBlock block(const char *name) const {
        const auto value = bytes(name, 16);
        if (value.empty())
            return {};
        return {Gpa{boot::load_be<u64>(value, 0)}, boot::load_be<u64>(value, 8)};
    }
    [[nodiscard]] std::string_view text(const char *name) const {
        const auto value = bytes(name);
        // SAFETY: char may alias any object.
        const std::string_view all(reinterpret_cast<const char *>(value.data()), value.size());
        if (all.empty() || all.find('\0') != all.size() - 1) {
            fail(Kind::bad_property, name);
            return {};
        }
        return all.substr(0, all.size() - 1);
    }
    template <class E>
    [[nodiscard]] E choice(const char *name) const {
        return static_cast<E>(index_of(name, Names<E>::list));
    }
    /// Nothing, when there was an error.
    [[nodiscard]] std::span<const u8> bytes(const char *name, usize size) const {
        const auto value = bytes(name);
        if (value.size() == size)
            return value;
        fail(Kind::bad_property, name);
        return {};
    }

    void fail(Kind kind, std::string_view what) const { errors_.add(kind, what); }
    [[nodiscard]] bool good() const { return !errors_.first(); }

    /// The part of a node's name before its unit address.
    [[nodiscard]] std::string_view kind() const {
        const char *name = fdt_get_name(tree_, offset_, nullptr);
        const std::string_view whole = name != nullptr ? name : "";
        return whole.substr(0, whole.find('@'));
    }
    /// Calls `visit(child)` for each child until there is an error.
    template <class Visit>
    void for_each_child(Visit visit) const {
        for (int at = fdt_first_subnode(tree_, offset_); at >= 0 && good(); at = fdt_next_subnode(tree_, at))
            visit(Node(tree_, at, errors_));
    }

private:
    [[nodiscard]] std::span<const u8> bytes(const char *name) const {
        int size = 0;
        const void *value = fdt_getprop(tree_, offset_, name, &size);
        if (value != nullptr && size >= 0)
            return {static_cast<const u8 *>(value), static_cast<usize>(size)};
        fail(Kind::missing_property, name);
        return {};
    }
    [[nodiscard]] u32 at_most(const char *name, u32 limit) const {
        const u32 value = cell(name);
        if (value <= limit)
            return value;
        fail(Kind::bad_property, name);
        return 0;
    }
    [[nodiscard]] usize index_of(const char *name, std::span<const std::string_view> list) const {
        const std::string_view value = text(name);
        const auto found = std::find(list.begin(), list.end(), value);
        if (found != list.end())
            return static_cast<usize>(found - list.begin());
        fail(Kind::bad_property, name);
        return 0;
    }

    const void *tree_;
    int offset_;
    Errors &errors_;
};

GicRecord read_gic(const Node &node) {
    GicRecord gic;
    const u32 version = node.cell("version");
    if (version != 2 && version != 3)
        node.fail(Kind::bad_property, "gic version");
    else
        gic.version = static_cast<GicVersion>(version);
    gic.distributor = node.block("distributor");
    gic.cpu_interface = node.block("cpu-interface");
    gic.redistributors = node.block("redistributors");
    if (node.has("more-redistributors")) // not in what older tools have written
        gic.more_redistributors = node.block("more-redistributors");
    gic.spi_count = node.cell("spis");
    if (node.has("msi")) {
        gic.msi.kind = node.choice<MsiKind>("msi");
        gic.msi.frame = node.block("msi-frame");
        if (const auto spis = node.bytes("msi-spis", 8); !spis.empty()) {
            gic.msi.first_spi = boot::load_be<u32>(spis, 0);
            gic.msi.spi_count = boot::load_be<u32>(spis, 4);
        }
    }
    return gic;
}

std::array<u32, 4> four_cells(const Node &node, const char *name) {
    std::array<u32, 4> values{};
    const auto cells = node.bytes(name, 16);
    for (usize i = 0; i < 4 && !cells.empty(); ++i)
        values[i] = boot::load_be<u32>(cells, i * 4);
    return values;
}

void read_cpus(const Node &vm, MachineDescription &to) {
    if (!vm.has("topology"))
        return;
    const auto cpus = four_cells(vm, "topology");
    to.topology = {cpus[0], cpus[1], cpus[2], cpus[3]};
    const auto caches = four_cells(vm, "caches");
    to.caches = {caches[0], caches[1], caches[2], caches[3]};
}

TimerRecord read_timer(const Node &vm) {
    const auto cells = four_cells(vm, "timer-ppis");
    u8 ppis[4] = {};
    for (usize i = 0; i < 4; ++i) {
        if (cells[i] > 15)
            vm.fail(Kind::bad_property, "timer-ppis");
        ppis[i] = static_cast<u8>(cells[i]);
    }
    return TimerRecord{ppis[0], ppis[1], ppis[2], ppis[3]};
}

MemoryRegion read_memory(const Node &node) {
    const AddressBlock range = node.block("range");
    const bool one_to_one = node.has("one-to-one") && node.flag("one-to-one");
    return MemoryRegion{range.base, range.size_bytes, node.choice<RamKind>("kind"), one_to_one};
}

PassthroughRecord read_passthrough(const Node &node) { return PassthroughRecord{node.text("node")}; }

NetRecord read_net(const Node &node) {
    NetRecord net;
    net.network = node.text("switch");
    if (node.has("mac")) {
        const u64 mac = node.wide("mac");
        if (mac >> 48 != 0)
            node.fail(Kind::bad_property, "mac");
        net.mac = mac_from(mac);
    }
    net.mtu = node.half("mtu");
    net.limit_bytes_per_second = node.wide("limit");
    net.isolated = node.flag("isolated");
    net.mac_filter = node.flag("mac-filter");
    return net;
}

DeviceRecord read_device(const Node &node, dev::DeviceKinds kinds) {
    DeviceRecord device;
    const std::string_view type = node.text("type");
    device.kind = kinds.empty() ? &dev::kUnmadeKind : dev::find_kind(kinds, type);
    if (device.kind == nullptr)
        node.fail(Kind::bad_property, "type");
    device.name = node.text("name");
    device.registers = node.block("registers");
    device.spi = node.cell("spi");
    device.trigger = node.choice<Trigger>("trigger");
    device.console = node.choice<ConsoleRoute>("console");
    if (node.has("disk"))
        device.disk = node.cell("disk");
    if (node.has("slot"))
        device.slot = (node.byte("slot"));
    if (node.has("machine-disk")) {
        device.machine_disk = node.text("machine-disk");
        device.read_only = node.flag("read-only");
    }
    if (node.has("switch"))
        device.net = read_net(node);
    return device;
}

ImageRecord read_image(const Node &node) {
    ImageRecord image;
    image.kind = node.choice<ImageKind>("kind");
    if (node.has("where"))
        image.where = Gpa{node.wide("where")};
    image.writable = node.flag("writable");
    image.blob = node.cell("blob");
    image.size_bytes = node.wide("size");
    image.region_bytes = node.wide("region");
    image.source = node.text("source");
    return image;
}

FlashRecord read_flash(const Node &node) {
    FlashRecord flash;
    flash.base = Gpa{node.wide("base")};
    flash.writable = node.flag("writable");
    if (node.has("image"))
        flash.image = node.cell("image");
    return flash;
}

SharedRecord read_shared(const Node &node) {
    SharedRecord shared;
    shared.name = node.text("name");
    shared.size_bytes = node.wide("size");
    shared.side = node.cell("side");
    shared.access = node.choice<SharedAccess>("access");
    if (node.has("base"))
        shared.base = Gpa{node.wide("base")};
    if (node.has("doorbell"))
        shared.doorbell = Gpa{node.wide("doorbell")};
    if (node.has("spi"))
        shared.spi = node.cell("spi");
    return shared;
}

/// Appends what `read` gives to a vector of fixed capacity.
template <class Vector, class Read>
void append(Vector &vector, const Node &node, std::string_view what, Read read) {
    if (vector.full())
        return node.fail(Kind::too_many, what);
    const auto record = read(node);
    if (node.good())
        (void)vector.emplace_back(record); // not full, see above
}

void read_vm(const Node &node, dev::DeviceKinds kinds, MachineDescription &vm) {
    vm.name = node.text("name");
    vm.vcpu_count = node.cell("vcpus");
    if (node.has("cpus"))
        vm.cpus = node.wide("cpus");
    vm.priority = node.cell("priority");
    const u64 budget = node.wide("budget-us");
    vm.budget = {static_cast<u32>(budget >> 32), static_cast<u32>(budget)};
    vm.cmdline = node.text("cmdline");
    if (node.has("entry"))
        vm.entry = Gpa{node.wide("entry")};
    vm.on_reset = node.choice<ResetPolicy>("on-reset");
    if (node.has("on-panic"))
        vm.on_panic = node.choice<PanicPolicy>("on-panic");
    vm.counter = node.choice<CounterPolicy>("counter");
    vm.pv_time = node.flag("pv-time");
    vm.pci = node.has("pci") && node.flag("pci");
    if (node.has("pmu"))
        vm.pmu = node.choice<PmuPolicy>("pmu");
    vm.timer = read_timer(node);
    read_cpus(node, vm);
    usize gics = 0;
    node.for_each_child([&](const Node &child) {
        const std::string_view kind = child.kind();
        if (kind == "memory")
            return append(vm.memory, child, "memory", read_memory);
        if (kind == "passthrough")
            return append(vm.passthrough, child, "passthrough", read_passthrough);
        if (kind == "device")
            return append(vm.devices, child, "device", [&](const Node &from) { return read_device(from, kinds); });
        if (kind == "image")
            return append(vm.images, child, "image", read_image);
        if (kind == "shared")
            return append(vm.shared, child, "shared", read_shared);
        if (kind == "flash") {
            if (vm.flash)
                return child.fail(Kind::too_many, "flash");
            vm.flash = read_flash(child);
            return;
        }
        if (kind != "gic")
            return child.fail(Kind::unknown_node, "in vm");
        if (++gics > 1)
            return child.fail(Kind::too_many, "gic");
        vm.gic = read_gic(child);
    });
    if (gics == 0)
        node.fail(Kind::missing_property, "gic");
}

void read_system(const Node &root, dev::DeviceKinds kinds, SystemDescription &system) {
    system.exit_method = root.choice<ExitMethod>("exit-method");
    system.time_slice_us = root.cell("time-slice-us");
    system.log_level = root.choice<LogLevel>("log-level");
    system.console.prefix = root.choice<LinePrefix>("console-prefix");
    system.console.input = root.text("console-input");
    system.console.escape = root.byte("console-escape");
    system.bench.report_setup = root.flag("bench-report-setup");
    system.bench.report_exits = root.flag("bench-report-exits");
    system.bench.skip_clearing = root.flag("bench-skip-clearing");
    system.vms.clear();
    system.switches.clear();
    root.for_each_child([&](const Node &child) {
        if (child.kind() == "switch")
            return append(system.switches, child, "switch",
                          [](const Node &from) { return SwitchRecord{from.text("name")}; });
        if (child.kind() != "vm")
            return child.fail(Kind::unknown_node, "in the root");
        if (MachineDescription *vm = system.vms.emplace_back())
            read_vm(child, kinds, *vm);
        else
            child.fail(Kind::too_many, "vm");
    });
}

} // namespace

Status<ManifestError> decode_manifest(std::span<const u8> manifest, dev::DeviceKinds kinds, SystemDescription &system) {
    if (!boot::is_well_formed_fdt(manifest))
        return Err{ManifestError{Kind::not_a_tree, "manifest"}};
    Errors errors;
    const Node root(manifest.data(), 0, errors);
    if (root.cell("version") != kManifestVersion)
        root.fail(Kind::bad_version, "version");
    if (root.good())
        read_system(root, kinds, system);
    if (errors.first())
        return Err{*errors.first()};
    return Ok{};
}

} // namespace sel4vm::machine
