// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/shared_nodes.hpp>

#include <sel4vm/machine/arm/device_nodes.hpp>

namespace sel4vm::machine {

void write_shared_nodes(boot::FdtWriter &out, const MachineDescription &vm) {
    if (vm.shared.empty())
        return;
    out.begin_node("reserved-memory");
    out.cell("#address-cells", 2);
    out.cell("#size-cells", 2);
    out.empty("ranges");
    u32 phandle = kFirstSharedPhandle;
    for (const SharedRecord &shared : vm.shared) {
        const u64 base = shared.base.value_or(Gpa{0}).value(); // a good description has one
        out.begin_node("shared", base);
        out.text("compatible", "sel4vm,shared-memory");
        out.text("label", shared.name);
        out.wide_cells("reg", {base, shared.size_bytes});
        out.empty("no-map");
        if (shared.access == SharedAccess::read_only)
            out.empty("read-only");
        out.cell("phandle", phandle++);
        out.end_node();
    }
    out.end_node();
    phandle = kFirstSharedPhandle;
    for (const SharedRecord &shared : vm.shared) {
        const u64 base = shared.doorbell.value_or(Gpa{0}).value();
        out.begin_node("doorbell", base);
        out.text("compatible", "sel4vm,doorbell");
        out.text("label", shared.name);
        out.wide_cells("reg", {base, dev::Doorbell::kRangeBytes});
        out.cells("interrupts", {static_cast<u32>(IrqSpace::shared), shared.spi.value_or(0),
                                 static_cast<u32>(IrqFlags::edge_rising)});
        out.cell("memory-region", phandle++);
        out.end_node();
    }
}

} // namespace sel4vm::machine
