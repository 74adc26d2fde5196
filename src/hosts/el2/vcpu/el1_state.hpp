// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's EL1 and EL0 system registers. They stay in the hardware while their vCPU is the one that ran last, and move
// to memory when another takes its place. Not here: what traps (see README.md), the timer and the interrupt interface.
#pragma once

#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/base/types.hpp>

#include <array>
#include <optional>

// The one list: id, and the name to the assembler. Order is that of loading: translation controls last.
#define SEL4VM_EL2_GUEST_REGISTERS(row)                                                                         \
    row(kSpEl0, sp_el0) row(kSpEl1, sp_el1) row(kElrEl1, elr_el1) row(kSpsrEl1, spsr_el1) row(kEsrEl1, esr_el1) \
        row(kFarEl1, far_el1) row(kAfsr0El1, afsr0_el1) row(kAfsr1El1, afsr1_el1) row(kVbarEl1, vbar_el1)       \
            row(kContextidrEl1, contextidr_el1) row(kTpidrEl0, tpidr_el0) row(kTpidrroEl0, tpidrro_el0)         \
                row(kTpidrEl1, tpidr_el1) row(kParEl1, par_el1) row(kCsselrEl1, csselr_el1)                     \
                    row(kCntkctlEl1, cntkctl_el1) row(kMdscrEl1, mdscr_el1) row(kCpacrEl1, cpacr_el1)           \
                        row(kMairEl1, mair_el1) row(kAmairEl1, amair_el1) row(kTtbr0El1, ttbr0_el1)             \
                            row(kTtbr1El1, ttbr1_el1) row(kTcrEl1, tcr_el1) row(kSctlrEl1, sctlr_el1)

namespace sel4vm::el2 {

enum class El1Register : u8 {
#define SEL4VM_EL2_ROW(id, name) name,
    SEL4VM_EL2_GUEST_REGISTERS(SEL4VM_EL2_ROW)
#undef SEL4VM_EL2_ROW
        count_,
};

/// The saved copy of one vCPU.
class El1State {
public:
    [[nodiscard]] u64 get(El1Register which) const { return values_[static_cast<usize>(which)]; }
    void set(El1Register which, u64 value) { values_[static_cast<usize>(which)] = value; }
    /// Architectural reset: MMU and caches off, everything else zero.
    void reset();

    /// From the hardware.
    void save();
    /// Into the hardware; takes effect at the next exception return.
    void load() const;

private:
    std::array<u64, static_cast<usize>(El1Register::count_)> values_{};
};

/// Which of them an id names, if any.
[[nodiscard]] std::optional<El1Register> el1_register_of(u32 sysreg_id);
/// Directly in the hardware.
[[nodiscard]] u64 read_el1(El1Register which);
void write_el1(El1Register which, u64 value);

} // namespace sel4vm::el2
