// SPDX-License-Identifier: BSD-2-Clause
//
// What KVM_RUN came back with, as an exit of the core. Pure: from the page that a vCPU shares with the kernel, and nothing else.
#pragma once

#include <sel4vm/host/exit.hpp>

#include <linux/kvm.h>
#include <optional>

namespace sel4vm::kvm {

/// The exit that `run` describes; no value when the kernel only let go of the vCPU, which then goes on. PSCI is the kernel's, but it leaves SYSTEM_OFF and
/// SYSTEM_RESET to us: they become the guest's call again. What the core cannot answer is `unknown`, with KVM's number as the reason.
[[nodiscard]] std::optional<Exit> decode_exit(const kvm_run &run);

/// The same for a KVM_RUN that failed with this errno.
[[nodiscard]] std::optional<Exit> decode_error(int error);

/// Puts what a read of the open exit gives where the kernel takes it from at the next KVM_RUN.
void put_read_data(kvm_run &run, u64 data);

} // namespace sel4vm::kvm
