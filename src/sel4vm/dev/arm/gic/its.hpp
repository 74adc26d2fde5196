// SPDX-License-Identifier: BSD-2-Clause
//
// The Interrupt Translation Service of a GICv3 (Arm IHI 0069) and the LPI registers of its redistributors: devices' messages become LPIs by
// tables in the guest's memory. docs/gic.md says what is modelled and what the guest's mistakes do.
//
// Nothing that was found in a table is kept: every use reads and checks it again. Commands are carried out a batch at a time, the first in the
// access that writes GITS_CWRITER, the others before the next exits of that vCPU end, which it is kicked for.
//
// Threads: send() from any; the frames are accessed by their vCPUs; save() and restore() while every vCPU is stopped. One lock of
// LockRank::translation, held while guest memory is read.
#pragma once

#include <sel4vm/arch/aarch64/its_registers.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/dev/arm/gic/its_state.hpp>
#include <sel4vm/dev/register_bank.hpp>
#include <sel4vm/vm/irq_delivery.hpp>
#include <sel4vm/vm/msi.hpp>
#include <sel4vm/vm/vm.hpp>

#include <atomic>

namespace sel4vm::dev {

/// The ITS's two frames; beside it, the LPI registers of the redistributors, and the delivery that also carries out commands.
class Its final : public MmioDevice, public MsiTarget, public IrqDelivery {
public:
    static constexpr u64 kBytes = aarch64::gits::kBytes;
    static constexpr u64 kDoorbell = aarch64::gits::kTranslater; ///< offset of GITS_TRANSLATER

    /// Over a GIC that was made with GicConfig::lpis, of this VM; both outlive it.
    Its(Gic &gic, Vm &vm, LockMode locks)
        : gic_(gic), vm_(vm), lock_(LockRank::translation, locks), redistributors_(*this, gic.redistributors(), 0),
          more_redistributors_(*this, gic.more_redistributors(),
                               static_cast<u32>(gic.redistributor_bytes() / Redistributors::kBytesPerCpu)) {}
    Its(const Its &) = delete;
    Its &operator=(const Its &) = delete;

    /// In the place of Gic::redistributors().
    [[nodiscard]] MmioDevice &redistributors() { return redistributors_; }
    /// In the place of Gic::more_redistributors().
    [[nodiscard]] MmioDevice &more_redistributors() { return more_redistributors_; }

    void save(ItsSnapshot &to) SEL4VM_EXCLUDES(lock_);
    /// After Gic::restore(), and with the guest's memory restored.
    void restore(const ItsSnapshot &from) SEL4VM_EXCLUDES(lock_);

    // -- MsiTarget
    void send(u32 device, u32 data) override SEL4VM_EXCLUDES(lock_);

    // -- MmioDevice: the ITS's frames
    [[nodiscard]] const char *name() const override;
    [[nodiscard]] Result<u64, BusFault> read(const Access &access) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override SEL4VM_EXCLUDES(lock_);
    void reset() override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }

