// SPDX-License-Identifier: BSD-2-Clause
//
// What a test reaches of the environment that vm_host_open() made, and what programs find that open one by themselves.
#pragma once

#include <sel4_host/double/environment.hpp>

#include <sel4vm/host.h>

#include <map>
#include <string>

namespace sel4vm::sel4_double {

[[nodiscard]] inline Environment &environment_of(const vm_host_t &host) {
    return *static_cast<Environment *>(host.vka.data);
}
[[nodiscard]] inline Kernel &kernel_of(const vm_host_t &host) { return environment_of(host).kernel; }

struct Shared {
    KernelOptions options{}; ///< of the next kernel
    std::map<std::string, std::string> files{};
    std::string console_output{};
    std::string violation{}; ///< of the last host that was closed
    usize left = 0;          ///< what it had not got back
};
[[nodiscard]] Shared &shared();

} // namespace sel4vm::sel4_double
