// SPDX-License-Identifier: BSD-2-Clause
//
// List registers that behave like hardware's, with the guest's side of the CPU interface: acknowledge and end with
// priority masking, preemption, both EOI modes. It can be told to be as poor as a host that only injects. What the
// architecture forbids (an interrupt in two list registers, overwriting a busy one without the ability) is remembered
// as `violation`. Simplifications: no binary points (every priority preempts a lower one), no GICv2 AckCtl.
#pragma once

#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/base/bits.hpp>

#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace sel4vm::fake {

class ListRegisters final : public aarch64::ListRegisterPort {
public:
    using Abilities = aarch64::ListRegisterAbilities;
    using Register = aarch64::ListRegister;
    using State = aarch64::ListRegisterState;

    static constexpr Abilities full(u8 count = 4) {
        return {.count = count,
                .read_back = true,
                .clear = true,
                .hardware_link = true,
                .optional_eoi = true,
                .source_cpu = true,
                .maintenance_control = true,
                .unlisted_ends = true,
                .deactivation_trap = true};
    }
    /// seL4: write-only, always with maintenance, busy until then.
    static constexpr Abilities injection_only(u8 count = 4) {
        Abilities abilities;
        abilities.count = count;
        abilities.max_intid = 1023;
        return abilities;
    }

    explicit ListRegisters(const Abilities &abilities) : abilities_(abilities) {}

    // -- ListRegisterPort
    [[nodiscard]] Abilities abilities() const override { return abilities_; }
    [[nodiscard]] bool write(unsigned index, const Register &value) override;
    [[nodiscard]] bool can_write_now() override { return writable_now_; }
    [[nodiscard]] Register read(unsigned index) override;
    [[nodiscard]] u32 take_finished() override;
    void set_maintenance(u32 causes) override;
    [[nodiscard]] u32 take_unlisted_ends() override;
    [[nodiscard]] bool priority_runs(u8 priority, bool group1) override;
    void set_deactivation(aarch64::Deactivation how) override;
    [[nodiscard]] u32 interface_control() override;
    void set_interface_control(u32 value) override;

    // -- the guest's side
    struct Acknowledged {
        u32 intid;
        u8 source;
        u8 priority;
        friend bool operator==(const Acknowledged &, const Acknowledged &) = default;
    };
    /// Reads IAR; no value is the spurious INTID.
    std::optional<Acknowledged> acknowledge();
    /// What acknowledge() would give.
    [[nodiscard]] std::optional<Acknowledged> signalled() const;
    /// Writes EOIR: drops the running priority, and in EOImode 0 deactivates.
    void end(u32 intid, u8 source = 0);
    /// Writes the active priorities: none runs.
    void clear_active_priorities() { running_.clear(); }
    /// Takes the guest back to active priorities that it had.
    void set_active_priorities(std::vector<u8> running) { running_ = std::move(running); }
    [[nodiscard]] const std::vector<u8> &active_priorities() const { return running_; }
    /// Writes DIR.
    void deactivate(u32 intid, u8 source = 0);
    void set_control(u32 control) { control_ = control; }
    /// The vCPU was reset: nothing runs, the interface is closed.
    void restart() {
        running_.clear();
        unlisted_ends_ = 0;
        control_ = 0;
        deactivation_ = aarch64::Deactivation::by_hardware;
    }

    // -- for tests
    void set_writable_now(bool on) { writable_now_ = on; }
    [[nodiscard]] bool maintenance_asserted() const;
    [[nodiscard]] const Register &at(unsigned index) const { return registers_[index]; }
    [[nodiscard]] unsigned in_use() const;
    [[nodiscard]] unsigned writes() const { return writes_; }
    [[nodiscard]] unsigned reads() const { return reads_; }
    /// Writes of an interrupt.
    [[nodiscard]] u64 filled() const { return filled_; }
    [[nodiscard]] const char *violation() const { return violation_; }
    [[nodiscard]] aarch64::Deactivation deactivation() const { return deactivation_; }
    [[nodiscard]] u32 maintenance_causes() const { return causes_; }
    [[nodiscard]] bool underflow_maintenance() const { return (causes_ & aarch64::maintenance::kUnderflow) != 0; }
    /// The physical interrupt that the guest's end of a linked one deactivated since the last call, or 0.
    [[nodiscard]] u16 take_ended_physical() { return std::exchange(ended_physical_, u16{0}); }
    /// Group enables, priority mask all open.
    static constexpr u32 kOpen = 0xf800'0003;

private:
    [[nodiscard]] std::optional<unsigned> best() const;
    [[nodiscard]] bool any_pending() const;
    [[nodiscard]] bool end_listed(u32 intid, u8 source);
    void count_unlisted_end() { unlisted_ends_ = (unlisted_ends_ + 1) % 32; }
    void violate(const char *what) {
        if (violation_ == nullptr)
            violation_ = what;
    }

    Abilities abilities_;
    std::array<Register, 16> registers_{};
    std::vector<u8> running_;
    u64 filled_ = 0;
    u32 unlisted_ends_ = 0; // EOIcount: five bits
    u32 busy_ = 0;          // without `clear`: written and not yet taken back
    u32 finished_ = 0;      // ended, not yet reported
    u32 control_ = kOpen;
    unsigned writes_ = 0;
    unsigned reads_ = 0;
    u32 causes_ = 0; // of maintenance
    aarch64::Deactivation deactivation_ = aarch64::Deactivation::by_hardware;
    bool writable_now_ = false;
    u16 ended_physical_ = 0;
    const char *violation_ = nullptr;
};

} // namespace sel4vm::fake
