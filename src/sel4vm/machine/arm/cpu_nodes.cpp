// SPDX-License-Identifier: BSD-2-Clause
//
// The node /cpus (see device_nodes.hpp): one node for each vCPU, and if the description says so how they belong together (Linux:
// Documentation/devicetree/bindings/cpu/cpu-topology.txt) and their caches (Devicetree Specification 0.4, 3.8 and 3.9).
#include <sel4vm/machine/arm/device_nodes.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/base/text.hpp>

namespace sel4vm::machine {
namespace {

using boot::FdtWriter;

constexpr u32 kLineBytes = 64;
constexpr u32 kWaysL1 = 4;
constexpr u32 kWays = 16;

[[nodiscard]] u32 l2_phandle(u32 cluster) { return kFirstCachePhandle + 2 * cluster; }
[[nodiscard]] u32 l3_phandle(u32 socket) { return kFirstCachePhandle + 2 * socket + 1; }

void begin(FdtWriter &out, std::string_view name, u32 number) {
    Text<20> text;
    text << name << number;
    out.begin_node(text.view());
}

/// The properties of a core's own cache, of a name for each kind.
void put_own_cache(FdtWriter &out, u32 bytes, const char *size, const char *line, const char *sets) {
    if (bytes == 0)
        return;
    out.cell(size, bytes);
    out.cell(line, kLineBytes);
    out.cell(sets, bytes / kLineBytes / kWaysL1);
}

void write_cache(FdtWriter &out, u32 level, u32 number, u32 bytes, u32 phandle, u32 next) {
    begin(out, level == 2 ? "l2-cache" : "l3-cache", number);
    out.text("compatible", "cache");
    out.cell("cache-level", level);
    out.empty("cache-unified");
    out.cell("cache-size", bytes);
    out.cell("cache-line-size", kLineBytes);
    out.cell("cache-sets", bytes / kLineBytes / kWays);
    if (next != 0)
        out.cell("next-level-cache", next);
    out.cell("phandle", phandle);
    out.end_node();
}

void write_caches(FdtWriter &out, const CpuTopology &cpus, const CacheRecord &caches) {
    for (u32 n = 0; caches.l2 != 0 && n < cpus.sockets * cpus.clusters; ++n)
        write_cache(out, 2, n, caches.l2, l2_phandle(n), caches.l3 != 0 ? l3_phandle(n / cpus.clusters) : 0);
    for (u32 n = 0; caches.l3 != 0 && n < cpus.sockets; ++n)
        write_cache(out, 3, n, caches.l3, l3_phandle(n), 0);
}

void write_map(FdtWriter &out, const CpuTopology &cpus) {
    u32 next = kFirstCpuPhandle;
    out.begin_node("cpu-map");
    for (u32 socket = 0; socket < cpus.sockets; ++socket) {
        begin(out, "socket", socket);
        for (u32 cluster = 0; cluster < cpus.clusters; ++cluster) {
            begin(out, "cluster", cluster);
            for (u32 core = 0; core < cpus.cores; ++core) {
                begin(out, "core", core);
                if (cpus.threads == 1)
                    out.cell("cpu", next++);
                for (u32 thread = 0; cpus.threads > 1 && thread < cpus.threads; ++thread) {
                    begin(out, "thread", thread);
                    out.cell("cpu", next++);
                    out.end_node();
                }
                out.end_node();
            }
            out.end_node();
        }
        out.end_node();
    }
    out.end_node();
}

void put_topology(FdtWriter &out, const MachineDescription &vm, u32 n) {
    const CpuTopology &cpus = vm.topology;
    const u32 cluster = n / (cpus.cores * cpus.threads);
    put_own_cache(out, vm.caches.l1_instruction, "i-cache-size", "i-cache-line-size", "i-cache-sets");
    put_own_cache(out, vm.caches.l1_data, "d-cache-size", "d-cache-line-size", "d-cache-sets");
    if (vm.caches.l2 != 0)
        out.cell("next-level-cache", l2_phandle(cluster));
    else if (vm.caches.l3 != 0)
        out.cell("next-level-cache", l3_phandle(cluster / cpus.clusters));
    out.cell("phandle", kFirstCpuPhandle + n);
}

} // namespace

void write_cpu_nodes(FdtWriter &out, const MachineDescription &vm) {
    const bool described = vm.topology.sockets != 0;
    out.begin_node("cpus");
    out.cell("#address-cells", 1);
    out.cell("#size-cells", 0);
    for (u32 i = 0; i < vm.vcpu_count; ++i) {
        const u32 affinity = aarch64::affinity_of_vcpu(i);
        out.begin_node("cpu", affinity);
        out.text("device_type", "cpu");
        // The models that a guest may run on differ; its ID registers say which one this is.
        out.text("compatible", "arm,armv8");
        out.cell("reg", affinity);
        out.text("enable-method", "psci");
        if (described)
            put_topology(out, vm, i);
        out.end_node();
    }
    if (described) {
        write_caches(out, vm.topology, vm.caches);
        write_map(out, vm.topology);
    }
    out.end_node();
}

} // namespace sel4vm::machine
