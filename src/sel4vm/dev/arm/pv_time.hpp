// SPDX-License-Identifier: BSD-2-Clause
//
// Paravirtualized time (Arm DEN 0057A): tells a guest where it finds, for each vCPU, the time that it could have run and did not. The host
// keeps the numbers there by itself (VcpuPort::publish_stolen_time), so this is only the two calls. Deliberately not the live physical
// time of the same document, which nobody uses. Without a place, all of it is NOT_SUPPORTED, as are the 32-bit forms of the calls.
//
// Threads: set_place() before the VM starts; calls from any.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/vm/call_tables.hpp>

#include <optional>

namespace sel4vm::dev {

class PvTime final : public HypercallHandler {
public:
    /// Of one vCPU: revision and attributes (zero), the stolen nanoseconds, and room.
    static constexpr u64 kStructureBytes = 64;
    static constexpr u64 kNanosecondsAt = 8;

    [[nodiscard]] Status<RegisterError> register_all(HypercallTable &table);
    /// Where the structure of vCPU 0 is; the others follow.
    void set_place(Gpa base) { place_ = base; }
    [[nodiscard]] bool available() const { return place_.has_value(); }
    [[nodiscard]] Answer call(Vcpu &vcpu, const HypercallExit &exit) override;

private:
    std::optional<Gpa> place_;
};

} // namespace sel4vm::dev
