// SPDX-License-Identifier: BSD-2-Clause
//
// A disk in memory of the VMM: a blob of the bundle, or RAM that is gone at the end. Bytes go straight between it and guest memory. It carries
// requests out in their order, as work of the VM (vm/device_work.hpp), so that a long one holds nobody. A flush has nothing to do, and what is
// discarded becomes zero.
//
// Threads: its asker's lock, as every disk.
#pragma once

#include <sel4vm/vm/block_requests.hpp>
#include <sel4vm/vm/device_work.hpp>

namespace sel4vm::dev {

class MemoryDisk final : public BlockDevice, private DeviceWork {
public:
    /// Requests that it has room for.
    static constexpr u32 kMaxRequests = 64;

    /// A read-only one. Whole sectors of `contents` count, which outlive it.
    MemoryDisk(std::span<const u8> contents, WorkTurns &turns) : contents_(contents), turns_(turns) {
        joined_ = turns_.add(*this);
    }
    /// One that can be written.
    MemoryDisk(std::span<u8> contents, WorkTurns &turns) : MemoryDisk(std::span<const u8>(contents), turns) {
        writable_ = contents;
    }
    MemoryDisk(const MemoryDisk &) = delete;
    MemoryDisk &operator=(const MemoryDisk &) = delete;
    ~MemoryDisk() { turns_.withdraw(*this); }

    /// False: the VM has too many devices for it to work.
    [[nodiscard]] bool joined() const { return joined_; }
    void set_listener(BlockListener &listener, Mutex &lock) override {
        listener_ = &listener;
        lock_ = &lock;
    }
    [[nodiscard]] u64 sector_count() const override { return contents_.size() / kSectorBytes; }
    [[nodiscard]] bool read_only() const override { return writable_.empty(); }
    [[nodiscard]] bool submit(BlockRequest &request) override;
    void forget() override;

private:
    /// How far the first request is.
    struct Progress {
        BlockPlace place{};
        u64 at_bytes = 0;  ///< on the disk
        u64 end_bytes = 0; ///< once it was checked
    };

    [[nodiscard]] bool work(u64 &left_bytes) override;
    [[nodiscard]] BlockStatus check(const BlockRequest &request);
    /// True when it has ended, with that status.
    [[nodiscard]] bool carry_out(const BlockRequest &request, u64 &left, BlockStatus &status);
    [[nodiscard]] bool move(const BlockRequest &request, u64 &left, BlockStatus &status);
    [[nodiscard]] bool clear(u64 &left);
    void end_first(BlockStatus status);
    void begin_first();

    std::span<const u8> contents_;
    std::span<u8> writable_{}; ///< the same, or empty
    WorkTurns &turns_;
    BlockRequest *first_ = nullptr;
    BlockRequest *last_ = nullptr;
    u32 count_ = 0;
    Progress progress_;
    BlockListener *listener_ = nullptr;
    Mutex *lock_ = nullptr; ///< of all of it
    bool joined_ = false;
    bool refused_ = false; ///< a request, since there was room last
};

} // namespace sel4vm::dev
