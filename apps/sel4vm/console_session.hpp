// SPDX-License-Identifier: BSD-2-Clause
//
// One run of the emulated machine, attached to this process's standard streams from start to end. Owns the terminal's
// modes, signals, escape keys, time limit and the decision how the run ended; knows nothing of images or QEMU's options.
#pragma once

#include <apps/sel4vm/failure.hpp>
#include <apps/sel4vm/progress.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sel4vm::cli {

/// What the machine's serial line carries.
enum class LineProtocol {
    marked, // guests and the host, told apart as docs/console.md describes
    plain,  // one guest, nothing else
};

/// Whether a line with which a kernel gives up ends the run. On a marked line the host judges its VMs by itself.
enum class KernelPanic {
    ignored,
    ends_run, // with a plain line: after two seconds in which the machine may end by itself
};

/// When input that does not come from a person may start to flow.
enum class InputStart {
    at_once,     // the other side takes what it can, when it can
    after_quiet, // it would lose what comes before it listens: wait until it has printed something and pauses
};

/// How often the end of such input is told.
enum class InputEndPolicy {
    at_each_pause, // as a file that stays at its end: InputEnd
    once,          // in a run that must repeat exactly: pauses are real time
};

struct ConsoleSetup {
    std::vector<std::string> command;
    std::vector<std::string> vms; // their names, at least one
    std::string program;          // in the host's place, which has what VMs it likes; empty: the host
    std::optional<std::chrono::milliseconds> time_limit;
    LineProtocol protocol = LineProtocol::marked;
    KernelPanic kernel_panic = KernelPanic::ignored;
    InputStart input_start = InputStart::at_once;
    InputEndPolicy input_end = InputEndPolicy::at_each_pause;
    Progress progress = Progress::silent;
    std::filesystem::path
        image; // what the machine boots, and the ELF file that the host in it was made of: for HostSymbols
    std::filesystem::path host_elf;
};

struct ConsoleEnd {
    ExitStatus status = ExitStatus::ok;
    std::string sentence; // why, when status is not ok and the host has not said it already
    int signal = 0;       // this signal ended the run: the caller dies of it too, once everything is cleaned up
};

/// Runs to the end. The terminal is as before when it returns or throws Failure.
[[nodiscard]] ConsoleEnd run_console(const ConsoleSetup &setup);

} // namespace sel4vm::cli
