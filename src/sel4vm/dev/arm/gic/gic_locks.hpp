// SPDX-License-Identifier: BSD-2-Clause
//
// Who holds which part of the GIC's state, in a VM of several executors (LockMode::spin; otherwise there is one holder of everything, and
// nothing here is used).
//
//   own     of each vCPU (LockRank::irq_vcpu): its private interrupts, its list registers, what is `CpuState` but for the next
//   shared  of the VM (LockRank::irq_chip): shared interrupts, LPIs, their routing, and which of them are candidates for which vCPU
//
// A part of a vCPU's own is taken before the shared one, and more than one vCPU's in their order: that is what a vCPU's exit needs, which
// finds out from its own part whether it has to do with shared interrupts at all. Who changes shared interrupts alone (a wire, a message) takes
// the shared part, marks the vCPU that has a candidate now (`CpuState::shared_words`), and asks it to look.
//
// What only resets, register writes that concern all, and the like touch (group enables of the distributor, which vCPUs are on, chores of
// other vCPUs) changes under everything, and is read with any part.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::dev {

enum class Part : u8 {
    own,            ///< one vCPU's; and the shared one, if what that vCPU has to do with its interrupts touches it
    own_and_shared, ///< both, in any case
    shared,
    all,
};

/// What a caller is about to touch.
struct Need {
    Part part = Part::all;
    u32 vcpu = 0; ///< of Part::own and own_and_shared
    bool serves_next =
        false; ///< the vCPU's list registers are served first of all, so it need not be woken for what was posted
};

/// What it has got, and who it is, in a word that is passed on.
class Held {
public:
    static constexpr u32 kNobody = 0xff;
    static constexpr u32 kOwn = u32{1} << 16;
    static constexpr u32 kShared = u32{1} << 17;
    static constexpr u32 kAll = u32{1} << 18;

    /// `caller`: whose exit it is, or anything above 0xfe.
    constexpr Held(u32 caller, u32 vcpu, u32 parts)
        : word_(parts | (caller < kNobody ? caller : kNobody) << 8 | vcpu) {}
    constexpr explicit Held(u32 word) : word_(word) {}
    [[nodiscard]] constexpr u32 word() const { return word_; }
    [[nodiscard]] constexpr u32 vcpu() const { return word_ & 0xff; }
    [[nodiscard]] constexpr u32 caller() const { return word_ >> 8 & 0xff; }
    [[nodiscard]] constexpr bool own() const { return (word_ & kOwn) != 0; }
    [[nodiscard]] constexpr bool shared() const { return (word_ & kShared) != 0; }
    [[nodiscard]] constexpr bool all() const { return (word_ & kAll) != 0; }
    constexpr void add_shared() { word_ |= kShared; }

private:
    u32 word_;
};

} // namespace sel4vm::dev
