// SPDX-License-Identifier: BSD-2-Clause
//
// The SIMD and FP registers of one vCPU. They stay in the hardware until another vCPU uses the unit.
#pragma once

#include <sel4vm/base/types.hpp>

#include <cstddef>

namespace sel4vm::el2 {

struct alignas(16) FpState {
    u64 v[32][2] = {}; ///< low half first
    u64 fpcr = 0;
    u64 fpsr = 0;
};
static_assert(offsetof(FpState, fpcr) == 512, "assembly (fp_state.S)");

} // namespace sel4vm::el2

// CPTR_EL2.TFP must be clear.
extern "C" void sel4vm_el2_fp_save(sel4vm::el2::FpState *to);
extern "C" void sel4vm_el2_fp_load(const sel4vm::el2::FpState *from);
