// SPDX-License-Identifier: BSD-2-Clause
//
// The performance monitors of the calling CPU, which are the loaded vCPU's once its guest has used them (Processor::lend_pmu). All counters are
// below EL2 (MDCR_EL2.HPMN), and what they count at EL2 is Controls' matter. While they are nobody's they count nothing, assert nothing, and
// EL0 may not even try (PMUSERENR_EL0 is 0, so it traps to EL1); everything else in them is the last user's, and behind a trap.
#pragma once

#include <hosts/el2/portable/registers/cpu_features.hpp>

#include <sel4vm/arch/aarch64/pmu_registers.hpp>
#include <sel4vm/base/types.hpp>

#include <array>
#include <optional>

namespace sel4vm::el2 {

/// Of one vCPU, while the hardware does not have it. After a reset: zeros.
struct PmuState {
    u64 control = 0; ///< PMCR_EL0, without what is read-only or does something
    u64 user = 0;
    u64 enabled = 0;
    u64 interrupts = 0;
    u64 overflows = 0;
    u64 select = 0;
    u64 cycles = 0;
    std::array<u64, aarch64::kCycleCounter> counts{};
    std::array<u64, aarch64::kCycleCounter + 1> types{}; ///< the last is the cycle counter's
    /// It counts, asserts, or lets EL0 in: it has to be in the hardware whenever the vCPU is.
    bool needed = false;
};

class PmuUnit {
public:
    /// Without any.
    PmuUnit() = default;
    /// Of the CPU that this is called on: makes them quiet.
    explicit PmuUnit(CpuFeatures features);

    /// PMCR_EL0.N.
    [[nodiscard]] u8 event_counters() const { return events_; }

    /// Nobody's any more.
    void save(PmuState &state) const;
    /// Somebody's; they were nobody's.
    void load(const PmuState &state) const;

    // -- while they are somebody's
    [[nodiscard]] bool interrupt_asserted() const;
    /// As EL1 would read it; nothing: there is no such register.
    [[nodiscard]] std::optional<u64> read(u32 id) const;
    /// Also at EL0 (`level` 0), whose rights the hardware has looked at. False: there is no such register.
    [[nodiscard]] bool write(u32 id, u64 value, unsigned level) const;

private:
    [[nodiscard]] bool has(aarch64::PmuName name) const;
    [[nodiscard]] aarch64::PmuName resolve(u32 id) const;
    void make_quiet() const;
    void increment(u64 counters, unsigned level) const;

    u8 events_ = 0;
    bool exists_ = false;
    bool has_machine_register_ = false;
    bool is_64_bit_ = false;
};

} // namespace sel4vm::el2
