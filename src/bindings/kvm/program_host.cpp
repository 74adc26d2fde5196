// SPDX-License-Identifier: BSD-2-Clause
//
// The host of C++ programs: the one that is linked, and the one over an environment of sel4vm/host.h.
#include <bindings/program_host.hpp>

#include <bindings/kvm/environment.hpp>
#include <hosts/kvm/program_host.hpp>

#include <sel4vm/program/linked_host.hpp>

#include <memory>

namespace sel4vm {

Result<aarch64::ProgramHost *, HostError> program::open_linked_host() {
    auto shared = std::make_unique<kvm::Shared>();
    if (const std::string problem = shared->system.open(); !problem.empty()) {
        shared->log.line(LogLevel::error, "host", problem);
        return Err{HostError{HostErrorKind::not_available}};
    }
    return static_cast<aarch64::ProgramHost *>(new kvm::ProgramHost(std::move(shared)));
}

void program::close_linked_host(aarch64::ProgramHost &host) { bindings::close_program_host(host); }

Result<aarch64::ProgramHost *, HostError> bindings::open_program_host(vm_host_t &environment,
                                                                      const vm_timeout_source_t *) {
    return static_cast<aarch64::ProgramHost *>(new kvm::ProgramHost(kvm::Environment::of(environment).shared()));
}

void bindings::close_program_host(aarch64::ProgramHost &host) {
    const std::unique_ptr<kvm::ProgramHost> owned(static_cast<kvm::ProgramHost *>(&host));
}

} // namespace sel4vm
