// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/platform_info.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::el2 {
namespace {

using Node = DeviceTree::Node;

constexpr std::array<const char *, 2> kPsci{"arm,psci-1.0", "arm,psci-0.2"};
constexpr std::array<const char *, 1> kPl011{"arm,pl011"};
constexpr std::array<const char *, 3> kNs16550{"ns16550a", "ns16550", "snps,dw-apb-uart"};
constexpr std::array<const char *, 1> kPl031{"arm,pl031"};
constexpr std::array<const char *, 1> kGicV3{"arm,gic-v3"};
constexpr std::array<const char *, 4> kGicV2{"arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic", "arm,gic-v2"};
constexpr std::array<const char *, 2> kTimer{"arm,armv8-timer", "arm,armv7-timer"};

TreeError plain_error(std::string_view text) {
    TreeError e;
    e.message << text;
    return e;
}

/// The node that /chosen names; without one, the first UART that this host can drive.
std::optional<Node> console_node(const DeviceTree &tree) {
    if (const auto chosen = tree.find("/chosen")) {
        if (auto node = tree.find_path_or_alias(tree.string(*chosen, "stdout-path")))
            return node;
    }
    if (auto node = tree.find_compatible(kPl011))
        return node;
    return tree.find_compatible(kNs16550);
}

/// The range in whole pages, outwards: what has to be mapped.
HostPhysRange to_pages(HostPhysRange range) {
    const u64 base = align_down(range.base().value(), kPageBytes);
    const u64 end = *align_up(range.end().value(), kPageBytes); // below 2^48 + 4 KiB
    return *HostPhysRange::make(HostPhys{base}, end - base);
}

} // namespace

std::optional<IrqInfo> PlatformInfo::to_irq(const std::optional<GicSpecifier> &specifier) {
    constexpr u32 kEdgeFlags = 3;
    if (!specifier || specifier->kind > 1)
        return std::nullopt;
    const bool shared = specifier->kind == 0;
    if (specifier->number >= (shared ? 988U : 16U))
        return std::nullopt;
    return IrqInfo{specifier->number + (shared ? 32 : 16),
                   (specifier->flags & kEdgeFlags) != 0 ? IrqTrigger::edge : IrqTrigger::level};
}

std::optional<Node> PlatformInfo::gic_node(const DeviceTree &tree) {
    if (auto node = tree.find_compatible(kGicV3))
        return node;
    return tree.find_compatible(kGicV2);
}

