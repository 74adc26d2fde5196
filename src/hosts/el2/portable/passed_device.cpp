// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/passed_device.hpp>

#include <sel4vm/base/bits.hpp>

namespace sel4vm::el2 {
namespace {

using aarch64::PassedDevice;
using aarch64::PassedPages;
using Node = DeviceTree::Node;

HostPhysRange pages_of(HostPhysRange range) {
    const u64 base = align_down(range.base().value(), kPageBytes);
    return *HostPhysRange::make(HostPhys{base}, *align_up(range.end().value(), kPageBytes) - base);
}

/// What of the machine this range is, or nullptr.
const char *host_part(const PlatformInfo &platform, HostPhysRange range) {
    for (const HostPhysRange &ram : platform.ram)
        if (ram.overlaps(range))
            return "it is memory";
    const GicInfo &gic = platform.gic;
    for (const auto &part : {gic.distributor, gic.cpu_interface, gic.hypervisor, gic.virtual_interface})
        if (part && part->overlaps(range))
            return "it is the interrupt controller";
    for (const HostPhysRange &part : gic.redistributors)
        if (part.overlaps(range))
            return "it is the interrupt controller";
    if (platform.uart.registers && platform.uart.registers->overlaps(range))
        return "it is the host's console";
    if (platform.rtc && platform.rtc->overlaps(range))
        return "it is the host's clock";
    return nullptr;
}

class Finder {
public:
    Finder(const DeviceTree &tree, const PlatformInfo &platform, Node node)
        : tree_(tree), platform_(platform), node_(node) {}

    [[nodiscard]] Result<PassedDevice, TreeError> find() {
        if (!tree_.is_enabled(node_))
            return refuse("cannot be given away: the device tree says that it is disabled");
        if (!tree_.property(node_, "iommus").empty())
            return refuse("cannot be given away: an IOMMU stands before it, which this host does not drive");
        if (is_part_of_gic())
            return refuse("cannot be given away: it is a part of the interrupt controller");
        SEL4VM_TRY(find_ranges());
        SEL4VM_TRY(find_irqs());
        return device_;
    }

private:
    [[nodiscard]] Err<TreeError> refuse(std::string_view text) const { return Err{tree_.error(node_, text)}; }

    /// An ITS or a frame for messages: it makes interrupts of others', and an ITS reads and writes wherever it is told to.
    [[nodiscard]] bool is_part_of_gic() const {
        const auto gic = PlatformInfo::gic_node(tree_);
        for (auto part = gic ? tree_.first_child(*gic) : std::nullopt; part; part = tree_.next_sibling(*part))
            if (part->offset == node_.offset)
                return true;
        return false;
    }

    [[nodiscard]] Status<TreeError> find_ranges() {
        for (unsigned i = 0;; ++i) {
            const auto range = SEL4VM_TRY(tree_.reg(node_, i));
            if (!range)
                break;
            if (const char *part = host_part(platform_, *range)) {
                Text<80> text;
                text << "cannot be given away: " << part;
                return refuse(text.view());
            }
            if (device_.ranges.emplace_back(aarch64::PassedRange{*range, PassedPages::own}) == nullptr)
                return refuse("cannot be given away: it has more than 8 ranges of registers");
        }
        if (device_.ranges.empty())
            return refuse("cannot be given away: it has no registers");
        find_neighbours();
        return Ok{};
    }

    /// Whose registers are in the same pages, the host's among them.
    void find_neighbours() {
        for (auto other = tree_.next_node({0}); other; other = tree_.next_node(*other)) {
            if (other->offset == node_.offset)
                continue;
            for (unsigned i = 0;; ++i) {
                const auto range = tree_.reg(*other, i);
                if (!range || !*range)
                    break; // what the CPU cannot reach is in no page
                for (aarch64::PassedRange &own : device_.ranges)
                    if (pages_of(own.range).overlaps(pages_of(**range)))
                        own.pages = PassedPages::shared;
            }
        }
    }

    [[nodiscard]] Status<TreeError> find_irqs() {
        constexpr std::string_view kElsewhere =
            "cannot be given away: its interrupts are not shared ones of the interrupt controller";
        if (!tree_.property(node_, "interrupts-extended").empty())
            return refuse(kElsewhere);
        const auto gic = PlatformInfo::gic_node(tree_);
        usize bytes = tree_.property(node_, "interrupts").size();
        for (unsigned i = 0; bytes != 0; ++i) {
            const auto specifier = gic ? tree_.interrupt(node_, i, *gic) : std::nullopt;
            if (!specifier && i != 0)
                break;
            const auto irq = PlatformInfo::to_irq(specifier);
            if (!irq || irq->intid < 32)
                return refuse(kElsewhere);
            if (platform_.uart.irq && platform_.uart.irq->intid == irq->intid)
                return refuse("cannot be given away: the host's console has its interrupt");
            const auto trigger =
                irq->trigger == IrqTrigger::edge ? aarch64::PhysicalTrigger::edge : aarch64::PhysicalTrigger::level;
            if (device_.irqs.emplace_back(aarch64::PassedIrq{irq->intid, trigger}) == nullptr)
                return refuse("cannot be given away: it has more than 8 interrupts");
        }
        return Ok{};
    }

    const DeviceTree &tree_;
    const PlatformInfo &platform_;
    Node node_;
    PassedDevice device_;
};

} // namespace

Result<PassedDevice, TreeError> find_passed_device(const DeviceTree &tree, const PlatformInfo &platform,
                                                   std::string_view path) {
    if (const auto node = tree.find(path))
        return Finder(tree, platform, *node).find();
    TreeError none;
    none.message << "the machine's device tree has no such node";
    return Err{none};
}

} // namespace sel4vm::el2
