// SPDX-License-Identifier: BSD-2-Clause
//
// The software GIC of one VM: GICv2 or GICv3, as an IrqRouter and an IrqDelivery over the host's list registers and virtual timer. The machine
// attaches its frames to the bus and its SGI registers to the system-register table; nothing here knows an address.
// docs/gic.md says what is modelled and what becomes inexact on which hosts.
//
// Threads: set_level() and set_private_level() from any thread; everything that names a Vcpu, on that vCPU's executor or
// while it is stopped. A lock of each vCPU's part of the state and one of the shared part (gic_locks.hpp); vCPUs are woken and listeners called after
// they were released.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/dev/arm/gic/distributor_v2.hpp>
#include <sel4vm/dev/arm/gic/distributor_v3.hpp>
#include <sel4vm/dev/arm/gic/gic_core.hpp>
#include <sel4vm/dev/arm/gic/gic_locks.hpp>
#include <sel4vm/dev/arm/gic/redistributor.hpp>
#include <sel4vm/dev/arm/gic/sgi.hpp>
#include <sel4vm/vm/call_tables.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/irq_delivery.hpp>
#include <sel4vm/vm/msi.hpp>
#include <sel4vm/vm/vcpu.hpp>

namespace sel4vm::dev {

// Delivery first: it is what exits need.
class Gic final : public IrqDelivery, public IrqRouter, public MsiTarget, private aarch64::PhysicalIrqSink {
public:
    explicit Gic(const GicConfig &config);
    Gic(const Gic &) = delete;
    Gic &operator=(const Gic &) = delete;

    /// Once, before anything else. The allocator must outlive the GIC.
    [[nodiscard]] Status<GicError> init(Allocator &allocator);
    /// Connects a vCPU with an index below the configured count; every one, before the VM starts.
    [[nodiscard]] Status<GicError> attach(Vcpu &vcpu, aarch64::ListRegisterPort &lists, aarch64::TimerPort &timer);

    [[nodiscard]] GicVersion version() const { return config_.version; }
    [[nodiscard]] MmioDevice &distributor() {
        if (config_.version == GicVersion::v2)
            return distributor_device_v2_;
        return distributor_device_v3_;
    }
    [[nodiscard]] u64 distributor_bytes() const;
    /// GICv3 only: the redistributors of all vCPUs, or of the first ones where the configuration says so, and the others.
    [[nodiscard]] MmioDevice &redistributors() { return redistributors_; }
    [[nodiscard]] MmioDevice &more_redistributors() { return more_redistributors_; }
    [[nodiscard]] u64 redistributor_bytes() const {
        return (config_.vcpu_count - more_redistributor_count()) * Redistributors::kBytesPerCpu;
    }
    /// 0: there are no others.
    [[nodiscard]] u64 more_redistributor_bytes() const {
        return more_redistributor_count() * Redistributors::kBytesPerCpu;
    }
    /// GICv3 only: ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1, ICC_DIR_EL1.
    [[nodiscard]] Status<RegisterError> register_all(SystemRegisterTable &table);
    /// GICv2 only, for a host that handles_deactivation(): the page of GICC_DIR, the second of the CPU interface. The hardware's
    /// own must then not be mapped there.
    [[nodiscard]] MmioDevice &deactivation() { return deactivation_; }
    static constexpr u64 kDeactivationOffset = 0x1000;
    static constexpr u64 kDeactivationBytes = 0x1000;
    /// Whether the host's list registers let one vCPU end what another has acknowledged. Once a vCPU is attached.
    [[nodiscard]] bool handles_deactivation() SEL4VM_EXCLUDES(lock_);

    /// Everything that the guest can see of it, while every vCPU is stopped. Restored after the devices that drive its wires, with as many
    /// vCPUs and shared interrupts as it was saved with; any value is a state.
    void save(GicState &to) SEL4VM_EXCLUDES(lock_);
    void restore(const GicState &from) SEL4VM_EXCLUDES(lock_);

    /// inject() by the short way where the host's list registers can be written at any time. Not virtual, so that an image of which nobody
    /// calls it does without, and its other short ways stay as short as they are.
    [[nodiscard]] bool inject_quickly(VcpuId vcpu, u32 intid) SEL4VM_EXCLUDES(lock_);

    // -- IrqRouter
    [[nodiscard]] bool has(u32 intid) const override { return intid < kIrqsPerWord + config_.spi_count; }
    void set_level(u32 intid, Level level) override SEL4VM_EXCLUDES(lock_);
    void set_private_level(VcpuId vcpu, u32 intid, Level level) override SEL4VM_EXCLUDES(lock_);
    /// As a write to ISPENDR does, if the guest has enabled the interrupt and its group.
    [[nodiscard]] bool inject(VcpuId vcpu, u32 intid) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] bool set_eoi_listener(u32 intid, EoiListener *listener) override SEL4VM_EXCLUDES(lock_);
    void reset() override SEL4VM_EXCLUDES(lock_);

