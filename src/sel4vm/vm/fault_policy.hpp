// SPDX-License-Identifier: BSD-2-Clause
//
// What happens to a guest's mistake: one table per VM. The defaults follow hardware, never the VMM's convenience.
#pragma once

#include <sel4vm/base/text.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/architecture.hpp>
#include <sel4vm/host/exit.hpp>

#include <array>
#include <string_view>

namespace sel4vm {

enum class Mistake : u8 {
    unmapped_access,         ///< no RAM, device or reservation there, or part of the access outside of it
    bad_device_access,       ///< a device refused offset, width or alignment
    read_only_write,         ///< a store to ROM
    fetch_from_device,       ///< an instruction fetch from a device's range
    unemulatable_access,     ///< a device access of an instruction that the host cannot decode
    unknown_system_register, ///< no handler, or the handler denies the register
    unknown_hypercall,
    undefined_instruction, ///< trapped by the host and emulated by nobody
    debug_exception,
    unknown_exit,
    port_access,        ///< no device at the I/O port, or it refuses, or part of the access lies outside of it
    unreachable_memory, ///< memory that is mapped, and that the host reports as refused again and again
    count_,
};

enum class Response : u8 {
    access_fault,      ///< GuestFault::access
    instruction_fault, ///< GuestFault::instruction
    ignore,            ///< reads give zero, writes are dropped
    open_bus,          ///< reads give all ones, writes are dropped
    not_supported,     ///< hypercalls: Architecture::refuse_call()
    stop_vm,           ///< end the VM with StopReason::guest_error
};

class FaultPolicy {
public:
    [[nodiscard]] constexpr Response of(Mistake mistake) const { return rows_[static_cast<usize>(mistake)]; }
    constexpr void set(Mistake mistake, Response response) { rows_[static_cast<usize>(mistake)] = response; }

private:
    static constexpr usize kMistakes = static_cast<usize>(Mistake::count_);
    using Rows = std::array<Response, kMistakes>;

    [[nodiscard]] static constexpr Response hardware_response(Mistake mistake) {
        switch (mistake) {
        case Mistake::unmapped_access:
        case Mistake::bad_device_access:
        case Mistake::fetch_from_device:
        case Mistake::unemulatable_access:
        case Mistake::unreachable_memory: return Response::access_fault;
        case Mistake::unknown_system_register:
        case Mistake::undefined_instruction:
        case Mistake::debug_exception: return Response::instruction_fault;
        case Mistake::read_only_write: return Response::ignore;
        case Mistake::port_access: return Response::open_bus;
        case Mistake::unknown_hypercall: return Response::not_supported;
        case Mistake::unknown_exit:
        case Mistake::count_: break;
        }
        return Response::stop_vm;
    }
    [[nodiscard]] static constexpr Rows hardware_rows() {
        Rows rows{};
        for (usize n = 0; n < kMistakes; ++n)
            rows[n] = hardware_response(static_cast<Mistake>(n));
        return rows;
    }

    Rows rows_ = hardware_rows();
};

/// A client's word before the policy's: the C interface's unhandled-fault callbacks are one. Called on the executor of the vCPU.
class MistakeHandler {
public:
    /// An answer of kind none passes the mistake on to the policy.
    [[nodiscard]] virtual Answer decide(class Vcpu &vcpu, Mistake mistake, const Exit &exit) = 0;

protected:
    ~MistakeHandler() = default;
};

} // namespace sel4vm
