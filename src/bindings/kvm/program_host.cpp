// SPDX-License-Identifier: BSD-2-Clause
//
// The host of C++ programs of this process. There is no C interface here, so an environment of one is nothing.
#include <bindings/program_host.hpp>

#include <hosts/kvm/program_host.hpp>

#include <sel4vm/program/linked_host.hpp>

#include <memory>

namespace sel4vm {

Result<aarch64::ProgramHost *, HostError> program::open_linked_host() {
    auto host = std::make_unique<kvm::ProgramHost>();
    if (const std::string problem = host->open(); !problem.empty()) {
        host->log().line(LogLevel::error, "host", problem);
        return Err{HostError{HostErrorKind::not_available}};
    }
    return static_cast<aarch64::ProgramHost *>(host.release());
}

void program::close_linked_host(aarch64::ProgramHost &host) {
    const std::unique_ptr<kvm::ProgramHost> owned(static_cast<kvm::ProgramHost *>(&host));
}

Result<aarch64::ProgramHost *, HostError> bindings::open_program_host(vm_host_t &, const vm_timeout_source_t *) {
    return program::open_linked_host();
}

void bindings::close_program_host(aarch64::ProgramHost &host) { program::close_linked_host(host); }

} // namespace sel4vm
