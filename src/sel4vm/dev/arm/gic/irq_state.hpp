// SPDX-License-Identifier: BSD-2-Clause
//
// The state of the GIC model, as plain structs without pointers: what a snapshot saves. Interrupts live in words of 32,
// one bit each, because registers, summaries and searches work on words. Word 0 holds a vCPU's private interrupts (SGIs
// 0-15, PPIs 16-31), word n the shared ones from INTID 32n.
//
// Where a pending interrupt's latch is: in `latched` while the distributor holds it, in `lr_latch` from the moment a
// list register holds it until the guest was seen to acknowledge it. It moves, it is never in both for one occurrence;
// that is why nothing is lost or delivered twice. A level interrupt is also pending while its wire is high.
#pragma once

#include <sel4vm/arch/aarch64/gic_registers.hpp>
#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/base/mutex.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/dev/arm/gic/cpu_set.hpp>
#include <sel4vm/dev/arm/gic/sgi_inbox.hpp>

#include <array>
#include <atomic>
#include <type_traits>

namespace sel4vm::dev {

inline constexpr u32 kIrqsPerWord = 32;
using aarch64::kSgiCount;
inline constexpr u32 kMaxSpiCount = 988;
inline constexpr u32 kMaxIrqWords = 32;
inline constexpr u32 kMaxListRegisters = 16;
inline constexpr u32 kMaxGicCpus = CpuSet::kCapacity;
inline constexpr u8 kNoCpu = 0xff;
inline constexpr u32 kUnknownIntid = 0xffff; ///< of an orphan that is the host's own
/// Of an active interrupt whose priority was seen not to run any more: it was dropped (EOImode 1), or the guest wrote the active
/// priorities. No interrupt of this priority is ever signalled.
inline constexpr u8 kQuiet = 0xff;

/// 32 interrupts.
struct IrqWord {
    u32 implemented = 0;
    u32 enabled = 0;
    u32 group1 = 0;
    u32 edge = 0;
    u32 wire = 0;
    u32 latched = 0;     ///< pending in the distributor, apart from a level interrupt's wire
    u32 active = 0;      ///< best known
    u32 listed = 0;      ///< some list register holds it
    u32 lr_latch = 0;    ///< its list register holds a latch not yet seen acknowledged
    u32 drop_active = 0; ///< the guest cleared the active state of a listed interrupt; to be carried out by its holder
    u32 want_active = 0; ///< likewise, set
    u32 unlisted = 0;    ///< active in software only: its list register went to another
    u32 unlisted_group1 = 0; ///< of those: the group in which it was acknowledged
    u32 unlisted_quiet = 0;  ///< of those: kQuiet
    u32 listened = 0;        ///< a client wants to know its end
    u32 refused = 0;         ///< listened, and an injection was refused: the client hears when one would be delivered
    std::array<u8, kIrqsPerWord> priority{};
    std::array<u8, kIrqsPerWord> unlisted_priority{}; ///< of `unlisted`: with which it was acknowledged

