// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/statistics.h
#include <sel4vm/statistics.h>

#include <sel4vm/capi/arguments.hpp>
#include <sel4vm/vm/lifecycle.hpp>
#include <sel4vm/vm/statistics.hpp>

#include <algorithm>

using namespace sel4vm;

static_assert(VM_EXIT_KINDS == kExitKinds);
static_assert(VM_EXIT_MEMORY == static_cast<int>(ExitKind::memory));
static_assert(VM_EXIT_IRQ_SERVICE == static_cast<int>(ExitKind::irq_service));
static_assert(VM_EXIT_UNKNOWN == static_cast<int>(ExitKind::unknown));

int vm_get_vcpu_statistics(vm_vcpu_t *vcpu, vm_vcpu_statistics_t *statistics) {
    constexpr const char *kCall = "vm_get_vcpu_statistics";
    capi::GuestVcpu *const guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (statistics == nullptr)
        return capi::fail(guest->machine(), kCall, "statistics is NULL");
    *statistics = {};
    const VcpuStatistics all = statistics_of(guest->core(), guest->machine().resources().clock());
    std::copy(all.exits.begin(), all.exits.end(), statistics->exits);
    if (all.times) {
        statistics->has_times = 1;
        statistics->running_ns = all.times->running;
        statistics->waiting_ns = all.times->waiting;
        statistics->stolen_ns = all.times->stolen;
    }
    statistics->has_interrupts = all.interrupts ? 1 : 0;
    statistics->interrupts = all.interrupts.value_or(0);
    statistics->kicks = all.kicks;
    return 0;
}

const char *vm_exit_kind_name(unsigned int kind) {
    return kind < kExitKinds ? to_string(static_cast<ExitKind>(kind)) : nullptr;
}

const char *vm_state_name(vm_t *vm) {
    capi::Machine *const machine = capi::machine_of(vm, "vm_state_name");
    return machine == nullptr ? nullptr : to_string(machine->vm().state());
}
