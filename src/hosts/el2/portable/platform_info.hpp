// SPDX-License-Identifier: BSD-2-Clause
//
// What the host knows about the machine it runs on: facts read from the device tree once at boot, checked, and constant from
// then on. Deliberately no register accesses and no policy; addresses are physical and page-aligned where they are mapped.
#pragma once

#include <hosts/el2/portable/device_tree.hpp>

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::el2 {

using aarch64::GicVersion;
enum class IrqTrigger : u8 { level, edge };
enum class UartKind : u8 { pl011, ns16550 };
enum class PsciConduit : u8 { none, smc, hvc };

/// An interrupt as the device tree names it, already as an INTID.
struct IrqInfo {
    u32 intid = 0;
    IrqTrigger trigger = IrqTrigger::level;
};

struct GicInfo {
    GicVersion version = GicVersion::v2;
    std::optional<HostPhysRange> distributor;
    std::optional<HostPhysRange> cpu_interface;     ///< v2: GICC
    std::optional<HostPhysRange> hypervisor;        ///< v2: GICH
    std::optional<HostPhysRange> virtual_interface; ///< v2: GICV, what a guest gets as its GICC
    FixedVector<HostPhysRange, 4> redistributors;   ///< v3: GICR regions
    u64 redistributor_stride = 0;                   ///< v3: 0 unless the tree says otherwise
    std::optional<IrqInfo> maintenance;
};

/// INTIDs of the generic timer's interrupts.
struct TimerInfo {
    u32 physical = 30;
    u32 virt = 27;
    u32 hypervisor = 26;
};

struct UartInfo {
    UartKind kind = UartKind::pl011;
    std::optional<HostPhysRange> registers;
    std::optional<IrqInfo> irq;
    u8 register_shift = 0; ///< ns16550: log2 of the distance between registers
    u8 register_width = 1; ///< ns16550: bytes of one access, 1 or 4
};

struct PlatformInfo {
    static constexpr usize kMaxRam = 16;
    static constexpr usize kMaxReserved = 32;
    static constexpr usize kMaxCpus = 64;

    /// Fills what is needed to print: the console, the command line and how to stop (that also when there is no console).
    /// Done first, so that everything after it can be reported.
    [[nodiscard]] Status<TreeError> read_console(const DeviceTree &tree);
    /// Fills the rest.
    [[nodiscard]] Status<TreeError> read_machine(const DeviceTree &tree);

    /// A GIC interrupt specifier as an INTID.
    [[nodiscard]] static std::optional<IrqInfo> to_irq(const std::optional<GicSpecifier> &specifier);
    /// The interrupt controller that read_machine() has found.
    [[nodiscard]] static std::optional<DeviceTree::Node> gic_node(const DeviceTree &tree);

    /// True when `word` stands alone in the command line.
    [[nodiscard]] bool has_bootarg(std::string_view word) const;

    FixedVector<HostPhysRange, kMaxRam> ram;           ///< as the tree says, in its order
    FixedVector<HostPhysRange, kMaxReserved> reserved; ///< memory that is not ours to use
    FixedVector<u64, kMaxCpus> cpus;                   ///< MPIDR affinity values of CPUs that are not disabled
    GicInfo gic;
    TimerInfo timer;
    u32 pmu_intid = 0; ///< of the CPUs' performance monitors, where that is a private interrupt; else 0
    UartInfo uart;
    std::optional<HostPhysRange> rtc; ///< a PL031
    PsciConduit psci = PsciConduit::none;
    std::optional<HostPhysRange> initrd;
    std::string_view bootargs;    ///< inside the device tree, which stays mapped
    std::string_view model;       ///< inside the device tree
    std::span<const u8> rng_seed; ///< inside the device tree

private:
    [[nodiscard]] Status<TreeError> read_memory(const DeviceTree &tree);
    [[nodiscard]] Status<TreeError> read_reservations(const DeviceTree &tree);
    [[nodiscard]] Status<TreeError> read_chosen(const DeviceTree &tree);
    [[nodiscard]] Status<TreeError> read_cpus(const DeviceTree &tree);
    [[nodiscard]] Status<TreeError> read_gic(const DeviceTree &tree);
    [[nodiscard]] Status<TreeError> read_gic_regions(const DeviceTree &tree, DeviceTree::Node node);
    [[nodiscard]] Status<TreeError> read_timer(const DeviceTree &tree, DeviceTree::Node gic);
    void read_pmu(const DeviceTree &tree, DeviceTree::Node gic);
};

} // namespace sel4vm::el2
