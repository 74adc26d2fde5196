// SPDX-License-Identifier: BSD-2-Clause
//
// The device tree of a VM of the C interface: a machine description is read off the vm_t, and the machine's generator writes it.
// Firmware is called by SMC in these trees: on seL4 an HVC can be one of the kernel's own calls.
#include <sel4vmmplatsupport/guest_device_tree.h>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/base/bits.hpp>
#include <sel4vm/dev/pl011/pl011_kind.hpp>
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vmmplatsupport/arch/guest_vcpu_util.h>
#include <sel4vmmplatsupport/log.hpp>
#include <sel4vmmplatsupport/memory.hpp>

#include <sel4vm/arch/vgic.h>
#include <sel4vm/guest_ram.h>

#include <libfdt.h>

namespace sel4vm::platsupport {
namespace {

/// RAM with neighbours joined: whether a piece is allocated is no business of the guest's.
bool describe_memory(const vm_t &vm, machine::MachineDescription &description) {
    for (int i = 0; i < vm.mem.num_ram_regions; ++i) {
        const vm_ram_region &piece = vm.mem.ram_regions[i];
        if (!description.memory.empty()) {
            machine::MemoryRegion &last = description.memory[description.memory.size() - 1];
            if (last.base.value() + last.size_bytes == piece.start) {
                last.size_bytes += piece.size;
                continue;
            }
        }
        if (description.memory.emplace_back(machine::MemoryRegion{Gpa{piece.start}, piece.size}) == nullptr)
            return false;
    }
    return !description.memory.empty();
}

bool describe_gic(vm_t &vm, machine::MachineDescription &description) {
    vm_vgic_config_t config{};
    if (vm_get_vgic(&vm, &config) != 0)
        return false;
    machine::GicRecord &gic = description.gic;
    gic.version = config.version == 2 ? machine::GicVersion::v2 : machine::GicVersion::v3;
    gic.distributor.base = Gpa{config.distributor};
    gic.cpu_interface.base = Gpa{config.cpu_interface};
    gic.redistributors = {Gpa{config.redistributor}, u64{vm.num_vcpus} * 128 * kKiB};
    gic.spi_count = config.spi_count;
    return true;
}

int generate(vm_t &vm, const vmm_device_tree_t &what, std::span<u8> buffer) {
    constexpr const char *kName = "vmm_generate_device_tree";
    auto description = CObject<machine::MachineDescription>::make();
    if (!description)
        return refuse(&vm, kName, ": no memory");
    description->vcpu_count = vm.num_vcpus;
    if (what.bootargs != nullptr)
        description->cmdline = what.bootargs;
    if (!describe_memory(vm, *description))
        return refuse(&vm, kName, ": the VM has no RAM, or RAM in more than ", u64{machine::kMaxMemoryRegions},
                      " places");
    if (vm.num_vcpus == 0 || !describe_gic(vm, *description))
        return refuse(&vm, kName, ": the VM has no vCPUs, or no interrupt controller");
    if (what.pl011 != 0) {
        if (what.pl011_irq < 32 || what.pl011_irq - 32 >= description->gic.spi_count)
            return refuse(&vm, kName, ": there is no shared interrupt ", what.pl011_irq);
        const machine::DeviceRecord uart{.kind = &dev::kPl011Elsewhere,
                                         .name = "uart",
                                         .registers = {Gpa{what.pl011}, 0x1000},
                                         .spi = what.pl011_irq - 32};
        (void)description->devices.emplace_back(uart); // the first always fits
    }
    machine::DeviceTreeInputs inputs;
    inputs.firmware = aarch64::Conduit::smc;
    if (what.initrd != nullptr && what.initrd->size != 0)
        inputs.initrd = GpaRange::make(Gpa{what.initrd->load_paddr}, what.initrd->size);
    const LibraryScope scope(vm);
    const auto tree = machine::write_device_tree(*description, inputs, buffer);
    if (!tree)
        return refuse(&vm, kName, ": ", boot::to_string(tree.error()));
    return static_cast<int>(tree->size());
}

/// Writes properties until one fails, and keeps that error.
class NodeWriter {
public:
    NodeWriter(void *fdt, int parent, const char *name) : fdt_(fdt), result_(fdt_add_subnode(fdt, parent, name)) {}
    NodeWriter &text(const char *name, std::string_view value) {
        // A string's own end counts; literals have one.
        return note(ok() ? fdt_setprop(fdt_, node_, name, value.data(), static_cast<int>(value.size() + 1)) : 0);
    }
    NodeWriter &cell(const char *name, u32 value) { return note(ok() ? fdt_setprop_u32(fdt_, node_, name, value) : 0); }
    [[nodiscard]] bool ok() const { return result_ >= 0; }
    /// The node, or the first error.
    [[nodiscard]] int result() const { return ok() ? node_ : result_; }

private:
    NodeWriter &note(int error) {
        if (error < 0)
            result_ = error;
        return *this;
    }
    void *fdt_;
    int result_;
    int node_ = result_;
};

int add_cpu(const vm_t &vm, void *fdt, int cpus, u32 index) {
    char name[16] = "cpu@";
    TextWriter digits(name + 4, sizeof name - 5);
    const u32 affinity = aarch64::affinity_of_vcpu(vm.vcpus[index]->vcpu_id);
    bool started = false; // without leading zeros
    for (int shift = 12; shift >= 0; shift -= 4) {
        const u32 digit = affinity >> shift & 0xf;
        started = started || digit != 0 || shift == 0;
        if (started)
            digits << "0123456789abcdef"[digit];
    }
    return NodeWriter(fdt, cpus, name)
        .text("enable-method", "psci")
        .cell("reg", affinity)
        .text("compatible", PLAT_CPU_COMPAT)
        .text("device_type", "cpu")
        .result();
}

int add_psci(void *fdt) {
    constexpr std::string_view kCompatible("arm,psci-1.0\0arm,psci-0.2", 25);
    const int psci = NodeWriter(fdt, 0, "psci").text("method", "smc").text("compatible", kCompatible).result();
    return psci == -FDT_ERR_EXISTS ? 0 : psci;
}

int add_cpus(const vm_t &vm, void *fdt) {
    const int cpus = NodeWriter(fdt, 0, "cpus").cell("#size-cells", 0).cell("#address-cells", 1).result();
    if (cpus < 0)
        return cpus;
    // libfdt puts each new node before its elder sisters.
    for (u32 i = vm.num_vcpus; i-- != 0;) {
        if (const int e = add_cpu(vm, fdt, cpus, i); e < 0)
            return e;
    }
    return add_psci(fdt);
}

} // namespace
} // namespace sel4vm::platsupport

