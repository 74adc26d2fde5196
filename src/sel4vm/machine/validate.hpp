// SPDX-License-Identifier: BSD-2-Clause
//
// Judges a description before anything is built from it. The same code runs in the workstation tool, which adds file and
// line, and on the target, which trusts no bundle. Whether images fit where they go is boot/layout's to say, because it
// depends on what is inside them. Needs about 16 KiB of stack.
//
// Key paths: vm, time_slice_us, console.input for the system; `vm[I].` for a VM, then
//   name, vcpus, priority, budget, budget.budget, budget.period, cmdline, entry, memory, memory[J].base, memory[J].size, gic.version, gic.spis, gic.distributor.base (.size),
//   gic.cpu_interface.base (.size), gic.redistributors.base (.size),
//   gic.msi, gic.msi_frame.base (.size), gic.msi_spis, timer.physical (...), devices.NAME.base (.size, .spi, .type),
//   shared.NAME.base (.size, .doorbell, .spi, .side, .sides, .access, .name),
//   memory[J].one_to_one, passthrough[P].node, kernel, initrd, dtb, firmware, firmware.base, images[K].base, images[K].size  (K counts rom and raw images only)
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/machine/description.hpp>

namespace sel4vm::machine {

struct Problem {
    Text<80> key;       ///< the path of the value that is wrong
    Text<64> value;     ///< the value as found
    Text<128> expected; ///< what it should have been, worded to follow "expected "
    /// The path of the value that it does not go with, which may be the wrong one of the two; empty when it is wrong by itself.
    Text<80> other{};
    /// Of two ranges that overlap, where `key` and `other` are their bases: both ranges; else of size 0.
    AddressBlock range{}, other_range{};
};

/// As many as fit are reported; a description with more is repaired in steps.
using Problems = FixedVector<Problem, 16>;

/// The largest guest-physical address that a description may use, plus one; a host may have fewer bits.
inline constexpr u64 kGuestAddressEnd = u64{1} << 40;

[[nodiscard]] Problems validate(const SystemDescription &system);
/// One VM; `vm_index` only names it in key paths.
[[nodiscard]] Problems validate(const MachineDescription &vm, usize vm_index);

} // namespace sel4vm::machine
