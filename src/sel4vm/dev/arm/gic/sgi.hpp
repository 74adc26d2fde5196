// SPDX-License-Identifier: BSD-2-Clause
//
// Software-generated interrupts: who is meant by GICD_SGIR (GICv2, IHI 0048B) and by ICC_SGI0R, SGI1R and ASGI1R (GICv3,
// IHI 0069, single security state).
#pragma once

#include <sel4vm/dev/arm/gic/gic_core.hpp>

namespace sel4vm::dev {

/// A write of GICD_SGIR by `caller`.
void send_sgi_v2(GicCore &core, u32 caller, u32 sgir);

/// Which of the three registers was written.
enum class SgiRegister : u8 { sgi0, sgi1, asgi1 };
void send_sgi_v3(GicCore &core, u32 caller, SgiRegister which, u64 value);

/// The same for who holds nothing: what is for others is in their inboxes then. Whom it is for, the caller included, for whom nothing was done.
[[nodiscard]] CpuSet post_sgi_v2(GicCore &core, u32 caller, u32 sgir);
[[nodiscard]] CpuSet post_sgi_v3(GicCore &core, u32 caller, SgiRegister which, u64 value);
/// What is left to do for the caller: it holds its own part.
void send_sgi_to_self(GicCore &core, u32 caller, u32 sgi, SgiRegister which);

} // namespace sel4vm::dev
