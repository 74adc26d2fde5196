// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/cpu_placement.hpp>

#include <sel4vm/base/assert.hpp>

#include <bit>

namespace sel4vm::machine {

namespace {

/// Bits of CPUs 0 to `count` - 1.
constexpr u64 first_cpus(u32 count) { return count >= 64 ? ~u64{0} : (u64{1} << count) - 1; }

u8 least_loaded(u64 allowed, std::span<const u32> load) {
    auto best = static_cast<u8>(std::countr_zero(allowed));
    for (u64 rest = allowed; rest != 0; rest &= rest - 1) {
        const auto cpu = static_cast<u8>(std::countr_zero(rest));
        if (load[cpu] < load[best])
            best = cpu;
    }
    return best;
}

} // namespace

Result<CpuPlacement, PlacementError> place_vcpus(const SystemDescription &system, u32 cpu_count) {
    SEL4VM_ASSERT(cpu_count >= 1 && cpu_count <= kMaxCpus);
    const u64 present = first_cpus(cpu_count);
    CpuPlacement placement;
    std::array<u32, kMaxCpus> load{};
    for (const bool named : {true, false}) {
        for (usize vm = 0; vm < system.vms.size(); ++vm) {
            const u64 cpus = system.vms[vm].cpus;
            if ((cpus != 0) != named)
                continue;
            if ((cpus & ~present) != 0)
                return Err{PlacementError{vm, static_cast<u32>(std::countr_zero(cpus & ~present))}};
            for (u32 vcpu = 0; vcpu < system.vms[vm].vcpu_count; ++vcpu) {
                const u8 cpu = least_loaded(named ? cpus : present, load);
                ++load[cpu];
                placement.cpu_of[vm][vcpu] = cpu;
                placement.used |= u64{1} << cpu;
            }
        }
    }
    return placement;
}

} // namespace sel4vm::machine
