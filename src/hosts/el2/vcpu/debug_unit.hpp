// SPDX-License-Identifier: BSD-2-Clause
//
// Breakpoints and watchpoints of a guest (Arm ARM DDI 0487, D2.8 to D2.10). The guest's accesses to their registers trap, so
// what is here is always right and nothing is ever read back; the hardware gets a copy while the vCPU is loaded. They cannot
// fire in the host: debug exceptions go to EL1 (MDCR_EL2.TDE is 0), and none is taken above the level it goes to.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/host_error.hpp>

#include <array>
#include <optional>

namespace sel4vm::el2 {

class DebugUnit {
public:
    /// DBGBVRn, DBGBCRn, DBGWVRn or DBGWCRn by its packed name; not_available for all others, and for numbers that this CPU lacks.
    [[nodiscard]] Result<u64, HostError> get(u32 id) const;
    [[nodiscard]] Status<HostError> set(u32 id, u64 value);

    /// True when a breakpoint or watchpoint is enabled: the hardware needs load().
    [[nodiscard]] bool in_use() const { return in_use_; }
    /// Into the hardware of this CPU.
    void load() const;
    /// Nothing is enabled in the hardware any more.
    static void disable_all();

private:
    static constexpr usize kMax = 16;
    enum Kind : u32 { breakpoint_value, breakpoint_control, watchpoint_value, watchpoint_control, kKinds };
    struct Place {
        Kind kind;
        u32 number;
    };
    [[nodiscard]] static std::optional<Place> place_of(u32 id);

    std::array<std::array<u64, kMax>, kKinds> values_{};
    bool in_use_ = false;
};

} // namespace sel4vm::el2
