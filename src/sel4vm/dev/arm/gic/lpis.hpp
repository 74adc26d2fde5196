// SPDX-License-Identifier: BSD-2-Clause
//
// Which LPIs are pending, and what the guest's configuration table said of them when it was last read (IHI 0069, "LPIs"). An LPI that a list
// register holds is in cpu_delivery_lpi.cpp's hands; its bit here is another occurrence. LPIs are counted from 0, INTID 8192.
//
// The caller holds the chip's lock.
#pragma once

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/dev/arm/gic/irq_state.hpp>

#include <array>
#include <optional>
#include <span>

namespace sel4vm::dev {

/// GICD_TYPER.IDbits with LPIs: INTIDs of 14 bits.
inline constexpr u32 kLpiIntidBits = 14;
inline constexpr u32 kLpiCount = (u32{1} << kLpiIntidBits) - aarch64::kFirstLpi;

/// Those of one redistributor, a bit each.
struct PendingLpis {
    std::array<u32, kLpiCount / 32> bits{};
    friend bool operator==(const PendingLpis &, const PendingLpis &) = default;
};

class Lpis {
public:
    struct Choice {
        u32 lpi;
        u8 priority;
    };

    /// Memory for all that there can be. False: there is not enough.
    [[nodiscard]] bool init(Allocator &allocator, u32 cpus);
    [[nodiscard]] bool exist() const { return static_cast<bool>(configuration_); }
    void reset();

    [[nodiscard]] bool is_pending(u32 cpu, u32 lpi) const { return (word(cpu, lpi) & bit<u32>(lpi % 32)) != 0; }
    void set_pending(u32 cpu, u32 lpi);
    void clear_pending(u32 cpu, u32 lpi);
    [[nodiscard]] bool any_pending(u32 cpu) const;
    [[nodiscard]] const PendingLpis &pending(u32 cpu) const { return cpus_[cpu].pending; }
    /// Adds them.
    void set_pending(u32 cpu, const PendingLpis &more);
    void move_all(u32 from, u32 to);

    /// Entries of the configuration table, from `first` on.
    void configure(u32 first, std::span<const u8> entries);
    [[nodiscard]] bool is_enabled(u32 lpi) const { return (configuration_[lpi] & 1) != 0; }
    [[nodiscard]] u8 priority(u32 lpi) const { return configuration_[lpi] & kPriority; }
    /// The most urgent one that is pending and enabled, the lowest of equals.
    [[nodiscard]] std::optional<Choice> best(u32 cpu) const;

private:
    static constexpr u8 kPriority = 0xf8; // five bits, which every list register has
    struct Redistributor {
        PendingLpis pending;
        std::array<u32, kLpiCount / 32 / 32> words{}; ///< which of them are not zero
    };
    [[nodiscard]] u32 word(u32 cpu, u32 lpi) const { return cpus_[cpu].pending.bits[lpi / 32]; }

    OwnedArray<Redistributor> cpus_;
    OwnedArray<u8> configuration_;
};

} // namespace sel4vm::dev
