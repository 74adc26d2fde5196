// SPDX-License-Identifier: BSD-2-Clause
//
// A user's own device tree made to fit the VM: its memory nodes are replaced, the command line, the initrd's place and
// seeds are put into /chosen, and a missing PSCI node is added, which is what QEMU does with -dtb. Everything else is the
// user's business. The tree is checked as a whole first; an edit that fails leaves nothing behind but its buffer.
#include <sel4vm/machine/arm/device_tree.hpp>

#include <sel4vm/base/text.hpp>
#include <sel4vm/boot/fdt_check.hpp>
#include <sel4vm/machine/arm/device_nodes.hpp>

#include <array>
#include <cstring>
#include <libfdt.h>

namespace sel4vm::machine {
namespace {

using boot::FdtError;

constexpr int kRoot = 0;

Status<FdtError> checked(int libfdt_result) {
    if (libfdt_result >= 0)
        return Ok{};
    return Err{libfdt_result == -FDT_ERR_NOSPACE ? FdtError::no_space : FdtError::malformed};
}

/// A list of numbers as cells of the width that the root node asks for.
class CellList {
public:
    [[nodiscard]] bool put(u64 value, int cells) {
        const auto size = static_cast<usize>(cells) * 4;
        if ((cells == 1 && (value >> 32) != 0) || size_ + size > bytes_.size())
            return false;
        for (usize i = 0; i < size; ++i)
            bytes_[size_ + i] = static_cast<u8>(value >> (8 * (size - 1 - i)));
        size_ += size;
        return true;
    }
    [[nodiscard]] const void *data() const { return bytes_.data(); }
    [[nodiscard]] int size() const { return static_cast<int>(size_); }

private:
    std::array<u8, 16> bytes_{};
    usize size_ = 0;
};

class TreeEditor {
public:
    explicit TreeEditor(std::span<u8> buffer) : tree_(buffer.data()) {}

    Status<FdtError> run(const MachineDescription &vm, const DeviceTreeInputs &inputs) {
        address_cells_ = fdt_address_cells(tree_, kRoot);
        size_cells_ = fdt_size_cells(tree_, kRoot);
        if (address_cells_ < 1 || address_cells_ > 2 || size_cells_ < 1 || size_cells_ > 2)
            return Err{FdtError::bad_cells};
        drop_memory_nodes();
        for (usize i = vm.memory.size(); i > 0; --i) // each becomes the root's first child
            SEL4VM_TRY(add_memory_node(vm.memory[i - 1]));
        SEL4VM_TRY(add_psci_node(inputs.firmware));
        SEL4VM_TRY(fill_chosen(vm, inputs));
        return checked(fdt_pack(tree_));
    }

private:
    /// Only the root's own children: a `memory` node elsewhere belongs to some device.
    void drop_memory_nodes() {
        int at = fdt_first_subnode(tree_, kRoot);
        while (at >= 0) {
            // Overwriting with no-operations moves nothing, so the next node's offset stays right.
            const int next = fdt_next_subnode(tree_, at);
            const char *name = fdt_get_name(tree_, at, nullptr);
            const std::string_view whole = name != nullptr ? name : "";
            if (whole.substr(0, whole.find('@')) == "memory")
                (void)fdt_nop_node(tree_, at); // cannot fail: `at` is a node
            at = next;
        }
    }

    Status<FdtError> add_memory_node(const MemoryRegion &region) {
        CellList reg;
        if (!reg.put(region.base.value(), address_cells_) || !reg.put(region.size_bytes, size_cells_))
            return Err{FdtError::bad_cells};
        Text<20> hex;
        hex << Hex{region.base.value()};
        Text<32> name;
        name << "memory@" << hex.view().substr(2);
        const int node =
            fdt_add_subnode_namelen(tree_, kRoot, name.view().data(), static_cast<int>(name.view().size()));
        SEL4VM_TRY(checked(node));
        SEL4VM_TRY(checked(fdt_setprop(tree_, node, "reg", reg.data(), reg.size())));
        return checked(fdt_setprop(tree_, node, "device_type", "memory", sizeof "memory"));
    }

    Status<FdtError> add_psci_node(aarch64::Conduit firmware) {
        if (const int own = fdt_subnode_offset(tree_, kRoot, "psci"); own >= 0)
            return firmware == aarch64::Conduit::smc ? set_text(own, "method", psci_method(firmware))
                                                     : Status<FdtError>{Ok{}};
        const int node = fdt_add_subnode(tree_, kRoot, "psci");
        SEL4VM_TRY(checked(node));
        static constexpr char kCompatible[] = "arm,psci-1.0\0arm,psci-0.2";
        SEL4VM_TRY(checked(fdt_setprop(tree_, node, "compatible", kCompatible, sizeof kCompatible)));
        return set_text(node, "method", psci_method(firmware));
    }

    Status<FdtError> fill_chosen(const MachineDescription &vm, const DeviceTreeInputs &inputs) {
        int chosen = fdt_subnode_offset(tree_, kRoot, "chosen");
        if (chosen == -FDT_ERR_NOTFOUND)
            chosen = fdt_add_subnode(tree_, kRoot, "chosen");
        SEL4VM_TRY(checked(chosen));
        if (!vm.cmdline.empty())
            SEL4VM_TRY(set_text(chosen, "bootargs", vm.cmdline));
        if (inputs.initrd) {
            SEL4VM_TRY(set_address(chosen, "linux,initrd-start", inputs.initrd->base()));
            SEL4VM_TRY(set_address(chosen, "linux,initrd-end", inputs.initrd->end()));
        }
        std::array<u8, kRngSeedBytes> rng{};
        std::array<u8, kKaslrSeedBytes> kaslr{};
        if (inputs.entropy == nullptr || !inputs.entropy->fill(rng) || !inputs.entropy->fill(kaslr))
            return Ok{};
        SEL4VM_TRY(checked(fdt_setprop(tree_, chosen, "rng-seed", rng.data(), static_cast<int>(rng.size()))));
        return checked(fdt_setprop(tree_, chosen, "kaslr-seed", kaslr.data(), static_cast<int>(kaslr.size())));
    }

    Status<FdtError> set_text(int node, const char *name, std::string_view text) {
        void *place = nullptr;
        SEL4VM_TRY(checked(fdt_setprop_placeholder(tree_, node, name, static_cast<int>(text.size() + 1), &place)));
        std::memcpy(place, text.data(), text.size());
        static_cast<char *>(place)[text.size()] = '\0';
        return Ok{};
    }

    Status<FdtError> set_address(int node, const char *name, Gpa address) {
        CellList cells;
        if (!cells.put(address.value(), address_cells_))
            return Err{FdtError::bad_cells};
        return checked(fdt_setprop(tree_, node, name, cells.data(), cells.size()));
    }

    void *tree_;
    int address_cells_ = 0;
    int size_cells_ = 0;
};

} // namespace

Result<std::span<u8>, boot::FdtError> adapt_device_tree(std::span<const u8> tree, const MachineDescription &vm,
                                                        const DeviceTreeInputs &inputs, std::span<u8> buffer) {
    if (!boot::is_well_formed_fdt(tree))
        return Err{FdtError::malformed};
    constexpr usize kLargest = 0x7fff'ffff; // libfdt counts in int
    if (buffer.size() > kLargest)
        buffer = buffer.first(kLargest);
    SEL4VM_TRY(checked(fdt_open_into(tree.data(), buffer.data(), static_cast<int>(buffer.size()))));
    SEL4VM_TRY(TreeEditor(buffer).run(vm, inputs));
    return buffer.first(fdt_totalsize(buffer.data()));
}

} // namespace sel4vm::machine
