// SPDX-License-Identifier: BSD-2-Clause
//
// What a host has for a program with Arm guests: host/program_host.hpp, and the resources of each guest.
#pragma once

#include <sel4vm/arch/aarch64/ports/gic_support.hpp>
#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>
#include <sel4vm/host/program_host.hpp>

namespace sel4vm::aarch64 {

class ProgramHost : public sel4vm::ProgramHost {
public:
    /// That of its guests, for whoever asks before there is one.
    [[nodiscard]] virtual GicSupport gic() = 0;
    /// Resources for one more VM, on events(). From then on until the next wait for an event, code of other libraries may run, which uses registers that
    /// may be a guest's.
    [[nodiscard]] virtual Result<GuestResources *, HostError> make_guest() = 0;
    /// Its vCPUs are destroyed and its RAM freed already.
    virtual void free_guest(GuestResources &guest) = 0;

protected:
    ~ProgramHost() = default;
};

} // namespace sel4vm::aarch64
