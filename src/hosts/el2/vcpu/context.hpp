// SPDX-License-Identifier: BSD-2-Clause
//
// What changes hands on every entry to and exit from a guest. Assembly knows the offsets: while the guest runs, SP_EL2 points here, so
// the vectors can store registers without needing one first.
#pragma once

#include <sel4vm/base/types.hpp>

#include <cstddef>

namespace sel4vm::el2 {

struct alignas(16) GuestContext {
    u64 x[31] = {};
    u64 pc = 0;
    u64 pstate = 0;
    u64 esr = 0;     ///< of the last exit; see exits below
    u64 host_sp = 0; ///< where the run loop's stack and code go on
    u64 host_resume = 0;
};

static_assert(offsetof(GuestContext, pc) == 248, "stored in one pair with x30");
static_assert(offsetof(GuestContext, pstate) == 256);
static_assert(offsetof(GuestContext, esr) == 264, "stored in one pair with pstate");
static_assert(offsetof(GuestContext, host_sp) == 272);
static_assert(offsetof(GuestContext, host_resume) == 280);

// What the vectors put in place of ESR_EL2 for the asynchronous exceptions; bit 63 is never set in a syndrome.
inline constexpr u64 kExitIrq = ~u64{0};
inline constexpr u64 kExitFiq = ~u64{1};
inline constexpr u64 kExitSError = ~u64{2};

} // namespace sel4vm::el2
