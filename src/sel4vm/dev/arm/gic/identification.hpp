// SPDX-License-Identifier: BSD-2-Clause
//
// What the GIC's frames say about themselves. Drivers read ArchRev in PIDR2; the rest is here so that the component
// identification is well-formed. Part numbers are those of Arm's own GICs of the same architecture.
#pragma once

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/dev/arm/gic/gic_config.hpp>

#include <array>

namespace sel4vm::dev {

/// Implementer Arm, because no other code would be less of a lie, and a product of our own ('s').
inline constexpr u32 kGicIidr =
    aarch64::GicIidr{}.with<aarch64::GicIidr::ProductId>(0x73).with<aarch64::GicIidr::Implementer>(0x43b).raw();

/// PIDR4 to PIDR7, PIDR0 to PIDR3, CIDR0 to CIDR3: the last twelve words of a frame.
using IdentificationWords = std::array<u8, 12>;
inline constexpr IdentificationWords kIdentificationV2 = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};
inline constexpr IdentificationWords kIdentificationV3 = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

} // namespace sel4vm::dev
