// SPDX-License-Identifier: BSD-2-Clause
//
// What every Arm guest has beside memory and devices: interrupt controller, physical timer, trapped registers and firmware calls, assembled
// once, for the `virt` machine and for the guests of the C interface. Addresses come from whoever uses it, and so does the GICv2 CPU
// interface, which is the hardware's own.
//
// In this order: init(), add_vcpu() for each vCPU of the VM, connect(). After an error the VM cannot be started.
// Threads: while the VM is built or paused.
#pragma once

#include <sel4vm/base/range.hpp>
#include <sel4vm/dev/arm/debug_registers.hpp>
#include <sel4vm/dev/arm/generic_timer.hpp>
#include <sel4vm/dev/arm/gic/gic.hpp>
#include <sel4vm/dev/arm/id_registers.hpp>
#include <sel4vm/dev/arm/ignored_registers.hpp>
#include <sel4vm/dev/arm/pmu.hpp>
#include <sel4vm/dev/arm/psci.hpp>
#include <sel4vm/dev/arm/pv_time.hpp>
#include <sel4vm/dev/arm/smccc.hpp>
#include <sel4vm/dev/arm/trng.hpp>
#include <sel4vm/vm/vm.hpp>

#include <optional>

namespace sel4vm::machine {

enum class PlatformError : u8 {
    vcpu_count,                ///< more than this version of the GIC can have
    spi_count,                 ///< too many shared interrupts
    intid_range,               ///< the host cannot deliver so many
    list_registers,            ///< the host has no usable ones
    lpis,                      ///< the host cannot deliver LPIs
    abilities,                 ///< the host's vCPUs differ in their interrupt hardware
    out_of_memory,             ///
    distributor_range,         ///< taken
    redistributors_range,      ///< taken
    more_redistributors_range, ///< taken
    deactivation_range,        ///< taken: the second page of the GICv2 CPU interface
    register_table,            ///< full, or a system register is taken
    call_table,                ///< full, or a hypercall is taken
};
[[nodiscard]] const char *to_string(PlatformError error);

/// Where a guest finds its interrupt controller.
struct GicRanges {
    GpaRange distributor;
    GpaRange other; ///< CPU interface as far as the hardware's own is mapped there, or redistributors
    std::optional<GpaRange> deactivation = std::nullopt; ///< page of GICC_DIR that the software GIC takes over
    std::optional<GpaRange> more_redistributors = std::nullopt;
};
/// Who carries out a GICv2 guest's writes of GICC_DIR; of no meaning with GICv3.
enum class DirPage : u8 { hardware, software };
struct GicPlaces {
    aarch64::GicVersion version;
    Gpa distributor;
    Gpa other;                          ///< CPU interface, or redistributors
    Gpa more_redistributors{};          ///< of the vCPUs behind the first ones
    u32 first_redistributors = ~u32{0}; ///< as many are at the first place
};
/// No value: a range wraps.
[[nodiscard]] std::optional<GicRanges> gic_ranges(const GicPlaces &places, u32 vcpu_count, DirPage dir_page);

/// What a host does for its guests by itself; the platform makes the rest. Handlers of registers and calls that a host never hands over do
/// not disturb, so nothing is said about those.
struct ArmHostParts {
    /// The host's own interrupt controller, of the version and at the addresses that the guest is to have. Then there are no list registers.
    IrqRouter *irq_router = nullptr;
    /// The host carries out accesses to the physical timer, and raises its interrupt.
    bool physical_timer = false;
    /// The host gives its guests performance monitors, with their interrupt (dev::kPmuIntid), as far as they are to have some.
    bool pmu = false;
};

struct ArmPlatformConfig {
    std::optional<dev::GicConfig> gic = std::nullopt; ///< none: a guest without interrupts and timers
    bool physical_timer = true;                       ///< false: its registers are unknown ones
    u32 physical_timer_intid = aarch64::kTimerIntidPhysical;
    bool pmu = false; ///< guests have what the PmuPorts of all vCPUs lend
    ArmHostParts host{};
};

class ArmPlatform {
public:
    ArmPlatform(const ArmPlatformConfig &config, Clock &clock, Entropy &entropy);
    ArmPlatform(const ArmPlatform &) = delete;
    ArmPlatform &operator=(const ArmPlatform &) = delete;

    /// The allocator outlives the platform.
    [[nodiscard]] Status<PlatformError> init(Allocator &allocator);
    /// The VM's vCPUs, in their order; everything outlives the platform. The ports may be nullptr unless gic() is not, and `pmu` unless there is to be one.
    [[nodiscard]] Status<PlatformError> add_vcpu(Vcpu &vcpu, aarch64::ListRegisterPort *list_registers,
                                                 aarch64::TimerPort *timer, TimeoutQueue &timeouts,
                                                 aarch64::PmuPort *pmu = nullptr);
    /// Puts it all into the VM. `ranges`: as gic_ranges() gives them; needed unless gic() is nullptr.
    [[nodiscard]] Status<PlatformError> connect(Vm &vm, HypercallTable &calls, const std::optional<GicRanges> &ranges);

    /// What devices are connected to: gic(), or the host's own; nullptr without an interrupt controller.
    [[nodiscard]] IrqRouter *irqs() { return irqs_; }
    /// The GIC in software; nullptr where the host has its own, and without one.
    [[nodiscard]] dev::Gic *gic() { return gic_ ? &*gic_ : nullptr; }
    /// Which DirPage the list registers of the vCPUs that were added are good for.
    [[nodiscard]] DirPage dir_page() {
        return gic_ && gic_->handles_deactivation() ? DirPage::software : DirPage::hardware;
    }

    /// The guest may ask for the times that its vCPUs were denied, which are there; before the VM starts.
    void offer_stolen_time(Gpa place) { pv_time_.set_place(place); }

    /// Of the physical timer: the guest's counter is the clock less these ticks. No vCPU may be running.
    void set_counter_offset(u64 ticks) {
        if (timer_)
            timer_->set_counter_offset(ticks);
    }

private:
    [[nodiscard]] Status<PlatformError> connect_gic(Vm &vm, const GicRanges &ranges);

    Clock &clock_;
    IrqRouter *irqs_ = nullptr;
    std::optional<dev::Gic> gic_;
    std::optional<dev::GenericTimerConfig> timer_config_; ///< none: there is to be no timer
    std::optional<dev::GenericTimer> timer_;
    bool has_pmu_;
    std::optional<dev::Pmu> pmu_;
    dev::IdRegisters id_registers_;
    dev::DebugRegisters debug_registers_;
    dev::IgnoredRegisters ignored_registers_;
    dev::Psci psci_;
    dev::PvTime pv_time_;
    dev::Smccc smccc_{pv_time_};
    dev::Trng trng_;
};

} // namespace sel4vm::machine
