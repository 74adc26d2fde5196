// SPDX-License-Identifier: BSD-2-Clause
//
// The fake host of C++ programs: the one that is linked, and the one over an environment of sel4vm/host.h.
#include <bindings/program_host.hpp>

#include <bindings/fake/host.hpp>
#include <hosts/fake/program_host.hpp>

#include <sel4vm/program/linked_host.hpp>

#include <memory>

namespace sel4vm {

namespace {

struct Machine final : fake::HostBase {};

} // namespace

Result<aarch64::ProgramHost *, HostError> program::open_linked_host() {
    return static_cast<aarch64::ProgramHost *>(new fake::ProgramHost(*new Machine));
}

void program::close_linked_host(aarch64::ProgramHost &host) {
    // A machine of its own, which names nothing of seL4 and goes after it.
    const std::unique_ptr<Machine> machine(static_cast<Machine *>(&host.allocator()));
    bindings::close_program_host(host);
}

Result<aarch64::ProgramHost *, HostError> bindings::open_program_host(vm_host_t &environment,
                                                                      const vm_timeout_source_t *) {
    return static_cast<aarch64::ProgramHost *>(new fake::ProgramHost(fake::Host::of(environment)));
}

void bindings::close_program_host(aarch64::ProgramHost &host) {
    const std::unique_ptr<fake::ProgramHost> owned(static_cast<fake::ProgramHost *>(&host));
}

} // namespace sel4vm
