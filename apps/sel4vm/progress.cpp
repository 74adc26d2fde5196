// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/cleanup.hpp>
#include <apps/sel4vm/progress.hpp>
#include <apps/sel4vm/text.hpp>

#include <chrono>
#include <fmt/format.h>

namespace sel4vm::cli {

ProgressLine::ProgressLine(Progress wanted, std::string what, unsigned steps) : what_(std::move(what)), steps_(steps) {
    if (wanted == Progress::silent)
        return;
    const SignalsHeld held; // the thread starts so: signals are the main thread's, which may hold them, too
    watcher_ = std::thread([this] {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, std::chrono::seconds(1), [this] { return done_; }))
            return;
        shown_ = true;
        print();
    });
}

void ProgressLine::step(std::string doing) {
    const std::lock_guard lock(mutex_);
    ++step_;
    doing_ = std::move(doing);
    if (shown_)
        print();
}

void ProgressLine::print() const {
    print_message(step_ == 0 ? what_ + " ..." : fmt::format("{}: step {} of {}, {} ...", what_, step_, steps_, doing_));
}

ProgressLine::~ProgressLine() {
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
    }
    changed_.notify_all();
    if (watcher_.joinable())
        watcher_.join();
}

} // namespace sel4vm::cli
