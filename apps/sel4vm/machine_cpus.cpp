// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/machine_cpus.hpp>

#include <apps/sel4vm/system_keys.hpp>

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace sel4vm::cli {

namespace {

u32 named_cpus(const machine::MachineDescription &vm) { return static_cast<u32>(std::bit_width(vm.cpus)); }

} // namespace

u32 machine_cpus(const System &system) {
    u32 count = 1;
    for (const machine::MachineDescription &vm : system.description.vms)
        count = std::max(count, named_cpus(vm));
    return count;
}

void judge_machine_cpus(const System &system, Mistakes &mistakes) {
    if (!system.qemu.cpus || system.doubtful("qemu.cpus"))
        return;
    const u32 count = *system.qemu.cpus;
    for (usize i = 0; i < system.description.vms.size(); ++i) {
        const std::string key = fmt::format("vm[{}].cpus", i);
        if (named_cpus(system.description.vms[i]) <= count || system.doubtful(key))
            continue;
        const Origin machine = system.origin_of("qemu.cpus");
        mistakes.expected(system.origin_of(key),
                          fmt::format("CPUs that the machine has: it has {} by {}{}", count,
                                      machine.line != 0 ? fmt::format("line {}, ", machine.line) : "", machine.name));
    }
}

} // namespace sel4vm::cli
