// SPDX-License-Identifier: BSD-2-Clause
//
// QEMU's command line for a machine of ours. The only place that knows its options.
#pragma once

#include <apps/sel4vm/system.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sel4vm::cli {

enum class Hypervisor { present, absent };
enum class Timing {
    real,          // the PC's clock
    deterministic, // time counts instructions: a run repeats exactly
};

struct QemuMachine {
    std::string program = "qemu-system-aarch64";
    QemuSettings settings; // gic and memory_bytes are set
    Hypervisor hypervisor = Hypervisor::present;
    Timing timing = Timing::real;
    std::filesystem::path kernel; // or empty
    std::filesystem::path initrd;
    std::filesystem::path dtb;
    std::filesystem::path firmware;
    std::string cmdline;
    std::vector<MachineDrive> drives;
};

[[nodiscard]] std::vector<std::string> qemu_command(const QemuMachine &machine);

/// $SEL4VM_QEMU, or the name to look for in PATH.
[[nodiscard]] std::string qemu_program();

/// False for QEMU's 32-bit CPUs, which can run nothing of ours; what QEMU does not know at all it says itself.
[[nodiscard]] bool may_be_aarch64_cpu(std::string_view name);

} // namespace sel4vm::cli
