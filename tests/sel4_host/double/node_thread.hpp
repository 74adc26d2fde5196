// SPDX-License-Identifier: BSD-2-Clause
//
// The one kind of thread without a VCPU that runs here: the seL4 host's own, which makes calls on other CPUs (hosts/sel4/node_thread.hpp). What its
// few instructions do is done at once when it is resumed.
#pragma once

#include <sel4_host/double/thread.hpp>

namespace sel4vm::sel4_double {

[[nodiscard]] bool is_node_thread(const Tcb &thread);
void run_node_thread(Tcb &thread);

} // namespace sel4vm::sel4_double
