// SPDX-License-Identifier: BSD-2-Clause
//
// A disk in memory of the VMM: a blob of the bundle, or RAM that is gone at the end. Bytes go straight between it and guest memory. It carries
// requests out in their order, kStepBytes at a time, so that a long one does not hold its executor. A flush has nothing to do.
//
// Threads: the executor that owns the queue of timeouts.
#pragma once

#include <sel4vm/host/block_device.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/vm/timeout.hpp>

namespace sel4vm::dev {

class MemoryDisk final : public BlockDevice, private TimeoutHandler {
public:
    /// Requests that it has room for.
    static constexpr u32 kMaxRequests = 64;
    /// Bytes that it moves before others have their turn.
    static constexpr u64 kStepBytes = 256 * kKiB;

    /// A read-only one. Whole sectors of `contents` count, which outlive it.
    MemoryDisk(std::span<const u8> contents, Clock &clock, TimeoutQueue &timeouts)
        : contents_(contents), clock_(clock), timeouts_(timeouts), step_(*this) {}
    /// One that can be written.
    MemoryDisk(std::span<u8> contents, Clock &clock, TimeoutQueue &timeouts)
        : MemoryDisk(std::span<const u8>(contents), clock, timeouts) {
        writable_ = contents;
    }
    MemoryDisk(const MemoryDisk &) = delete;
    MemoryDisk &operator=(const MemoryDisk &) = delete;
    ~MemoryDisk() { timeouts_.cancel(step_); }

    void set_listener(BlockListener &listener) override { listener_ = &listener; }
    [[nodiscard]] u64 sector_count() const override { return contents_.size() / kSectorBytes; }
    [[nodiscard]] bool read_only() const override { return writable_.empty(); }
    [[nodiscard]] bool submit(BlockRequest &request) override;
    void forget() override;

private:
    /// How far the first request is.
    struct Progress {
        usize part = 0;   ///< index
        u64 in_part = 0;  ///< bytes of it
        u64 at_bytes = 0; ///< on the disk
    };

    void timeout() override;
    [[nodiscard]] BlockStatus check(const BlockRequest &request) const;
    /// True when it has ended, with that status.
    [[nodiscard]] bool move(const BlockRequest &request, u64 &left, BlockStatus &status);
    void end_first(BlockStatus status);
    void begin_first();
    void go_on() { timeouts_.arm(step_, clock_.now_ticks()); }

    std::span<const u8> contents_;
    std::span<u8> writable_{}; ///< the same, or empty
    Clock &clock_;
    TimeoutQueue &timeouts_;
    Timeout step_;
    BlockRequest *first_ = nullptr;
    BlockRequest *last_ = nullptr;
    u32 count_ = 0;
    Progress progress_;
    BlockListener *listener_ = nullptr;
    bool refused_ = false; ///< a request, since there was room last
};

} // namespace sel4vm::dev
