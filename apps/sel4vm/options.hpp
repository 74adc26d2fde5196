// SPDX-License-Identifier: BSD-2-Clause
//
// The command line. One struct per command; values stay text where a bad one deserves the message that a system file
// would get for it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sel4vm::cli {

struct CheckOptions {
    std::string file;
};

struct BuildOptions {
    std::string file;
    std::string output;
    bool pair = false;
    std::optional<std::string> host_image;
    bool verbose = false;
};

/// Options that describe one VM, or change the only VM of a file.
struct VmOptions {
    std::optional<std::string> kernel;
    std::optional<std::string> initrd;
    std::optional<std::string> cmdline;
    std::optional<std::string> memory;
    std::optional<std::string> vcpus;
    std::optional<std::string> gic;
    std::optional<std::string> msi;
    std::optional<std::string> dtb;
    std::optional<std::string> firmware;
    std::optional<std::string> flash;
    std::optional<std::string> on_panic;
    std::vector<std::string> disks; ///< FILE or FILE,ro
};

struct RunOptions {
    std::optional<std::string> file;
    VmOptions vm;
    std::optional<std::string> cpu;
    std::optional<std::string> cpus;
    std::optional<std::string> timeout;
    std::vector<std::string> qemu_arguments;
    std::optional<std::string> host_image;
    std::optional<std::string> log_level;
    bool icount = false;
    bool no_hypervisor = false;
    bool trace = false;
    bool verbose = false;
};

struct InspectOptions {
    std::string file;
    bool notices = false;
};

/// Text to print on standard output, and that is all.
struct Printed {
    std::string text;
};

using Command = std::variant<Printed, CheckOptions, BuildOptions, RunOptions, InspectOptions>;

/// Throws Failure (bad_input).
[[nodiscard]] Command parse_command_line(int argc, const char *const *argv);

} // namespace sel4vm::cli
