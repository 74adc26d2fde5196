// SPDX-License-Identifier: BSD-2-Clause
//
// How the functions of the C interface look at their arguments: a wrong one is one line in the log and the documented error.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/capi/machine.hpp>

#include <string_view>

namespace sel4vm::capi {

/// Logs to where there is no VM.
[[gnu::noinline, gnu::cold]] inline void complain(const char *call, std::string_view why) {
    Text<200> line;
    line << call << ": " << why;
    host_log().line(LogLevel::error, "host", line.view());
}

/// nullptr, after a line, when `vm` is no VM.
[[nodiscard]] inline Machine *machine_of(const vm_t *vm, const char *call) {
    if (vm != nullptr && vm->vm_initialised && vm->arch.machine != nullptr)
        return vm->arch.machine;
    complain(call, vm == nullptr ? "vm is NULL" : "vm was not initialised");
    return nullptr;
}

/// nullptr, after a line, when `vcpu` is none.
[[nodiscard]] inline GuestVcpu *vcpu_of(const vm_vcpu_t *vcpu, const char *call) {
    if (vcpu != nullptr && vcpu->vcpu_arch.fault != nullptr) [[likely]]
        return vcpu->vcpu_arch.fault;
    complain(call, vcpu == nullptr ? "vcpu is NULL" : "vcpu was not made by vm_create_vcpu");
    return nullptr;
}

[[nodiscard]] inline int fail(const Machine &machine, const char *call, std::string_view why) {
    machine.complain(call, why);
    return -1;
}

/// 0 for nullptr, which is what the machine's calls give when nothing was wrong.
[[nodiscard]] inline int result_of(const Machine &machine, const char *call, const char *why) {
    return why == nullptr ? 0 : fail(machine, call, why);
}

/// Why [addr, addr + size) is no range.
[[nodiscard]] Text<160> describe_bad_range(u64 addr, u64 size);

} // namespace sel4vm::capi
