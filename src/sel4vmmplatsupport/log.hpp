// SPDX-License-Identifier: BSD-2-Clause
//
// One line in the host's log about a call that was refused.
#pragma once

#include <sel4vm/base/text.hpp>

#include <sel4vmmplatsupport/host_hooks.hpp>

namespace sel4vm::platsupport {

/// Says why and returns the C interface's error.
template <class... Parts>
[[nodiscard]] int refuse(vm_t *vm, const Parts &...parts) {
    Text<200> text;
    (void)(text << ... << parts);
    report(vm, LogLevel::error, text.view());
    return -1;
}

} // namespace sel4vm::platsupport
