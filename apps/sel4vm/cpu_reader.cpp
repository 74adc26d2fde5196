// SPDX-License-Identifier: BSD-2-Clause
//
// [vm.topology] and [vm.timer]: what the guest is told of its CPUs.
#include <apps/sel4vm/vm_reader.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace sel4vm::cli {

using namespace std::string_view_literals;

// As QEMU's -smp: what is left out is 1, but there are as many cores as it takes.
void read_topology(TomlReader &table, System &system, usize index) {
    auto &description = system.description.vms[index];
    const auto path = [index](const std::string &key) { return fmt::format("vm[{}]{}", index, key); };
    auto inner = table.table("topology");
    note(table, "topology", system, path(".topology"));
    if (!inner)
        return;
    machine::CpuTopology &cpus = description.topology;
    cpus.sockets = 1;
    for (const auto &[key, field] : {std::pair{"sockets"sv, &cpus.sockets}, std::pair{"clusters"sv, &cpus.clusters},
                                     std::pair{"threads"sv, &cpus.threads}, std::pair{"cores"sv, &cpus.cores}}) {
        if (const auto value = inner->number(key))
            *field = static_cast<u32>(value->value);
        if (inner->wrong(key))
            system.doubt(path(".topology"));
    }
    if (const u64 others = u64{cpus.sockets} * cpus.clusters * cpus.threads;
        !inner->has("cores") && description.vcpu_count % others == 0)
        cpus.cores = static_cast<u32>(description.vcpu_count / others);
    machine::CacheRecord &caches = description.caches;
    for (const auto &[key, field] :
         {std::pair{"l1_instruction"sv, &caches.l1_instruction}, std::pair{"l1_data"sv, &caches.l1_data},
          std::pair{"l2"sv, &caches.l2}, std::pair{"l3"sv, &caches.l3}}) {
        if (const auto value = inner->size(key))
            *field = static_cast<u32>(std::min(value->value, u64{machine::kMaxCacheBytes} + 1));
        note(*inner, key, system, path(fmt::format(".caches.{}", key)));
    }
}

void read_timer(TomlReader &table, System &system, usize index) {
    auto &description = system.description.vms[index];
    const auto path = [index](const std::string &key) { return fmt::format("vm[{}]{}", index, key); };
    auto inner = table.table("timer");
    note(table, "timer", system, path(".timer"));
    if (!inner)
        return;
    machine::TimerRecord &timer = description.timer;
    for (const auto &[key, field] :
         {std::pair{"secure_physical"sv, &timer.secure_physical}, std::pair{"physical"sv, &timer.physical},
          std::pair{"virtual"sv, &timer.virtual_timer}, std::pair{"hypervisor"sv, &timer.hypervisor}}) {
        if (const auto value = inner->number(key))
            *field = static_cast<u8>(value->value);
        note(*inner, key, system, path(fmt::format(".timer.{}", key)));
    }
}

} // namespace sel4vm::cli
