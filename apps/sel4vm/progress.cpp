// SPDX-License-Identifier: BSD-2-Clause
#include <apps/sel4vm/cleanup.hpp>
#include <apps/sel4vm/progress.hpp>
#include <apps/sel4vm/text.hpp>

#include <chrono>

namespace sel4vm::cli {

ProgressLine::ProgressLine(Progress wanted, std::string what) {
    if (wanted == Progress::silent)
        return;
    const SignalsHeld held; // the thread starts so: signals are the main thread's, which may hold them, too
    watcher_ = std::thread([this, what = std::move(what)] {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return done_; }))
            print_message(what + " ...");
    });
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
