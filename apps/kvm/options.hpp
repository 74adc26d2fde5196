// SPDX-License-Identifier: BSD-2-Clause
//
// The command line of sel4vm-kvm.
#pragma once

#include <sel4vm/base/types.hpp>

#include <optional>
#include <string>

namespace sel4vm::kvm_program {

struct Options {
    std::string kernel;
    std::string initrd; ///< empty: none, as the next
    std::string dtb;
    std::string cmdline = "console=ttyAMA0";
    u64 memory_mib = 256;
    u32 vcpus = 1;
    std::optional<u32> gic; ///< 2 or 3; no value: what KVM has, 3 before 2
    bool help = false;
};

/// The options, or, when `problem` is not empty afterwards, what is wrong: a sentence for people.
[[nodiscard]] Options read_options(int argc, char **argv, std::string &problem);

extern const char kUsage[];

} // namespace sel4vm::kvm_program
