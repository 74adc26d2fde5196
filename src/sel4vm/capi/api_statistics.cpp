// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm/statistics.h
#include <sel4vm/statistics.h>

#include <sel4vm/capi/arguments.hpp>
#include <sel4vm/vm/lifecycle.hpp>

#include <algorithm>

using namespace sel4vm;

static_assert(VM_EXIT_KINDS == kExitKinds);
static_assert(VM_EXIT_MEMORY == static_cast<int>(ExitKind::memory));
static_assert(VM_EXIT_IRQ_SERVICE == static_cast<int>(ExitKind::irq_service));
static_assert(VM_EXIT_UNKNOWN == static_cast<int>(ExitKind::unknown));

namespace {

/// Without a sum that wraps before the counter does.
u64 nanoseconds(u64 ticks, u64 ticks_per_second) {
    constexpr u64 kNanoseconds = 1'000'000'000;
    return ticks / ticks_per_second * kNanoseconds + ticks % ticks_per_second * kNanoseconds / ticks_per_second;
}

} // namespace

int vm_get_vcpu_statistics(vm_vcpu_t *vcpu, vm_vcpu_statistics_t *statistics) {
    constexpr const char *kCall = "vm_get_vcpu_statistics";
    capi::GuestVcpu *const guest = capi::vcpu_of(vcpu, kCall);
    if (guest == nullptr)
        return -1;
    if (statistics == nullptr)
        return capi::fail(guest->machine(), kCall, "statistics is NULL");
    *statistics = {};
    const auto &counted = guest->core().counters().by_kind;
    std::copy(counted.begin(), counted.end(), statistics->exits);
    const u64 per_second = guest->machine().resources().clock().ticks_per_second();
    const auto times = guest->core().port().times();
    if (!times || per_second == 0)
        return 0;
    statistics->has_times = 1;
    statistics->running_ns = nanoseconds(times->running_ticks, per_second);
    statistics->waiting_ns = nanoseconds(times->waiting_ticks, per_second);
    statistics->stolen_ns = nanoseconds(times->stolen_ticks, per_second);
    return 0;
}

const char *vm_exit_kind_name(unsigned int kind) {
    return kind < kExitKinds ? to_string(static_cast<ExitKind>(kind)) : nullptr;
}

const char *vm_state_name(vm_t *vm) {
    capi::Machine *const machine = capi::machine_of(vm, "vm_state_name");
    return machine == nullptr ? nullptr : to_string(machine->vm().state());
}
