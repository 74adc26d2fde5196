// SPDX-License-Identifier: BSD-2-Clause
//
// The registers of a guest's EL1 and EL0 that are switched (portable/registers/register_table.hpp). They stay in the hardware while their
// vCPU is the one that ran last, and move to memory when another takes its place.
#pragma once

#include <hosts/el2/portable/registers/register_table.hpp>

#include <sel4vm/base/types.hpp>

#include <array>
#include <optional>
#include <utility>

namespace sel4vm::el2 {

/// Which of the switched registers a CPU has beyond those that each has.
class SwitchedExtras {
public:
    constexpr SwitchedExtras() = default;
    constexpr explicit SwitchedExtras(CpuFeatures features) {
        [&]<usize... I>(std::index_sequence<I...>) {
            ((mask_ |= is_switched<kAlwaysSwitchedCount + I>(features) ? u32{1} << (kAlwaysSwitchedCount + I) : 0),
             ...);
        }
        (std::make_index_sequence<kSwitchedCount - kAlwaysSwitchedCount>{});
    }
    [[nodiscard]] constexpr bool any() const { return mask_ != 0; }
    [[nodiscard]] constexpr bool has(usize index) const { return (mask_ >> index & 1) != 0; }

private:
    u32 mask_ = 0;
    static_assert(kSwitchedCount <= 32);
};

/// The saved copy of one vCPU.
class El1State {
public:
    [[nodiscard]] u64 get(El1Register which) const { return values_[which.index]; }
    void set(El1Register which, u64 value) { values_[which.index] = value; }
    /// MMU and caches off: SCTLR_EL1 as given, everything else zero.
    void reset(u64 sctlr_el1);

    /// From the hardware.
    void save(SwitchedExtras extras);
    /// Into the hardware; takes effect at the next exception return.
    void load(SwitchedExtras extras) const;

private:
    std::array<u64, kSwitchedCount> values_{};
};

/// Which of them an id names on such a CPU, if any.
[[nodiscard]] std::optional<El1Register> el1_register_of(u32 sysreg_id, SwitchedExtras extras);
/// Directly in the hardware.
[[nodiscard]] u64 read_el1(El1Register which);
void write_el1(El1Register which, u64 value);

} // namespace sel4vm::el2
