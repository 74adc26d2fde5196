// SPDX-License-Identifier: BSD-2-Clause
//
// One virtual CPU of a host. Registers may be touched only between an exit of this vCPU and the answer to it, or while
// the vCPU is stopped; kick() may come from any thread at any time. Register numbers and names are the architecture's.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/host_error.hpp>
#include <sel4vm/host/vcpu_counts.hpp>
#include <sel4vm/host/vcpu_start.hpp>
#include <sel4vm/host/vcpu_times.hpp>

namespace sel4vm {

/// How long one vCPU runs while others of its CPU wait, unless a host that decides about that is told otherwise.
inline constexpr u32 kDefaultSliceMicroseconds = 10'000;

class VcpuPort {
public:
    /// General register `n`. AArch64: x0-x30; 31 reads as zero and ignores writes. Other numbers: our bug.
    [[nodiscard]] virtual u64 general_register(unsigned n) = 0;
    virtual void set_general_register(unsigned n, u64 value) = 0;
    [[nodiscard]] virtual u64 program_counter() = 0;
    virtual void set_program_counter(u64 value) = 0;

    /// A system register by the architecture's packing; not_available where the host cannot.
    [[nodiscard]] virtual Result<u64, HostError> system_register(u32 id) = 0;
    [[nodiscard]] virtual Status<HostError> set_system_register(u32 id, u64 value) = 0;

    /// Architectural reset state but for where it begins (AArch64: EL1h, MMU off, DAIF set, all registers but PC and x0 zero). The vCPU must
    /// be stopped; it stays stopped.
    virtual void reset(const VcpuStart &start) = 0;

    /// Lets a stopped or never started vCPU run. May be called from any executor.
    virtual void resume() = 0;

    /// Makes this vCPU deliver ExitKind::kicked before it next executes guest instructions; ends a block.
    virtual void kick() = 0;

    /// Makes the executor get one EventKind::turn for this vCPU, which is stopped and stays so: the VMM has work to do for its
    /// VM, a step of it at each turn. The turn comes when the vCPU could run, and what the executor does until it waits again
    /// counts as time of the vCPU. Nothing comes when it runs or is resumed before. May be called from any executor.
    virtual void request_turn() = 0;

    /// What its time went to; not_available where the host does not count it. From any thread while the vCPU exists.
    [[nodiscard]] virtual Result<VcpuTimes, HostError> times() const {
        return Err{HostError{HostErrorKind::not_available}};
    }
    /// What else it counts. From any thread while the vCPU exists.
    [[nodiscard]] virtual VcpuCounts counts() const { return {}; }
    /// Keeps at `nanoseconds`, from now on, what of its time was stolen since this call; written when the vCPU gets its CPU back. The vCPU is stopped,
    /// and the place, 8-byte aligned memory that lasts as long as it, may be the guest's to read. Another call starts from 0 again. not_available where
    /// the host does not count it.
    [[nodiscard]] virtual Status<HostError> publish_stolen_time(volatile u64 *) {
        return Err{HostError{HostErrorKind::not_available}};
    }

protected:
    ~VcpuPort() = default;
};

} // namespace sel4vm
