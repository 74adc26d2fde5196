// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/device_keys.hpp>

#include <array>
#include <sel4vm/machine/names.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::cli {
namespace {

// ---------------------------------------------------------------- inside a [[vm]]
constexpr std::array kMemoryKeys{
    Key{.name = "size", .form = Form::size, .help = "How much memory.", .presence = Presence::required},
    Key{.name = "address",
        .form = Form::address,
        .help = "Where it is: 0x40000000 for the first region, required for others."},
    Key{.name = "kind",
        .form = Form::choice,
        .help = "Whether all of it is there when the VM starts, or a step of 2 MiB at the guest's first touch.",
        .choices = Names<machine::RamKind>::list},
    Key{.name = "one_to_one",
        .form = Form::flag,
        .help = "Whether it is the machine's own memory at the same address, for devices that the VM is given (default "
                "false)."},
};
constexpr KeyTable kMemory{"memory", kMemoryKeys};

constexpr std::array kGicKeys{
    Key{.name = "version", .form = Form::number, .help = "Version, 2 or 3 (default 3).", .lowest = 2, .highest = 3},
    Key{.name = "spis",
        .form = Form::number,
        .help = "Number of shared interrupts (default 224).",
        .lowest = 32,
        .highest = machine::kMaxSpis,
        .step = 32},
    Key{.name = "distributor",
        .form = Form::address,
        .help = "Address, or address and size, of the distributor.",
        .table = &kBlock},
    Key{.name = "cpu_interface",
        .form = Form::address,
        .help = "Address, or address and size, of the CPU interface of version 2.",
        .table = &kBlock},
    Key{.name = "redistributors",
        .form = Form::address,
        .help = "Address, or address and size, of the redistributors of version 3: 128 KiB for each vCPU.",
        .table = &kBlock},
    Key{.name = "more_redistributors",
        .form = Form::address,
        .help = "The same of the vCPUs for which the first place has no room.",
        .table = &kBlock},
    Key{.name = "msi",
        .form = Form::choice,
        .help = "What takes message-signalled interrupts: a GICv2m frame, or with version 3 the distributor (mbi) or "
                "an ITS.",
        .choices = Names<machine::MsiKind>::list},
    Key{.name = "msi_frame",
        .form = Form::address,
        .help = "Address, or address and size, of the registers that devices write (default: as QEMU's board).",
        .table = &kBlock},
    Key{.name = "msi_first",
        .form = Form::number,
        .help = "The first shared interrupt that is for messages alone (default 48).",
        .highest = machine::kMaxSpis - 1},
    Key{.name = "msi_spis",
        .form = Form::number,
        .help = "How many shared interrupts are for messages alone (default 64).",
        .lowest = 1,
        .highest = machine::kMaxSpis},
};
constexpr KeyTable kGic{"gic", kGicKeys};

constexpr Key cpu_count_key(std::string_view name, std::string_view help) {
    return Key{.name = name, .form = Form::number, .help = help, .lowest = 1, .highest = Vm::kMaxVcpus};
}
constexpr std::array kTopologyKeys{
    cpu_count_key("sockets", "Number of sockets (default 1)."),
    cpu_count_key("clusters", "Of each socket (default 1)."),
    cpu_count_key("cores", "Of each cluster (default: as many as are needed)."),
    cpu_count_key("threads", "Of each core (default 1)."),
    Key{.name = "l1_instruction", .form = Form::size, .help = "Size of each core's first cache for instructions."},
    Key{.name = "l1_data", .form = Form::size, .help = "Size of each core's first cache for data."},
    Key{.name = "l2", .form = Form::size, .help = "Size of each cluster's cache."},
    Key{.name = "l3", .form = Form::size, .help = "Size of each socket's cache."},
};
constexpr KeyTable kTopology{"topology", kTopologyKeys};

constexpr std::array kBudgetKeys{
    Key{.name = "budget",
        .form = Form::number,
        .help = "Microseconds that it may have in every period.",
        .lowest = machine::kMinBudgetUs,
        .highest = machine::kMaxPeriodUs,
        .presence = Presence::required},
    Key{.name = "period",
        .form = Form::number,
        .help = "Microseconds, at least the budget.",
        .lowest = machine::kMinBudgetUs,
        .highest = machine::kMaxPeriodUs,
        .presence = Presence::required},
};
constexpr KeyTable kBudget{"budget", kBudgetKeys};

constexpr std::array kTimerKeys{
    Key{.name = "secure_physical",
        .form = Form::number,
        .help = "Private interrupt of the secure physical timer (default 13).",
        .highest = 15},
    Key{.name = "physical",
        .form = Form::number,
        .help = "Private interrupt of the physical timer (default 14).",
        .highest = 15},
    Key{.name = "virtual",
        .form = Form::number,
        .help = "Private interrupt of the virtual timer (default 11).",
        .highest = 15},
    Key{.name = "hypervisor",
        .form = Form::number,
        .help = "Private interrupt of the hypervisor's timer (default 10).",
        .highest = 15},
};
constexpr KeyTable kTimer{"timer", kTimerKeys};

constexpr std::array kFirmwareKeys{
    Key{.name = "path", .form = Form::name, .help = "The file.", .expected = kFile, .presence = Presence::required},
    Key{.name = "address", .form = Form::address, .help = "Where it is, and where the guest starts (default 0)."},
    Key{.name = "size", .form = Form::size, .help = "Of its region (default: the file's, in whole pages)."},
    Key{.name = "writable",
        .form = Form::flag,
        .help = "Whether the guest may write to it; a reset restores it (default false)."},
};
constexpr KeyTable kFirmware{"firmware", kFirmwareKeys};

constexpr std::array kFlashKeys{
    Key{.name = "path",
        .form = Form::name,
        .help = "File: what it holds at first (default: it is erased).",
        .expected = kFile},
    Key{.name = "address", .form = Form::address, .help = "Where its 64 MiB are (default 0x4000000)."},
    Key{.name = "read_only", .form = Form::flag, .help = "Whether all of it is locked (default false)."},
};
constexpr KeyTable kFlash{"flash", kFlashKeys};

constexpr std::array kImageKeys{
    Key{.name = "path", .form = Form::name, .help = "The file.", .expected = kFile, .presence = Presence::required},
    Key{.name = "address",
        .form = Form::address,
        .help = "Inside the VM's memory it is copied there; outside, it becomes a region of its own.",
        .presence = Presence::required},
    Key{.name = "read_only", .form = Form::flag, .help = "Of a region of its own (default true)."},
    Key{.name = "size", .form = Form::size, .help = "Of a region of its own (default: the file's, in whole pages)."},
};
constexpr KeyTable kImage{"image", kImageKeys};

constexpr std::array kPassthroughKeys{
    Key{.name = "node",
        .form = Form::name,
        .help = "Path of the device in the machine's device tree, such as /virtio_mmio@a003e00.",
        .expected = "the path of a device in the machine's device tree, such as \"/virtio_mmio@a003e00\"",
        .pattern = "^(/[!-.0-~]+)+$",
        .presence = Presence::required},
};
constexpr KeyTable kPassthrough{"passthrough", kPassthroughKeys};

constexpr std::array kVmKeys{
    Key{.name = "name",
        .form = Form::text,
        .help = "A letter, then letters, digits, '-' and '_', at most 31 (default vm1, vm2, ...).",
        .expected = kVmName,
        .pattern = kNamePattern},
    Key{.name = "memory",
        .form = Form::size,
        .help = "Size of the RAM at 0x40000000, or tables for RAM in several places.",
        .table = &kMemory,
        .most_tables = machine::kMaxMemoryRegions,
        .presence = Presence::required},
    Key{.name = "vcpus",
        .form = Form::number,
        .help = "Number of virtual CPUs (default 1); with GIC version 2 at most 8.",
        .lowest = 1,
        .highest = Vm::kMaxVcpus},
    Key{.name = "cpus",
        .form = Form::numbers,
        .help = "On which CPUs of the machine its vCPUs run, such as [0, 2] (default: any).",
        .expected = "a list of CPU numbers from 0 to 63, none of them twice, such as [0, 2]",
        .highest = machine::kMaxCpus - 1},
    Key{.name = "priority",
        .form = Form::number,
        .help = "Goes before VMs of a lower one, as far as its budget lasts (default 0, which needs none).",
        .highest = machine::kMaxPriority},
    Key{.name = "budget",
        .help = "How much of a CPU it may have, of all its CPUs together (default: no limit).",
        .table = &kBudget},
    Key{.name = "gic",
        .form = Form::number,
        .help = "Version of the interrupt controller, 2 or 3 (default 3), or a table.",
        .lowest = 2,
        .highest = 3,
        .table = &kGic},
    Key{.name = "topology",
        .help = "How the guest is told that its CPUs belong together, and of which caches.",
        .table = &kTopology},
    Key{.name = "timer", .help = "Interrupts of the generic timer.", .table = &kTimer},
    Key{.name = "kernel",
        .form = Form::name,
        .help = "File: arm64 Image, gzip'd Image, ELF64, U-Boot uImage, or else a raw binary.",
        .expected = kFile},
    Key{.name = "initrd", .form = Form::name, .help = "File: initial RAM disk.", .expected = kFile},
    Key{.name = "cmdline",
        .form = Form::text,
        .help = "Kernel command line, at most 4095 bytes.",
        .expected = "text",
        .longest = machine::kMaxCmdlineBytes},
    Key{.name = "dtb",
        .form = Form::name,
        .help = "File: device tree, instead of a generated one; memory and /chosen are filled in.",
        .expected = kFile},
    Key{.name = "firmware",
        .form = Form::name,
        .help = "File: read-only at address 0, where the guest starts; or a table.",
        .expected = kFile,
        .table = &kFirmware},
    Key{.name = "flash",
        .form = Form::flag,
        .help = "The flash chip for firmware's variables, an erased one by default where there is firmware: false "
                "takes it away, true or a "
                "table gives one.",
        .table = &kFlash},
    Key{.name = "entry",
        .form = Form::address,
        .help = "Where the guest starts, instead of where its kernel or firmware says."},
    Key{.name = "on_reset",
        .form = Form::choice,
        .help = "What a reset by the guest does (default restart).",
        .choices = Names<ResetPolicy>::list},
    Key{.name = "on_panic",
        .form = Form::choice,
        .help = "What a panic of its kernel does to this VM (default stop).",
        .choices = Names<machine::PanicPolicy>::list},
    Key{.name = "counter",
        .form = Form::choice,
        .help = "What the virtual counter shows: the host's counter, the time since the VM started, or that without "
                "pauses.",
        .choices = Names<machine::CounterPolicy>::list},
    Key{.name = "pci",
        .form = Form::flag,
        .help = "Whether it has a PCI bus (default: if one of its devices is on it)."},
    Key{.name = "pv_time",
        .form = Form::flag,
        .help = "Whether the guest may see how long its vCPUs could have run while others did (default true)."},
    Key{.name = "pmu",
        .form = Form::flag,
        .help = "Whether the guest has the CPU's performance monitors: true asks for them, false hides them (default: "
                "where the CPU has some that the host can give away)."},
    Key{.name = "uart",
        .form = Form::flag,
        .help = "The serial port: false takes it away, a table changes it.",
        .table = &kUart},
    Key{.name = "rtc",
        .form = Form::flag,
        .help = "The clock: false takes it away, a table changes it.",
        .table = &kRtc},
    Key{.name = "device", .help = "A further device.", .table = &kDevice, .most_tables = machine::kMaxDevices},
    Key{.name = "disk", .help = "A disk, by virtio.", .table = &kDisk, .most_tables = machine::kMaxDevices},
    Key{.name = "net", .help = "A network card, by virtio.", .table = &kNet, .most_tables = machine::kMaxDevices},
    Key{.name = "passthrough",
        .help = "A device of the machine that the VM is given.",
        .table = &kPassthrough,
        .most_tables = machine::kMaxPassthrough},
    Key{.name = "image",
        .help = "A further file, in the memory or as a region of its own.",
        .table = &kImage,
        .most_tables = machine::kMaxImages},
};
constexpr KeyTable kVm{"vm", kVmKeys};

// ---------------------------------------------------------------- around them
constexpr std::array kSystemKeys{
    Key{.name = "log_level",
        .form = Form::choice,
        .help = "What the host says (default info).",
        .choices = Names<LogLevel>::list},
    Key{.name = "time_slice_us",
        .form = Form::number,
        .help = "Microseconds that a VM, and in it a vCPU, runs at a time while others want the CPU (default 10000).",
        .lowest = machine::kMinTimeSliceUs,
        .highest = machine::kMaxTimeSliceUs},
    Key{.name = "exit",
        .form = Form::choice,
        .help = "What the host does when all VMs have stopped (default psci: it switches the machine off).",
        .choices = Names<machine::ExitMethod>::list},
};
constexpr KeyTable kSystem{"system", kSystemKeys};

constexpr std::array kConsoleKeys{
    Key{.name = "prefix",
        .form = Form::choice,
        .help = "Whether lines begin with the VM's name (default when_several).",
        .choices = Names<machine::LinePrefix>::list},
    Key{.name = "input",
        .form = Form::name,
        .help = "The VM that gets the input first (default: the first).",
        .expected = "the name of a VM",
        .pattern = kNamePattern},
    Key{.name = "escape",
        .form = Form::text,
        .help = "A control character such as \"^B\"; it and a digit move the input to that VM, it and a ? show "
                "what else there is.",
        .expected = "a control character such as \"^B\"",
        .pattern = "^\\^[@-_]$"},
};
constexpr KeyTable kConsole{"console", kConsoleKeys};

constexpr std::array kQemuKeys{
    Key{.name = "cpu",
        .form = Form::name,
        .help = "An AArch64 CPU of QEMU (default cortex-a72).",
        .expected = "the name of an AArch64 CPU of QEMU, such as \"cortex-a72\""},
    Key{.name = "gic",
        .form = Form::number,
        .help = "Version of the machine's interrupt controller: that of the VMs.",
        .lowest = 2,
        .highest = 3},
    Key{.name = "cpus",
        .form = Form::number,
        .help = "Number of CPUs (default: as many as VMs name, at least 1).",
        .lowest = 1,
        .highest = 8},
    Key{.name = "memory", .form = Form::size, .help = "Of the machine (default: what the system needs)."},
    Key{.name = "arguments",
        .form = Form::texts,
        .help = "Further arguments for QEMU.",
        .expected = "a list of QEMU's arguments, such as [\"-d\", \"int\"]"},
};
constexpr KeyTable kQemu{"qemu", kQemuKeys};

constexpr std::array kBenchKeys{
    Key{.name = "report_setup", .form = Form::flag, .help = "Print what building each VM cost."},
    Key{.name = "report_exits", .form = Form::flag, .help = "Print how often each VM left its vCPU."},
    Key{.name = "skip_clearing",
        .form = Form::flag,
        .help = "Hand out RAM without clearing it: a VM can read what was in memory before."},
};
constexpr KeyTable kBench{"bench", kBenchKeys};

constexpr std::array kSideKeys{
    Key{.name = "vm",
        .form = Form::name,
        .help = "The VM that has it.",
        .expected = "the name of a VM",
        .pattern = kNamePattern,
        .presence = Presence::required},
    Key{.name = "access",
        .form = Form::choice,
        .help = "Whether this VM may write to it (default read_write).",
        .choices = Names<machine::SharedAccess>::list},
    Key{.name = "address", .form = Form::address, .help = "Where this VM has it (default: the first free place)."},
    Key{.name = "doorbell",
        .form = Form::address,
        .help = "Where this VM has its page of registers (default: the first free one)."},
    Key{.name = "irq",
        .form = Form::number,
        .help = "Shared interrupt by which this VM is rung; 0 is INTID 32 (default: the highest free one).",
        .highest = machine::kMaxSpis - 1},
};
constexpr KeyTable kSide{"side", kSideKeys};

constexpr std::array kSharedKeys{
    Key{.name = "name",
        .form = Form::name,
        .help = "Its own among shared memories.",
        .expected = kVmName,
        .pattern = kNamePattern,
        .presence = Presence::required},
    Key{.name = "size", .form = Form::size, .help = "How much, in whole pages.", .presence = Presence::required},
    Key{.name = "side",
        .help = "A VM that has it.",
        .expected = "at least two VMs that share it",
        .table = &kSide,
        .most_tables = machine::kMaxSharedSides,
        .presence = Presence::required},
};
constexpr KeyTable kShared{"shared", kSharedKeys};

constexpr std::array kSwitchKeys{
    Key{.name = "name",
        .form = Form::name,
        .help = "Its own among switches.",
        .expected = kVmName,
        .pattern = kNamePattern,
        .presence = Presence::required},
};
constexpr KeyTable kSwitch{"switch", kSwitchKeys};

constexpr std::array kFileKeys{
    Key{.name = "system", .help = "Settings of the host.", .table = &kSystem},
    Key{.name = "console", .help = "Several VMs on one console.", .table = &kConsole},
    Key{.name = "qemu", .help = "The machine that sel4vm run emulates.", .table = &kQemu},
    Key{.name = "bench", .help = "Measurements.", .table = &kBench},
    Key{.name = "vm",
        .help = "One virtual machine.",
        .expected = "at least one VM",
        .table = &kVm,
        .most_tables = machine::kMaxVms,
        .presence = Presence::required},
    Key{.name = "shared",
        .help = "Memory that several VMs have, with a doorbell for each.",
        .table = &kShared,
        .most_tables = machine::kMaxShared},
    Key{.name = "switch",
        .help = "A network that VMs are at by their [[vm.net]].",
        .table = &kSwitch,
        .most_tables = machine::kMaxSwitches},
};
constexpr KeyTable kWholeFile{"system file", kFileKeys};

} // namespace

const KeyTable &system_file_keys() { return kWholeFile; }
const KeyTable &vm_keys() { return kVm; }

} // namespace sel4vm::cli
