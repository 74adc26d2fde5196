// SPDX-License-Identifier: BSD-2-Clause
//
// A disk whose requests end when a test says so: in any order, with any status, or never. What it moves is left to the test.
#pragma once

#include <sel4vm/host/block_device.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace sel4vm::fake {

class BlockDevice final : public sel4vm::BlockDevice {
public:
    explicit BlockDevice(u64 sectors, usize room = 64) : sectors_(sectors), room_(room) {}

    void set_listener(BlockListener &listener, Mutex &lock) override {
        listener_ = &listener;
        lock_ = &lock;
    }
    [[nodiscard]] u64 sector_count() const override { return sectors_; }
    [[nodiscard]] bool read_only() const override { return read_only_; }
    [[nodiscard]] bool submit(BlockRequest &request) override {
        if (open_.size() == room_) {
            refused_ = true;
            return false;
        }
        open_.push_back(&request);
        return true;
    }
    void forget() override {
        open_.clear();
        refused_ = false;
    }

    void set_read_only(bool read_only) { read_only_ = read_only; }
    /// Requests that have not ended, in the order in which they came.
    [[nodiscard]] const std::vector<BlockRequest *> &open() const { return open_; }
    /// Ends one of them.
    void end(BlockRequest &request, BlockStatus status) {
        LockGuard guard(*lock_);
        open_.erase(std::find(open_.begin(), open_.end(), &request));
        listener_->block_ended(request, status);
        if (open_.size() < room_ && std::exchange(refused_, false))
            listener_->block_space();
    }

private:
    u64 sectors_;
    usize room_;
    bool read_only_ = false;
    bool refused_ = false;
    BlockListener *listener_ = nullptr;
    Mutex *lock_ = nullptr;
    std::vector<BlockRequest *> open_;
};

} // namespace sel4vm::fake
