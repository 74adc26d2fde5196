// SPDX-License-Identifier: BSD-2-Clause
//
// What a system is made of, as plain records: the workstation tool fills them from TOML, the bundle carries them, and
// the machine is assembled from them. The defaults are the map of QEMU's AArch64 `virt` board, so that kernels built for
// it run unchanged. Deliberately no behaviour: validate.hpp judges, manifest.hpp encodes.
//
// Strings are views; whoever fills a record keeps their characters alive for as long as the record is used.
#pragma once

#include <sel4vm/arch/aarch64/gic_version.hpp>
#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/dev/pl011/pl011_kind.hpp>
#include <sel4vm/dev/pl031/pl031_kind.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/host/vcpu_port.hpp>
#include <sel4vm/machine/net_record.hpp>
#include <sel4vm/machine/shared_record.hpp>
#include <sel4vm/vm/irq.hpp>
#include <sel4vm/vm/lifecycle.hpp>

#include <array>
#include <optional>
#include <string_view>

namespace sel4vm::machine {

inline constexpr usize kMaxVms = 8;
inline constexpr usize kMaxMemoryRegions = 8;
inline constexpr usize kMaxDevices = 16;
inline constexpr usize kMaxImages = 16;
/// Physical devices that one VM is given.
inline constexpr usize kMaxPassthrough = 8;
/// Disks of the machine below that VMs have.
inline constexpr usize kMaxMachineDisks = 8;
/// Bytes of the name of such a disk: Virtio 1.2, 5.2.6.
inline constexpr usize kMaxMachineDiskNameBytes = 20;
/// Of the machine below.
inline constexpr u32 kMaxCpus = 64;
/// Shared interrupts: INTIDs 32 to 991, in whole registers of 32 bits.
inline constexpr u32 kMaxSpis = 960;
/// Bytes of a name (VM or device), without an end mark.
inline constexpr usize kMaxNameBytes = 31;
/// Bytes of a kernel command line; Linux itself takes 2047 on AArch64.
inline constexpr usize kMaxCmdlineBytes = 4095;

/// The first region of a VM's memory holds what starts a guest.
inline constexpr u64 kMinMemoryBytes = kMiB;
/// Microseconds of a turn.
inline constexpr u32 kMinTimeSliceUs = 100;
inline constexpr u32 kMaxTimeSliceUs = 1'000'000;

/// A range that may still be wrong: validate() says so.
struct AddressBlock {
    Gpa base;
    u64 size_bytes = 0;
    friend constexpr bool operator==(const AddressBlock &, const AddressBlock &) = default;
};

/// When host memory is put behind guest RAM.
enum class RamKind : u8 {
    eager,  ///< all of it when the VM is built
    demand, ///< at the guest's first touch
};

struct MemoryRegion {
    Gpa base{0x4000'0000};
    u64 size_bytes = 0;
    RamKind kind = RamKind::eager;
    bool one_to_one = false; ///< it is the host's memory at the same address, for devices that the VM is given
    friend constexpr bool operator==(const MemoryRegion &, const MemoryRegion &) = default;
};

using aarch64::GicVersion;

inline constexpr u64 kRedistributorBytes = 128 * kKiB;
/// What turns a device's write into an interrupt.
enum class MsiKind : u8 {
    none,
    v2m, ///< a GICv2m frame, with either version
    mbi, ///< the distributor itself (message-based SPIs); version 3
    its, ///< an Interrupt Translation Service, with LPIs; version 3
};

struct MsiRecord {
    MsiKind kind = MsiKind::none;
    AddressBlock frame{}; ///< size 0: where the board has it, default_msi_frame(); mbi has none
    u32 first_spi = 48;   ///< shared interrupts (INTIDs minus 32) that are for messages alone; not of an its
    u32 spi_count = 64;
    friend constexpr bool operator==(const MsiRecord &, const MsiRecord &) = default;
};
[[nodiscard]] constexpr AddressBlock default_msi_frame(MsiKind kind) {
    switch (kind) {
    case MsiKind::v2m: return {Gpa{0x0802'0000}, 0x1000};
    case MsiKind::its: return {Gpa{0x0808'0000}, 0x2'0000};
    case MsiKind::none:
    case MsiKind::mbi: break;
    }
    return {};
}
[[nodiscard]] constexpr AddressBlock msi_frame(const MsiRecord &msi) {
    const AddressBlock usual = default_msi_frame(msi.kind);
    return usual.size_bytes != 0 && msi.frame.size_bytes != 0 ? msi.frame : usual;
}

struct GicRecord {
    GicVersion version = GicVersion::v3;
    AddressBlock distributor{Gpa{0x0800'0000}, 0x1'0000};
    AddressBlock cpu_interface{Gpa{0x0801'0000}, 0x1'0000};   ///< version 2 only
    AddressBlock redistributors{Gpa{0x080a'0000}, 0xf6'0000}; ///< version 3 only; kRedistributorBytes for each vCPU
    /// The same of the vCPUs for which there is no room left in the first.
    AddressBlock more_redistributors{Gpa{0x40'0000'0000}, 64 * kMiB};
    u32 spi_count = 224; ///< shared interrupts; a multiple of 32, at most kMaxSpis
    MsiRecord msi{};
    /// How many of so many vCPUs have their redistributors in the second block.
    [[nodiscard]] constexpr u32 redistributors_left(u32 vcpu_count) const {
        const u64 room = redistributors.size_bytes / kRedistributorBytes;
        return version == GicVersion::v3 && vcpu_count > room ? vcpu_count - static_cast<u32>(room) : 0;
    }
    friend constexpr bool operator==(const GicRecord &, const GicRecord &) = default;
};

/// How a guest is told that its vCPUs belong together: they fill the threads of a core, the cores of a cluster, the clusters of a socket, one after
/// the other. Of names and numbers only; what an instruction costs does not follow it.
struct CpuTopology {
    u32 sockets = 0;  ///< 0: nothing is said, and the rest does not count
    u32 clusters = 1; ///< of a socket
    u32 cores = 1;    ///< of a cluster
    u32 threads = 1;  ///< of a core
    [[nodiscard]] constexpr u64 count() const { return u64{sockets} * clusters * cores * threads; }
    friend constexpr bool operator==(const CpuTopology &, const CpuTopology &) = default;
};

/// Bytes of the caches that a guest is told of; 0: nothing is said.
struct CacheRecord {
    u32 l1_instruction = 0; ///< of each core
    u32 l1_data = 0;
    u32 l2 = 0; ///< of each cluster
    u32 l3 = 0; ///< of each socket
    friend constexpr bool operator==(const CacheRecord &, const CacheRecord &) = default;
};
inline constexpr u32 kMinCacheBytes = 4 * kKiB;
inline constexpr u32 kMaxCacheBytes = 1024 * kMiB;

/// Private interrupts of the generic timer, counted as device trees and system files count them: INTID minus 16. Everything else says INTIDs.
struct TimerRecord {
    u8 secure_physical = 13;
    u8 physical = 14;
    u8 virtual_timer = 11;
    u8 hypervisor = 10;
    /// One of them is this one.
    [[nodiscard]] constexpr bool has(u8 ppi) const {
        return secure_physical == ppi || physical == ppi || virtual_timer == ppi || hypervisor == ppi;
    }
    friend constexpr bool operator==(const TimerRecord &, const TimerRecord &) = default;
};

/// Where the bytes of a serial device go and come from.
enum class ConsoleRoute : u8 {
    host, ///< the host's console, shared with other VMs as SystemDescription::console says
    none, ///< output is dropped, there is never input
};

struct DeviceRecord {
    const dev::DeviceKind *kind = nullptr; ///< what it is; required
    std::string_view name;                 ///< unique in its VM; part of key paths
    AddressBlock registers;
    u32 spi = 0; ///< shared interrupt number (INTID minus 32)
    Trigger trigger = Trigger::level;
    ConsoleRoute console = ConsoleRoute::host; ///< serial devices only
    std::optional<u32> disk = std::nullopt;    ///< of disks: index into MachineDescription::images
    std::string_view machine_disk{}; ///< of disks without an image: what the machine's disk is called that it is
    bool read_only = false;          ///< the guest may not write the machine's disk
    std::optional<NetRecord> net = std::nullopt; ///< of network devices, required
    std::optional<u8> slot = std::nullopt; ///< it is a PCI function in this slot, and has neither `registers` nor `spi`
    friend constexpr bool operator==(const DeviceRecord &, const DeviceRecord &) = default;
};

/// The `virt` board's console and clock.
[[nodiscard]] constexpr DeviceRecord default_uart() {
    return {&dev::kPl011, "uart", {Gpa{0x0900'0000}, 0x1000}, 1, Trigger::level, ConsoleRoute::host};
}
[[nodiscard]] constexpr DeviceRecord default_rtc() {
    return {&dev::kPl031, "rtc", {Gpa{0x0901'0000}, 0x1000}, 2, Trigger::level, ConsoleRoute::none};
}
/// The board's two flash banks; firmware is an image in the first.
inline constexpr std::array<Gpa, 2> kFlashBanks{Gpa{0}, Gpa{0x0400'0000}};
inline constexpr u64 kFlashBankBytes = 64 * kMiB;
/// A bank that is a flash chip, kFlashBankBytes large: what the guest writes is in the VMM's RAM, until the VM is gone.
struct FlashRecord {
    Gpa base = kFlashBanks[1];
    bool writable = true;
    std::optional<u32> image = std::
        nullopt; ///< index into MachineDescription::images; none: it is erased. So is what is behind the image's end
    friend constexpr bool operator==(const FlashRecord &, const FlashRecord &) = default;
};
/// Virtio transports without devices, as the board has them.
inline constexpr Gpa kVirtioSlotsBase{0x0a00'0000};
/// The shared interrupt of the first of them; each of the others has the next one.
inline constexpr u32 kVirtioSlotsSpi = 16;
/// What firmware is told of its machine, as the board has it.
inline constexpr Gpa kFwCfgBase{0x0902'0000};
/// Stolen times of the vCPUs, as the board has them.
inline constexpr Gpa kPvTimeBase{0x090a'0000};

/// The PCI bus, as the board has it: configuration space of one bus, I/O ports, two windows for functions' registers.
inline constexpr AddressBlock kPciConfig{Gpa{0x3f00'0000}, kMiB};
inline constexpr AddressBlock kPciPorts{Gpa{0x3eff'0000}, 64 * kKiB};
inline constexpr AddressBlock kPciMemory32{Gpa{0x1000'0000}, 0x2eff'0000};
inline constexpr AddressBlock kPciMemory64{Gpa{0x80'0000'0000}, 512 * kGiB};
/// Its four wires are shared interrupts from here on.
inline constexpr u32 kPciSpi = 3;
/// Slots for functions: 1 to 31.
inline constexpr u8 kMostPciSlot = 31;

/// A physical device that the VM is given: registers and interrupts as the host's device tree has them.
struct PassthroughRecord {
    std::string_view node; ///< path in the host's device tree
    friend constexpr bool operator==(const PassthroughRecord &, const PassthroughRecord &) = default;
};
/// Bytes of such a path.
inline constexpr usize kMaxNodePathBytes = 255;

enum class ImageKind : u8 {
    kernel,   ///< arm64 Image, ELF64, uImage or raw binary; placed by boot/layout
    initrd,   ///< placed by boot/layout
    dtb,      ///< replaces the generated device tree; memory and /chosen are filled in
    firmware, ///< read-only at `where` (default 0), where the boot vCPU starts
    rom,      ///< a region of its own at `where`, outside RAM: read-only, or RAM when `writable`
    raw,      ///< bytes copied into RAM at `where`
    disk,     ///< what a device has; `writable`: what the guest writes is in the VMM's RAM, until the VM is gone
    flash,    ///< what the VM's flash chip holds at first
};

struct ImageRecord {
    ImageKind kind = ImageKind::kernel;
    std::optional<Gpa> where = std::nullopt; ///< required for rom and raw; an override for firmware; not for the others
    bool writable = false;     ///< rom and firmware: the guest may write the region; a reset restores it. Or a disk
    u32 blob = 0;              ///< index into the bundle's blobs
    u64 size_bytes = 0;        ///< of the blob
    u64 region_bytes = 0;      ///< rom and firmware: size of the region; 0 = the blob's, rounded up to 4 KiB
    std::string_view source{}; ///< the file it came from, for messages; may be empty
    friend constexpr bool operator==(const ImageRecord &, const ImageRecord &) = default;
};

/// What the guest's virtual counter shows.
enum class CounterPolicy : u8 {
    host,        ///< the host's counter, always
    since_start, ///< 0 when the VM starts or is reset; goes on during a pause
    running,     ///< as since_start, but stands still during a pause
};

/// What a line with which the guest's kernel gives up does to its VM, two seconds later (panic_watch.hpp).
enum class PanicPolicy : u8 {
    stop,    ///< it stops with an error
    restart, ///< as a reset by the guest
    ignore,  ///< nothing: what guests print means nothing
};

/// Whether a guest has the CPU's performance monitors.
enum class PmuPolicy : u8 {
    where_possible, ///< where the CPU has some and the host can give them to a guest
    required,       ///< or the VM is not built
    hidden,
};
/// Their interrupt, counted as those of the timer are.
inline constexpr u8 kPmuPpi = 7;

/// How much of a CPU a VM may have: `budget_us` in every `period_us`, of all its CPUs together; what it wants beyond that waits.
struct CpuBudget {
    u32 budget_us = 0; ///< 0: there is no such limit
    u32 period_us = 0;
    friend constexpr bool operator==(const CpuBudget &, const CpuBudget &) = default;
};
inline constexpr u32 kMinBudgetUs = 100;
inline constexpr u32 kMaxPeriodUs = 1'000'000;
/// 0 is the ordinary one. One that is higher goes first, and needs a budget.
inline constexpr u32 kMaxPriority = 3;

/// One VM.
struct MachineDescription {
    std::string_view name{};
    u32 vcpu_count = 1;
    u32 priority = 0;
    CpuBudget budget{};
    u64 cpus = 0; ///< on which CPUs of the machine its vCPUs may run: bit n is CPU n; 0: on any
    FixedVector<MemoryRegion, kMaxMemoryRegions> memory{}; ///< the first holds kernel, initrd and device tree
    GicRecord gic{};
    CpuTopology topology{};
    CacheRecord caches{}; ///< with a topology only
    TimerRecord timer{};
    FixedVector<DeviceRecord, kMaxDevices> devices{};
    FixedVector<PassthroughRecord, kMaxPassthrough> passthrough{};
    FixedVector<ImageRecord, kMaxImages> images{};
    std::optional<FlashRecord> flash = std::nullopt; ///< firmware keeps its variables there
    FixedVector<SharedRecord, kMaxShared> shared{};  ///< memory that other VMs have, too
    std::string_view cmdline{};
    /// Where the boot vCPU starts, instead of where its kernel or firmware says.
    std::optional<Gpa> entry = std::nullopt;
    ResetPolicy on_reset = ResetPolicy::restart;
    PanicPolicy on_panic = PanicPolicy::stop;
    CounterPolicy counter = CounterPolicy::host;
    /// Whether the guest may see how long its vCPUs could have run and did not, where the host knows it.
    bool pv_time = true;
    PmuPolicy pmu = PmuPolicy::where_possible;
    bool pci = false; ///< it has a PCI bus

    /// The only image of this kind, or nullptr.
    [[nodiscard]] const ImageRecord *image(ImageKind kind) const {
        for (const ImageRecord &record : images)
            if (record.kind == kind)
                return &record;
        return nullptr;
    }
};

/// Firmware finds a device there by which it is told of its machine; a kernel is that of the firmware then, and not placed in memory.
[[nodiscard]] inline bool has_fw_cfg(const MachineDescription &vm) { return vm.image(ImageKind::firmware) != nullptr; }

/// It sends to other VMs, and they to it.
[[nodiscard]] inline bool has_network(const MachineDescription &vm) {
    for (const DeviceRecord &device : vm.devices)
        if (device.net)
            return true;
    return false;
}

/// How the VMM ends the machine it runs on when every VM has stopped.
enum class ExitMethod : u8 {
    psci,        ///< SYSTEM_OFF of the firmware: the exit status is lost
    semihosting, ///< under an emulator that was told to allow it: carries an exit status
};

/// Whether console lines of guests are marked with the VM's name.
enum class LinePrefix : u8 { when_several, always, never };

struct ConsoleOptions {
    LinePrefix prefix = LinePrefix::when_several;
    std::string_view input; ///< the VM that gets the console's input first; empty = the first VM
    u8 escape = 0;          ///< this byte, then a digit, moves the input to that VM; 0 = no such byte
    friend constexpr bool operator==(const ConsoleOptions &, const ConsoleOptions &) = default;
};

/// Measurements; all off in a normal system.
struct BenchOptions {
    bool report_setup = false;  ///< print what building each VM cost
    bool report_exits = false;  ///< print exit counters of each VM when it stops
    bool skip_clearing = false; ///< hand out RAM without clearing it
    friend constexpr bool operator==(const BenchOptions &, const BenchOptions &) = default;
};

/// Everything that one image runs.
struct SystemDescription {
    ExitMethod exit_method = ExitMethod::psci;
    ConsoleOptions console;
    u32 time_slice_us =
        kDefaultSliceMicroseconds; ///< how long a vCPU runs before another of the same CPU gets its turn
    LogLevel log_level = LogLevel::info;
    BenchOptions bench;
    FixedVector<MachineDescription, kMaxVms> vms;
    FixedVector<SwitchRecord, kMaxSwitches> switches; ///< that the VMs' network devices are at
};

} // namespace sel4vm::machine
