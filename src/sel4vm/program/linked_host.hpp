// SPDX-License-Identifier: BSD-2-Clause
//
// The host that a program was linked with: each has these two functions in bindings/<host>. program::Host calls them for programs that name no host.
#pragma once

#include <sel4vm/arch/aarch64/ports/program_host.hpp>

namespace sel4vm::program {

/// Once in a program at a time. An error says in the host's log, or on its console, what is lacking.
[[nodiscard]] Result<aarch64::ProgramHost *, HostError> open_linked_host();
/// All guests' resources are freed.
void close_linked_host(aarch64::ProgramHost &host);

} // namespace sel4vm::program
