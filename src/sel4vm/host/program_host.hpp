// SPDX-License-Identifier: BSD-2-Clause
//
// What a host has for a whole program: services, the one console, files, and the event port that all its guests share. How the resources of a
// guest are made is the architecture's part of it (arch/aarch64/ports/program_host.hpp).
//
// Threads: one, and it is the executor's that waits on events(); except where a port says otherwise.
#pragma once

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/host/shared_ram_port.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm {

class ProgramHost {
public:
    // -- services, which live as long as it does
    [[nodiscard]] virtual Allocator &allocator() = 0;
    [[nodiscard]] virtual Log &log() = 0;
    [[nodiscard]] virtual Clock &clock() = 0;
    [[nodiscard]] virtual Entropy &entropy() = 0;
    [[nodiscard]] virtual EventPort &events() = 0;

    // -- the console
    /// Bytes as they are.
    virtual void put(std::span<const u8> bytes) = 0;
    /// Takes what was typed, without waiting; fewer bytes than `out` has mean that there are no more now.
    [[nodiscard]] virtual usize read(std::span<u8> out) = 0;
    /// Of what read() gives.
    [[nodiscard]] virtual InputFlow input_flow() const { return InputFlow::typed; }
    /// From now on input is a signal of events() with this badge, after a read() that gave fewer bytes than it could. not_available: there is no input,
    /// or nobody can tell when it comes; busy: somebody else listens.
    [[nodiscard]] virtual Status<HostError> listen(u64 badge) = 0;

    /// A file that came with the program, by name, where it is for good.
    [[nodiscard]] virtual std::optional<std::span<const u8>> file(std::string_view name) = 0;

    /// nullptr: its guests cannot share memory.
    [[nodiscard]] virtual SharedRamPort *shared_ram() { return nullptr; }

    /// What create_vcpu() of its guests is given: fit beside the program's own.
    [[nodiscard]] virtual int vcpu_priority() const { return 0; }

protected:
    ~ProgramHost() = default;
};

} // namespace sel4vm
