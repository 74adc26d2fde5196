// SPDX-License-Identifier: BSD-2-Clause
//
// A program that this tool starts and that never outlives it. Its three standard streams are pipes of ours.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sel4vm::cli {

class ChildProcess {
public:
    /// Starts argv[0] (searched in PATH) in a process group of its own. Throws Failure (emulator_failed).
    explicit ChildProcess(const std::vector<std::string> &argv);
    ChildProcess(const ChildProcess &) = delete;
    ChildProcess &operator=(const ChildProcess &) = delete;
    /// Kills what still runs.
    ~ChildProcess();

    /// Our ends, non-blocking; -1 once closed.
    [[nodiscard]] int input() const { return input_; }
    [[nodiscard]] int output() const { return output_; }
    [[nodiscard]] int errors() const { return errors_; }
    void close_input();
    void close_output();
    void close_errors();

    void signal(int number) const;
    /// The wait status once it has ended.
    [[nodiscard]] std::optional<int> poll_status();

private:
    pid_t pid_ = -1;
    int input_ = -1;
    int output_ = -1;
    int errors_ = -1;
    std::optional<int> status_;
};

} // namespace sel4vm::cli
