// SPDX-License-Identifier: BSD-2-Clause
//
// The host of C++ programs over an environment of sel4vm/host.h, for programs that use both interfaces: program::Host::open() takes it. Programs that
// use the C++ interface alone need neither (program/linked_host.hpp). Each host has these functions in its own folder beside this file.
#pragma once

#include <sel4vm/arch/aarch64/ports/program_host.hpp>
#include <sel4vm/host.h>

namespace sel4vm::bindings {

/// `environment` is open and outlives it. `timeouts`: for hosts without timers of their own (seL4), copied; others ignore it.
[[nodiscard]] Result<aarch64::ProgramHost *, HostError>
open_program_host(vm_host_t &environment, const vm_timeout_source_t *timeouts = nullptr);
/// All guests' resources are freed.
void close_program_host(aarch64::ProgramHost &host);

} // namespace sel4vm::bindings