    // -- IrqDelivery: the GIC's, and commands that are left
    void sync(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void service(Vcpu &vcpu, u32 source) override { gic_.service(vcpu, source); }
    [[nodiscard]] bool has_deliverable(Vcpu &vcpu) override;
    void turned_on(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void turned_off(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] bool has_wake_up(Vcpu &vcpu) override { return gic_.has_wake_up(vcpu); }
    void lost_power(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);

    /// Commands of one batch; MOVALL and INVALL count as so many.
    static constexpr u32 kBatch = 64;
    static constexpr u32 kLongCommand = 16;

private:
    struct Registers;
    struct RedistributorDevice final : MmioDevice {
        /// Around these of the GIC's, the first of which is that of vCPU `first`.
        RedistributorDevice(Its &owner, MmioDevice &frames, u32 first) : its(owner), gic(frames), first_cpu(first) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override {}
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }
        Its &its;
        MmioDevice &gic;
        u32 first_cpu;

    private:
        struct Own {
            u32 cpu;
            u32 at;
            u32 shift; ///< of the access inside the register, in bits
        };
        [[nodiscard]] std::optional<Own> own_register(const Access &access);
    };
    using Command = std::array<u64, 4>;
    /// What became of a command, or of a look into a table.
    enum class Outcome : u8 {
        done,
        ignored, ///< it makes no sense
        later,   ///< demand RAM came nearer: the same again in the next batch
        fault,   ///< what it needs is not in memory: the queue stalls
    };
    struct Entry {
        Outcome outcome = Outcome::ignored;
        Gpa at{};
        u64 value = 0;
    };
    struct Event {
        Outcome outcome = Outcome::ignored;
        Gpa at{}; ///< of the translation's entry
        u32 intid = 0;
        u32 collection = 0;
    };

    // its.cpp: registers
    [[nodiscard]] u64 type() const;
    [[nodiscard]] u32 identification(RegisterUse use) const;
    [[nodiscard]] u32 control() const;
    void set_control(RegisterUse use, u32 value);
    [[nodiscard]] u64 command_queue() const { return state_.command_queue; }
    void set_command_queue(u64 value);
    [[nodiscard]] u64 written() const { return state_.written; }
    void set_written(RegisterUse use, u64 value);
    [[nodiscard]] u64 read_so_far() const { return state_.read | state_.stalled; }
    [[nodiscard]] u64 table(RegisterUse use) const;
    void set_table(RegisterUse use, u64 value);
    [[nodiscard]] u64 read_redistributor(u32 cpu, u32 at);
    void write_redistributor(u32 cpu, u32 at, u64 value);
    void enable_lpis(u32 cpu);

    // its_commands.cpp
    void carry_out(Vcpu &vcpu);
    [[nodiscard]] bool has_commands() const;
    [[nodiscard]] u32 queue_bytes() const;
    [[nodiscard]] Outcome next_command(u32 caller, u32 &left);
    [[nodiscard]] Outcome execute(const Command &command, u32 caller, u32 &left);
    [[nodiscard]] Outcome map_device(const Command &command);
    [[nodiscard]] Outcome map_collection(const Command &command);
    [[nodiscard]] Outcome map_event(const Command &command, u32 intid);
    [[nodiscard]] Outcome on_event(const Command &command, u32 caller);
    [[nodiscard]] Outcome move_event(const Event &event, u32 from, u32 collection);
    [[nodiscard]] Outcome move_all(const Command &command);
    void hand_over(u32 from);
    void leave_commands(const Vcpu &vcpu) SEL4VM_EXCLUDES(lock_);

    // its_tables.cpp
    [[nodiscard]] Entry entry_at(Gpa at);
    [[nodiscard]] Entry entry_of(u64 table, u32 index);
    [[nodiscard]] Outcome put(const Entry &entry, u64 value);
    [[nodiscard]] Event find_event(u32 device, u32 event, bool mapped);
    [[nodiscard]] Entry find_collection(u32 collection);
    [[nodiscard]] Outcome read_table(u64 at, std::span<u64> out);
    [[nodiscard]] u32 configured_lpis() const;
    [[nodiscard]] Outcome reload(u32 lpi);
    [[nodiscard]] Outcome reload_all();
    [[nodiscard]] Outcome load_pending(u32 cpu);

    static constexpr u32 kNobody = Gic::kNobody;
    static constexpr u32 kMostParts = 64;
    Gic &gic_;
    Vm &vm_;
    std::atomic<u32> worker_{kNobody}; ///< the vCPU that carries out what is left of the commands
    Mutex lock_;                       // of all that follows
    ItsState state_;
    std::array<LpiCpuState, kMaxGicCpus> cpus_{};
    RedistributorDevice redistributors_;
    RedistributorDevice more_redistributors_;
};

} // namespace sel4vm::dev
