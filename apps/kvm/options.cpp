// SPDX-License-Identifier: BSD-2-Clause
#include <apps/kvm/options.hpp>

#include <algorithm>
#include <charconv>
#include <getopt.h>
#include <string_view>

namespace sel4vm::kvm_program {

const char kUsage[] =
    R"(Usage: sel4vm-kvm --kernel FILE [--initrd FILE] [--dtb FILE] [--cmdline TEXT]
                  [--memory MIB] [--vcpus N] [--gic 2|3]

Boots a virtual machine by this machine's /dev/kvm (AArch64 Linux). The guest's
console is standard input and output; Ctrl-C ends the program.
  --kernel FILE    arm64 Image, ELF, uImage or raw binary
  --initrd FILE    initial RAM disk
  --dtb FILE       device tree instead of the generated one
  --cmdline TEXT   kernel command line (default: console=ttyAMA0)
  --memory MIB     RAM in MiB (default: 256)
  --vcpus N        1 to 123 (default: 1)
  --gic 2|3        version of the interrupt controller (default: what KVM has)
  --help           print this

Exit status: 0 the guest switched itself off, 1 it ended otherwise,
2 wrong use, or something is lacking.
)";

namespace {

enum Name : int { kernel = 1, initrd, dtb, cmdline, memory, vcpus, gic, help };

template <class Number>
bool read_number(std::string_view text, Number least, Number most, Number &out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

std::string expected(std::string_view option, std::string_view value, std::string_view what) {
    std::string text = "--";
    text += option;
    text += " is '";
    text += value;
    text += "', expected ";
    text += what;
    return text;
}

} // namespace

Options read_options(int argc, char **argv, std::string &problem) {
    static const option kOptions[] = {
        {"kernel", required_argument, nullptr, kernel},
        {"initrd", required_argument, nullptr, initrd},
        {"dtb", required_argument, nullptr, dtb},
        {"cmdline", required_argument, nullptr, cmdline},
        {"memory", required_argument, nullptr, memory},
        {"vcpus", required_argument, nullptr, vcpus},
        {"gic", required_argument, nullptr, gic},
        {"help", no_argument, nullptr, help},
        {nullptr, 0, nullptr, 0},
    };
    Options options;
    problem.clear();
    opterr = 0;
    for (;;) {
        const int index = std::max(optind, 1); // 0 means the start, too
        switch (getopt_long(argc, argv, ":", kOptions, nullptr)) {
        case -1:
            if (optind < argc)
                problem = std::string("'") + argv[optind] + "' is no option: see --help";
            else if (options.kernel.empty() && !options.help)
                problem = "there is no --kernel FILE: see --help";
            return options;
        case kernel: options.kernel = optarg; break;
        case initrd: options.initrd = optarg; break;
        case dtb: options.dtb = optarg; break;
        case cmdline: options.cmdline = optarg; break;
        case help: options.help = true; break;
        case memory:
            if (!read_number<u64>(optarg, 1, 1024 * 1024, options.memory_mib))
                problem = expected("memory", optarg, "MiB, 1 to 1048576");
            break;
        case vcpus:
            if (!read_number<u32>(optarg, 1, 123, options.vcpus))
                problem = expected("vcpus", optarg, "1 to 123");
            break;
        case gic: {
            u32 version = 0;
            if (!read_number<u32>(optarg, 2, 3, version))
                problem = expected("gic", optarg, "2 or 3");
            options.gic = version;
            break;
        }
        case ':': problem = std::string(argv[index]) + " needs a value: see --help"; break;
        default: problem = std::string("there is no option ") + argv[index] + ": see --help"; break;
        }
        if (!problem.empty())
            return options;
    }
}

} // namespace sel4vm::kvm_program
