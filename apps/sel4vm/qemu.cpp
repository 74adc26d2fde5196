// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/qemu.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>

namespace sel4vm::cli {

namespace {
std::string drive_option(const MachineDrive &drive) {
    std::string path; // a comma ends a value, two are one
    for (const char c : drive.path.string())
        path += c == ',' ? ",," : std::string(1, c);
    std::string option =
        fmt::format("if=none,id={},format={},file={}", drive.name, drive.qcow2 ? "qcow2" : "raw", path);
    switch (drive.writes) {
    case MachineDrive::Writes::refused: return option + ",readonly=on";
    case MachineDrive::Writes::dropped: return option + ",snapshot=on";
    case MachineDrive::Writes::kept: break;
    }
    return option;
}
} // namespace

std::vector<std::string> qemu_command(const QemuMachine &machine) {
    const QemuSettings &settings = machine.settings;
    std::vector<std::string> out{machine.program};
    const auto add = [&out](std::initializer_list<std::string> words) { out.insert(out.end(), words); };

    const bool hosted = machine.hypervisor == Hypervisor::present;
    add({"-M", fmt::format("virt,gic-version={}{}", settings.gic.value_or(3), hosted ? ",virtualization=on" : "")});
    // The architected pointer authentication costs most of `max`'s time; QEMU's own variant is the same to a program.
    add({"-cpu", settings.cpu == "max" ? "max,pauth-impdef=on" : settings.cpu});
    add({"-smp", fmt::format("{}", settings.cpus.value_or(1))});
    add({"-m", fmt::format("{}k", settings.memory_bytes.value_or(kGiB) / kKiB)});
    add({"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none"});
    // The tool ends QEMU by its process id, so no key of the guest's console may mean anything to QEMU.
    add({"-chardev", "stdio,id=console,signal=off,mux=off", "-serial", "chardev:console"});
    if (machine.timing == Timing::deterministic)
        add({"-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2026-01-01", "-seed", "1"});
    if (!machine.firmware.empty())
        add({"-bios", machine.firmware.string()});
    if (!machine.kernel.empty())
        add({"-kernel", machine.kernel.string()});
    if (!machine.initrd.empty())
        add({"-initrd", machine.initrd.string()});
    if (!machine.dtb.empty())
        add({"-dtb", machine.dtb.string()});
    if (!machine.cmdline.empty())
        add({"-append", machine.cmdline});
    if (!machine.drives.empty()) // the version before virtio 1.0 is this device's default
        add({"-global", "virtio-mmio.force-legacy=false"});
    for (const MachineDrive &drive : machine.drives) {
        add({"-drive", drive_option(drive)});
        add({"-device", fmt::format("virtio-blk-device,drive={0},serial={0}", drive.name)});
    }
    out.insert(out.end(), settings.arguments.begin(), settings.arguments.end());
    return out;
}

std::string qemu_program() {
    const char *own = std::getenv("SEL4VM_QEMU");
    return own != nullptr && *own != '\0' ? own : "qemu-system-aarch64";
}

bool may_be_aarch64_cpu(std::string_view name) {
    constexpr std::array<std::string_view, 16> k32Bit{
        "arm1026",   "arm1136",   "arm1136-r2", "arm1176",    "arm11mpcore", "arm926",     "arm946", "cortex-a15",
        "cortex-a7", "cortex-a8", "cortex-a9",  "cortex-r52", "cortex-r5",   "cortex-r5f", "ti925t", "sa1110",
    };
    constexpr usize kLongest = 64; // no CPU has such a name
    return !name.empty() && name.size() <= kLongest && std::find(k32Bit.begin(), k32Bit.end(), name) == k32Bit.end() &&
           !name.starts_with("cortex-m") && !name.starts_with("pxa2") && !name.starts_with("sa1100");
}

} // namespace sel4vm::cli
