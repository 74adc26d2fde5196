// SPDX-License-Identifier: BSD-2-Clause
//
// Lines on standard error for work that takes longer than a second, one for each of its steps; nothing for what is quicker. Not for use while
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
    /// `what` is done in so many steps.
    ProgressLine(Progress wanted, std::string what, unsigned steps);
    ProgressLine(const ProgressLine &) = delete;
    ProgressLine &operator=(const ProgressLine &) = delete;
    ~ProgressLine();

    /// The next step begins, for example "reading".
    void step(std::string doing);

private:
    void print() const;

    const std::string what_;
    const unsigned steps_;
    unsigned step_ = 0;
    std::string doing_;
    bool shown_ = false; // the second is over
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::thread watcher_;
};

} // namespace sel4vm::cli