    // -- MsiTarget, with GicConfig::message_spis (gic_messages.cpp)
    /// A device's write of GICD_SETSPI_NSR.
    void send(u32 device, u32 data) override SEL4VM_EXCLUDES(lock_);
    static constexpr u64 kDoorbell = aarch64::gicd::kSetspiNsr; ///< its offset in the distributor

    // -- LPIs, with GicConfig::lpis: for an ITS, which says which are mapped (gic_lpis.cpp)
    [[nodiscard]] u32 vcpu_count() const { return config_.vcpu_count; }
    void pend_lpi(u32 cpu, u32 intid, u32 caller) SEL4VM_EXCLUDES(lock_);
    void clear_lpi(u32 cpu, u32 intid, u32 caller) SEL4VM_EXCLUDES(lock_);
    void move_lpi(u32 from, u32 to, u32 intid) SEL4VM_EXCLUDES(lock_);
    void move_all_lpis(u32 from, u32 to) SEL4VM_EXCLUDES(lock_);
    /// Entries of the configuration table, from LPI `first` on, counted from INTID 8192.
    void configure_lpis(u32 first, std::span<const u8> entries) SEL4VM_EXCLUDES(lock_);
    void set_pending_lpis(u32 cpu, const PendingLpis &more) SEL4VM_EXCLUDES(lock_);
    /// Those of a stopped vCPU.
    [[nodiscard]] PendingLpis pending_lpis(u32 cpu) SEL4VM_EXCLUDES(lock_);
    static constexpr u32 kNobody = ~u32{0};

    // -- interrupts of the hardware (gic_physical.cpp)
    /// A shared interrupt is one of the hardware's of the same number from now on, edge-triggered after a reset if its device is. While the VM is built; the
    /// allocator and the port outlive the GIC. False: there is no memory for it.
    [[nodiscard]] bool connect_physical(Allocator &allocator, u32 intid, Trigger trigger,
                                        aarch64::PhysicalIrqPort &port) SEL4VM_EXCLUDES(lock_);
    /// None comes any more, and none is active. Every vCPU is stopped, and the next reset of the GIC comes before any runs again.
    void release_physical() SEL4VM_EXCLUDES(lock_);

    // -- IrqDelivery
    void sync(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void service(Vcpu &vcpu, u32 source) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] bool has_deliverable(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void turned_on(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void turned_off(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] bool has_wake_up(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);
    void lost_power(Vcpu &vcpu) override SEL4VM_EXCLUDES(lock_);

private:
    [[nodiscard]] bool is_apart() const { return lock_.mode() == LockMode::spin; }

    /// Holds what need() says, and does afterwards what has to be done without it. To the analysis there is one lock; which parts a function
    /// touches is for the thread sanitizer to see (tests/threads).
    class SEL4VM_SCOPED_CAPABILITY Session {
    public:
        template <class NeedOf>
        Session(Gic &gic, u32 caller, NeedOf need) SEL4VM_ACQUIRE(gic.lock_) SEL4VM_NO_THREAD_SAFETY_ANALYSIS
            : gic_(gic),
              who_(caller) {
            if (gic.is_apart()) [[unlikely]] {
                who_ = gic.hold(need(), caller).word();
                return;
            }
            gic_.lock_.lock();
        }
        ~Session() SEL4VM_RELEASE() SEL4VM_NO_THREAD_SAFETY_ANALYSIS {
            if (gic_.is_apart()) [[unlikely]] {
                gic_.let_go(Held(who_));
                return;
            }
            if (gic_.core_.irqs().has_news()) [[unlikely]] {
                gic_.serve_caller(who_);
                if (gic_.core_.irqs().has_news()) [[unlikely]] {
                    gic_.leave_with_news();
                    return;
                }
            }
            gic_.lock_.unlock();
        }
        Session(const Session &) = delete;
        Session &operator=(const Session &) = delete;

    private:
        Gic &gic_;
        u32 who_; ///< the caller; with parts of different holders, a Held
    };

    template <class Registers>
    struct DistributorDevice final : MmioDevice {
        DistributorDevice(Gic &owner, Registers &its_registers) : gic(owner), registers(its_registers) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override;
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }
        Gic &gic;
        Registers &registers;
    };
    struct RedistributorDevice final : MmioDevice {
        RedistributorDevice(Gic &owner, u64 its_first_offset) : gic(owner), first_offset(its_first_offset) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override;
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }
        Gic &gic;
        u64 first_offset; ///< of the first of its redistributors
    };
    struct DeactivationDevice final : MmioDevice {
        explicit DeactivationDevice(Gic &owner) : gic(owner) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(const Access &access) override;
        [[nodiscard]] Status<BusFault> write(const Access &access, u64 value) override;
        void reset() override;
        [[nodiscard]] LockedBy locked_by() const override { return LockedBy::device; }
        Gic &gic;
    };
    struct DeactivationRegister final : SystemRegisterHandler {
        explicit DeactivationRegister(Gic &owner) : gic(owner) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
        [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
        Gic &gic;
    };
    struct SgiRegisters final : SystemRegisterHandler {
        explicit SgiRegisters(Gic &owner) : gic(owner) {}
        [[nodiscard]] const char *name() const override;
        [[nodiscard]] Result<u64, BusFault> read(Vcpu &vcpu, u32 id) override;
        [[nodiscard]] Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) override;
        Gic &gic;
    };