bool PlatformInfo::has_bootarg(std::string_view word) const {
    std::string_view rest = bootargs;
    while (!rest.empty()) {
        const usize end = std::min(rest.find(' '), rest.size());
        if (rest.substr(0, end) == word)
            return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

Status<TreeError> PlatformInfo::read_console(const DeviceTree &tree) {
    if (const auto chosen = tree.find("/chosen"))
        bootargs = tree.string(*chosen, "bootargs");
    if (const auto node = tree.find_compatible(kPsci)) {
        const auto method = tree.string(*node, "method");
        psci = method == "smc" ? PsciConduit::smc : method == "hvc" ? PsciConduit::hvc : PsciConduit::none;
    }

    const auto node = console_node(tree);
    if (!node)
        return Err{plain_error("the device tree names no console: neither /chosen/stdout-path nor a known UART")};
    if (tree.is_compatible(*node, kPl011)) {
        uart.kind = UartKind::pl011;
    } else if (tree.is_compatible(*node, kNs16550)) {
        uart.kind = UartKind::ns16550;
        const u32 shift = tree.cell(*node, "reg-shift").value_or(0);
        const u32 width = tree.cell(*node, "reg-io-width").value_or(1);
        if (shift > 3 || (width != 1 && width != 4))
            return Err{tree.error(*node, "unsupported 'reg-shift' or 'reg-io-width'")};
        uart.register_shift = static_cast<u8>(shift);
        uart.register_width = static_cast<u8>(width);
    } else {
        return Err{tree.error(*node, "the console is neither a PL011 nor an ns16550")};
    }
    auto range = tree.reg(*node, 0);
    if (!range)
        return Err{range.error()};
    if (!*range)
        return Err{tree.error(*node, "the console has no 'reg'")};
    uart.registers = **range;
    return Ok{};
}

Status<TreeError> PlatformInfo::read_machine(const DeviceTree &tree) {
    if (const auto root = tree.find("/"))
        model = tree.string(*root, "model");
    if (auto done = read_memory(tree); !done)
        return done;
    if (auto done = read_chosen(tree); !done)
        return done;
    if (auto done = read_reservations(tree); !done)
        return done;
    if (auto done = read_cpus(tree); !done)
        return done;
    if (auto done = read_gic(tree); !done)
        return done;
    if (const auto node = tree.find_compatible(kPl031)) {
        if (auto range = tree.reg(*node, 0); range && *range)
            rtc = **range;
    }
    return Ok{};
}

Status<TreeError> PlatformInfo::read_memory(const DeviceTree &tree) {
    for (auto node = tree.next_node({0}); node; node = tree.next_node(*node)) {
        if (tree.string(*node, "device_type") != "memory" || !tree.is_enabled(*node))
            continue;
        for (unsigned index = 0;; ++index) {
            auto entry = tree.reg(*node, index);
            if (!entry)
                return Err{entry.error()};
            if (!*entry)
                break;
            // Whole pages, inwards; what is less than a page is no use to us.
            const u64 base = *align_up((*entry)->base().value(), kPageBytes);
            const u64 end = align_down((*entry)->end().value(), kPageBytes);
            if (end <= base)
                continue;
            const auto range = *HostPhysRange::make(HostPhys{base}, end - base);
            for (const auto &other : ram) {
                if (range.overlaps(other))
                    return Err{tree.error(*node, "memory overlaps other memory")};
            }
            if (ram.emplace_back(range) == nullptr)
                return Err{tree.error(*node, "more memory ranges than this host can hold")};
        }
    }
    if (ram.empty())
        return Err{plain_error("the device tree has no memory node")};
    return Ok{};
}

Status<TreeError> PlatformInfo::read_chosen(const DeviceTree &tree) {
    const auto chosen = tree.find("/chosen");
    if (!chosen)
        return Ok{};
    rng_seed = tree.property(*chosen, "rng-seed");
    const auto start = tree.number(*chosen, "linux,initrd-start");
    const auto end = tree.number(*chosen, "linux,initrd-end");
    if (!start && !end)
        return Ok{};
    if (!start || !end || *end < *start)
        return Err{tree.error(*chosen, "'linux,initrd-start' and '-end' are not a range")};
    if (*end == *start)
        return Ok{};
    initrd = HostPhysRange::make(HostPhys{*start}, *end - *start);
    // It may touch two adjacent memory ranges, but every byte must be memory.
    u64 inside = 0;
    for (const auto &range : ram) {
        const u64 low = std::max(range.base().value(), *start);
        const u64 high = std::min(range.end().value(), *end);
        inside += high > low ? high - low : 0;
    }
    if (inside != *end - *start)
        return Err{tree.error(*chosen, "the initrd is not in memory")};
    return Ok{};
}

Status<TreeError> PlatformInfo::read_reservations(const DeviceTree &tree) {
    const auto add = [&](HostPhysRange range) { return reserved.emplace_back(to_pages(range)) != nullptr; };
    bool room = !initrd || add(*initrd);
    for (usize i = 0; i < tree.reserved_count(); ++i) {
        const auto range = tree.reserved(i);
        if (!range)
            continue; // an empty entry
        if (range->end().value() > u64{1} << 48)
            return Err{plain_error("the device tree reserves memory beyond 48 bits of address")};
        room = room && add(*range);
    }
    if (const auto parent = tree.find("/reserved-memory")) {
        for (auto node = tree.first_child(*parent); node; node = tree.next_sibling(*node)) {
            if (!tree.is_enabled(*node))
                continue;
            for (unsigned index = 0;; ++index) {
                auto entry = tree.reg(*node, index);
                if (!entry)
                    return Err{entry.error()};
                if (!*entry)
                    break;
                room = room && add(**entry);
            }
        }
    }
    if (!room)
        return Err{plain_error("the device tree reserves more memory ranges than this host can hold")};
    return Ok{};
}

Status<TreeError> PlatformInfo::read_cpus(const DeviceTree &tree) {
    constexpr u64 kAffinityMask = 0xff'00ff'ffff;
    const auto parent = tree.find("/cpus");
    if (!parent)
        return Err{plain_error("the device tree has no /cpus")};
    for (auto node = tree.first_child(*parent); node; node = tree.next_sibling(*node)) {
        if (tree.string(*node, "device_type") != "cpu" || !tree.is_enabled(*node))
            continue;
        const auto id = tree.unit_address(*node);
        if (!id || (*id & ~kAffinityMask) != 0)
            return Err{tree.error(*node, "'reg' is not an MPIDR affinity")};
        if (!cpus.full())
            (void)cpus.emplace_back(*id);
    }
    if (cpus.empty())
        return Err{tree.error(*parent, "there is no usable CPU")};
    return Ok{};
}

Status<TreeError> PlatformInfo::read_gic(const DeviceTree &tree) {
    const auto node = gic_node(tree);
    if (!node)
        return Err{plain_error("the device tree has no GICv2 or GICv3 that this host knows")};
    gic.version = tree.is_compatible(*node, kGicV3) ? GicVersion::v3 : GicVersion::v2;
    if (auto done = read_gic_regions(tree, *node); !done)
        return done;
    gic.maintenance = to_irq(tree.interrupt(*node, 0, *node));
    if (!gic.maintenance || gic.maintenance->intid >= 32)
        return Err{tree.error(*node, "there is no maintenance interrupt, so no virtualization support")};
    if (const auto console = console_node(tree))
        uart.irq = to_irq(tree.interrupt(*console, 0, *node));
    read_pmu(tree, *node);
    return read_timer(tree, *node);
}

// Of a name for each kind of core, ending alike; so do the names of other units, whose interrupts are shared ones.
void PlatformInfo::read_pmu(const DeviceTree &tree, Node gic_at) {
    for (auto node = tree.next_node({0}); node && pmu_intid == 0; node = tree.next_node(*node)) {
        const std::string_view name = tree.string(*node, "compatible");
        if (!name.starts_with("arm,") || !(name.ends_with("-pmu") || name.ends_with("-pmuv3")) ||
            !tree.is_enabled(*node))
            continue;
        const auto irq = to_irq(tree.interrupt(*node, 0, gic_at));
        if (irq && irq->intid < 32 && irq->trigger == IrqTrigger::level)
            pmu_intid = irq->intid;
    }
}

Status<TreeError> PlatformInfo::read_gic_regions(const DeviceTree &tree, Node node) {
    std::array<std::optional<HostPhysRange>, 12> regions;
    for (unsigned i = 0; i < regions.size(); ++i) {
        auto entry = tree.reg(node, i);
        if (!entry)
            return Err{entry.error()};
        if (*entry && !(*entry)->is_aligned_to(kPageBytes))
            return Err{tree.error(node, "a register range is not made of whole pages")};
        regions[i] = *entry;
        if (!*entry)
            break;
    }
    const auto at_least = [&](unsigned i, u64 size) { return regions[i] && regions[i]->size() >= size; };
    gic.distributor = regions[0];
    if (gic.version == GicVersion::v2) {
        if (!at_least(0, 0x1000) || !at_least(1, 0x2000))
            return Err{tree.error(node, "the distributor or the CPU interface (8 KiB) is missing in 'reg'")};
        if (!at_least(2, 0x1000) || !at_least(3, 0x2000))
            return Err{tree.error(node, "GICH or GICV is missing in 'reg', so no virtualization support")};
        gic.cpu_interface = regions[1];
        gic.hypervisor = regions[2];
        gic.virtual_interface = regions[3];
        return Ok{};
    }
    const u32 count = tree.cell(node, "#redistributor-regions").value_or(1);
    if (!at_least(0, 0x1'0000) || count == 0 || count > gic.redistributors.capacity())
        return Err{tree.error(node, "the distributor is missing in 'reg', or '#redistributor-regions' is unsupported")};
    for (unsigned i = 0; i < count; ++i) {
        if (!at_least(1 + i, 0x2'0000))
            return Err{tree.error(node, "a redistributor region is missing in 'reg' or too small")};
        (void)gic.redistributors.emplace_back(*regions[1 + i]);
    }
    gic.redistributor_stride = tree.number(node, "redistributor-stride").value_or(0);
    if (!is_aligned(gic.redistributor_stride, 0x1'0000) || gic.redistributor_stride > kGiB)
        return Err{tree.error(node, "'redistributor-stride' is not a multiple of 64 KiB")};
    return Ok{};
}

Status<TreeError> PlatformInfo::read_timer(const DeviceTree &tree, Node gic_at) {
    const auto node = tree.find_compatible(kTimer);
    if (!node)
        return Err{plain_error("the device tree has no generic timer")};
    // Secure physical, physical, virtual, hypervisor.
    std::array<u32, 3> intids{};
    for (unsigned i = 0; i < intids.size(); ++i) {
        const auto irq = to_irq(tree.interrupt(*node, i + 1, gic_at));
        if (!irq || irq->intid >= 32)
            return Err{tree.error(*node, "'interrupts' lacks the physical, virtual or hypervisor timer's PPI")};
        intids[i] = irq->intid;
    }
    timer = {intids[0], intids[1], intids[2]};
    return Ok{};
}

} // namespace sel4vm::el2