    [[nodiscard]] u32 level_asserted() const { return wire & ~edge; }
    /// Pending, not counting what list registers hold.
    [[nodiscard]] u32 waiting() const { return latched | level_asserted(); }
};

/// 32 shared interrupts.
struct SharedWord {
    IrqWord irq;
    std::array<u32, kIrqsPerWord> route{}; ///< GICv2: mask of CPUs; GICv3: affinity
    u32 choice = 0;                        ///< routed to more than one vCPU
    u32 any_cpu = 0;                       ///< GICv3: IROUTER.Interrupt_Routing_Mode
    u32 messages = 0;                      ///< GICv3: level-sensitive ones whose wire is high because of a message
    std::array<u8, kIrqsPerWord> target{}; ///< the vCPU it goes to now, or kNoCpu
    std::array<u8, kIrqsPerWord>
        holder{};     ///< whose list register has it, while listed; who acknowledged it, while unlisted
    u32 physical = 0; ///< an interrupt of the hardware is behind it; `listened`, too
    u32 taken = 0;    ///< of those: the hardware's is active, for this one
    u32 again = 0;    ///< of those: it came anew before the end of the last one was seen
};

/// What we know of one list register: what was loaded (its `state`: when last seen), and what the hardware does not hold.
/// Without padding, so that it is copied in two words.
struct alignas(8) ListEntry : aarch64::ListRegister {
    u8 source = 0;                ///< the sending CPU of an SGI, whether the host delivers it or not
    u8 running_priority = 0;      ///< what it was acknowledged with, while active; or kQuiet
    bool injected_active = false; ///< loaded as active because the guest wrote ISACTIVER
    bool orphan = false;          ///< still busy with an interrupt that was reset away (hosts that cannot clear)
};
static_assert(sizeof(ListEntry) == 16 && std::has_unique_object_representations_v<ListEntry>);

/// A list register with an LPI. It is an orphan: of no interrupt that is in a word here. Its `source` says what becomes of it when it is
/// still pending at the next look: it stays, it is dropped, or it moves to another vCPU.
namespace lpi_entry {
inline constexpr u32 kIntidBits = 13; ///< INTIDs 8192 to 16383
inline constexpr u8 kStays = 0;
inline constexpr u8 kDropped = 0xff;
[[nodiscard]] constexpr bool is_one(const ListEntry &entry) { return entry.orphan && entry.intid >> kIntidBits == 1; }
[[nodiscard]] constexpr u8 moves_to(u32 cpu) { return static_cast<u8>(cpu + 1); }
[[nodiscard]] constexpr u32 target(u8 source) { return source - 1u; }
} // namespace lpi_entry
static_assert(kMaxGicCpus < lpi_entry::kDropped);

/// The forwarded virtual timer (see TimerPort).
struct TimerForwarding {
    u8 intid = 0;
    bool masked = false; ///< it fired, the host masked it, and we have not unmasked it yet
};

/// What a CPU interface lets through.
struct InterfaceGate {
    u32 below = 0x100; ///< priority values less than this
    bool group0 = true;
    bool group1 = true;
    [[nodiscard]] bool passes(u8 priority, bool is_group1) const {
        return priority < below && (is_group1 ? group1 : group0);
    }
    friend bool operator==(const InterfaceGate &, const InterfaceGate &) = default;
};

/// What a vCPU's delivery has to do beside folding, correcting and loading; the short ways are closed meanwhile.
namespace chore {
inline constexpr u8 kRefill = 1;         ///< the host reports when list registers run empty
inline constexpr u8 kWatchInterface = 2; ///< other vCPUs' interrupts depend on whether this CPU interface is open
inline constexpr u8 kListActive = 4;     ///< some interrupt is active in software and should get a list register
inline constexpr u8 kLpis = 8;           ///< there may be LPIs, in list registers or for them
} // namespace chore

/// The most urgent candidate of each word of shared interrupts, and of all of them, so that many that wait (for their priority to be let
/// through, say) are not looked at again for each one that comes. Private interrupts are few.
struct Ranks {
    u32 stale = 0;    ///< words whose candidates or priorities have changed since
    u8 best_word = 0; ///< of all words, when none is stale
    std::array<u8, kMaxIrqWords> priority{};
    std::array<u8, kMaxIrqWords> number{}; ///< in its word
};

/// One vCPU: private interrupts, list registers, and which interrupts wait for a list register.
struct alignas(64) CpuState {
    IrqWord irq;
    std::array<u8, kSgiCount> unlisted_sources{}; ///< of SGIs in `unlisted`
    std::array<u8, kSgiCount> sgi_sources{};      ///< sending CPUs of each latched SGI; GICv3: bit 0
    /// Interrupts that could be loaded now, and one bit for each word that is not zero: of shared ones as they are while this vCPU's
    /// `sees_shared` is true, otherwise as they were then.
    std::array<u32, kMaxIrqWords> candidates{};
    u32 candidate_words = 0;
    Ranks ranks;
    std::array<ListEntry, kMaxListRegisters> lists{};
    u32 lists_in_use = 0;
    u32 affinity = 0;
    u8 index = 0;       ///< its number
    bool woken = false; ///< it has to look at its interrupts
    TimerForwarding timer;
    InterfaceGate gate;  ///< as last seen by a vCPU that watches it; else open
    u32 unlisted = 0;    ///< how many interrupts it has acknowledged that are `unlisted`
    u32 maintenance = 0; ///< causes as last told to the host
    u8 chores = 0;       ///< of `chore`
    bool on = false;
    bool asleep = true;              ///< GICR_WAKER.ProcessorSleep
    bool traps_deactivation = false; ///< as last told to the host
    bool leftovers = false;          ///< a list register that cannot be cleared may hold what another vCPU has now
    bool sees_shared = true;         ///< whoever holds this vCPU's part holds the shared part, too (gic_locks.hpp)
    /// The words of shared interrupts that have candidates, however it is with `sees_shared`, and kAskedForLpis. It changes with the
    /// shared part, and is read without it.
    std::atomic<u32> shared_words{0};
    bool tied =
        false; ///< it had to do with shared interrupts when that was last looked at (IrqMachine::leave_shared())
    Mutex part{LockRank::irq_vcpu};
    SgiInbox inbox;
    static constexpr u32 kAskedForLpis = 1; ///< chore::kLpis, from somebody who does not hold this vCPU's part
};

[[nodiscard]] constexpr bool has_pending(aarch64::ListRegisterState state) { return (static_cast<u8>(state) & 1) != 0; }
[[nodiscard]] constexpr bool has_active(aarch64::ListRegisterState state) { return (static_cast<u8>(state) & 2) != 0; }

} // namespace sel4vm::dev