using namespace sel4vm::platsupport;

extern "C" int fdt_generate_plat_vcpu_node(vm_t *vm, void *fdt) {
    if (vm == nullptr || fdt == nullptr) {
        static_cast<void>(refuse(vm, "fdt_generate_plat_vcpu_node: an argument is missing"));
        return -FDT_ERR_BADVALUE;
    }
    const LibraryScope scope(*vm);
    const int result = add_cpus(*vm, fdt);
    if (result < 0)
        static_cast<void>(refuse(vm, "fdt_generate_plat_vcpu_node: ", fdt_strerror(result)));
    return result < 0 ? result : 0;
}

extern "C" int vmm_generate_device_tree(vm_t *vm, const vmm_device_tree_t *what, void *fdt, size_t size) {
    // SAFETY: only the address is looked at.
    if (vm == nullptr || what == nullptr || fdt == nullptr || !sel4vm::is_aligned(reinterpret_cast<uintptr_t>(fdt), 8))
        return refuse(vm, "vmm_generate_device_tree: an argument is missing, or the buffer is not 8-byte aligned");
    return generate(*vm, *what, {static_cast<sel4vm::u8 *>(fdt), size});
}

extern "C" int vmm_load_device_tree(vm_t *vm, const vmm_device_tree_t *what, uintptr_t load_address,
                                    guest_image_t *guest_image) {
    if (vm == nullptr || what == nullptr || guest_image == nullptr || !sel4vm::is_aligned(load_address, 8))
        return refuse(vm, "vmm_load_device_tree: an argument is missing, or the address is not 8-byte aligned");
    constexpr sel4vm::usize kBytes = sel4vm::machine::kDeviceTreeBufferBytes;
    void *buffer = std::malloc(kBytes);
    if (buffer == nullptr)
        return refuse(vm, "vmm_load_device_tree: no memory");
    const int size = generate(*vm, *what, {static_cast<sel4vm::u8 *>(buffer), kBytes});
    int result = size < 0 ? -1 : 0;
    if (result == 0 &&
        vm_ram_touch(vm, load_address, static_cast<size_t>(size), vm_guest_ram_write_callback, buffer) != 0)
        result = refuse(vm, "vmm_load_device_tree: the guest has no RAM at ", sel4vm::Hex{load_address});
    std::free(buffer);
    if (result != 0)
        return -1;
    *guest_image = {load_address, 8, static_cast<size_t>(size)};
    const uintptr_t first = sel4vm::align_down(load_address, sel4vm::kPageBytes);
    vm_ram_mark_allocated(vm, first, *sel4vm::align_up(load_address + guest_image->size, sel4vm::kPageBytes) - first);
    return 0;
}
