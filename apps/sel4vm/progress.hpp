// SPDX-License-Identifier: BSD-2-Clause
//
// A line on standard error for work that takes longer than a second; nothing for what is quicker. Not for use while
// run_console() owns the terminal: join (destroy) it first.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace sel4vm::cli {

enum class Progress { silent, shown };

class ProgressLine {
public:
    ProgressLine(Progress wanted, std::string what);
    ProgressLine(const ProgressLine &) = delete;
    ProgressLine &operator=(const ProgressLine &) = delete;
    ~ProgressLine();

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread watcher_;
};

} // namespace sel4vm::cli