    void physical_irq(u32 intid) override SEL4VM_EXCLUDES(lock_);
    [[nodiscard]] u64 more_redistributor_count() const {
        return config_.vcpu_count > config_.first_redistributors ? config_.vcpu_count - config_.first_redistributors
                                                                 : 0;
    }
    // gic_parts.cpp: with LockMode::spin
    [[nodiscard]] Held hold(Need need, u32 caller) SEL4VM_ACQUIRE(lock_);
    [[nodiscard]] Held hold_several(Part part, u32 caller);
    [[nodiscard]] Held join_shared(CpuState &cpu, Held held);
    void let_go(Held held) SEL4VM_RELEASE(lock_);
    void let_go_woken(CpuState &cpu, Held held);
    [[nodiscard]] Held serve_held(CpuState &cpu, Held held);
    void let_go_of_several(Held held);
    void let_go_and_tell(const CpuSet &wakes, Held held);
    void release_parts(Held held);
    [[nodiscard]] Need distributor_need(const Access &access, bool is_write) const;
    [[nodiscard]] static Need redistributor_need(const Access &access, u64 offset, bool is_write);
    [[nodiscard]] bool send_sgi_apart(const Access &access, u64 value);
    void send_sgi_apart(u32 caller, SgiRegister which, u64 value);
    void send_rest(u32 caller, u32 sgi, SgiRegister which, CpuSet targets);

    /// For those that are not in a hurry: one copy for all of them.
    [[nodiscard]] Held enter(Need need, u32 caller) SEL4VM_ACQUIRE(lock_);
    void leave(u32 caller, Held held) SEL4VM_RELEASE(lock_);

    /// The caller's own list registers can be served at once; the others' only by their executors.
    void serve_caller(u32 caller) SEL4VM_REQUIRES(lock_);
    [[nodiscard]] bool pend(VcpuId vcpu, u32 intid) SEL4VM_REQUIRES(lock_);
    /// Lists a shared interrupt that a client injects at once, where that is possible: true.
    [[nodiscard]] bool inject_now(u32 intid) SEL4VM_REQUIRES(lock_);
    /// Unlocks, wakes and tells.
    void leave_with_news() SEL4VM_RELEASE(lock_);
    void deactivate(u32 cpu, u32 intid) SEL4VM_EXCLUDES(lock_);
    void act(const CpuSet &wakes);
    void act(u32 cpu) {
        Vcpu *vcpu = vcpus_[cpu];
        if (vcpu != nullptr && vcpu->request_sync())
            vcpu->port().kick();
    }
    void tell(const FinishedIrq &finished);

    GicConfig config_;
    Mutex lock_; ///< of the shared part
    GicCore core_ SEL4VM_GUARDED_BY(lock_);
    DistributorV2 distributor_v2_ SEL4VM_GUARDED_BY(lock_);
    DistributorV3 distributor_v3_ SEL4VM_GUARDED_BY(lock_);
    Redistributors redistributor_frames_ SEL4VM_GUARDED_BY(lock_);
    DistributorDevice<DistributorV2> distributor_device_v2_;
    DistributorDevice<DistributorV3> distributor_device_v3_;
    RedistributorDevice redistributors_;
    RedistributorDevice more_redistributors_;
    DeactivationDevice deactivation_;
    DeactivationRegister deactivation_register_;
    SgiRegisters sgi_registers_;
    OwnedArray<Vcpu *> vcpus_;
    OwnedArray<EoiListener *> listeners_;
};

} // namespace sel4vm::dev
