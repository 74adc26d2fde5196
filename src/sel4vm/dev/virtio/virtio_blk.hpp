// SPDX-License-Identifier: BSD-2-Clause
//
// Virtio block device: Virtio 1.2, 5.2, over any BlockDevice. Reads, writes, FLUSH, GET_ID, DISCARD and WRITE_ZEROES of one range each; a read-only
// disk refuses what changes it. The header and the status of a request may be split over parts in any way.
//
// A request that the disk cannot carry out (behind its end, no whole sectors, read-only, or the disk has failed) ends with IOERR, once; one of
// no known kind, or with flags that are not known, with UNSUPP. One without room for its header or its status, or whose memory is none, has no
// sensible end: the device asks for a reset.
//
// Back-pressure: kMaxRequests are with the disk at a time, the others wait in the queue.
// Deliberately not here yet: several queues, CONFIG_WCE, a disk that grows, secure erase, zones.
//
// Threads: as VirtioModel; its disk ends requests under the same lock.
#pragma once

#include <sel4vm/dev/virtio/virtio_function.hpp>

#include <string_view>

namespace sel4vm::dev {

class VirtioBlk final : public VirtioModel, private BlockListener {
public:
    static constexpr u32 kMaxRequests = 16;
    static constexpr u16 kQueueSize = 128;
    /// Parts of the data of a request: a chain less its header and its status.
    static constexpr u32 kMaxSegments = kQueueSize - 2;
    /// Sectors of one DISCARD or WRITE_ZEROES.
    static constexpr u32 kMaxClearedSectors = 1U << 15;
    static constexpr usize kIdBytes = 20;

    /// Virtio 1.2, 5.2.4, as the guest sees it.
    struct Config {
        u64 capacity;
        u32 size_max;
        u32 seg_max;
        std::array<u8, 4> geometry;
        u32 block_size;
        std::array<u8, 8> topology;
        u8 writeback;
        u8 unused;
        u16 queues;
        u32 max_discard_sectors;
        u32 max_discard_segments;
        u32 discard_sector_alignment;
        u32 max_write_zeroes_sectors;
        u32 max_write_zeroes_segments;
        u8 write_zeroes_may_unmap;
        std::array<u8, 3> unused_end;
        u32 max_secure_erase_sectors;
    };
    static_assert(sizeof(Config) == 64);

    /// What was begun and has not ended: the chains' first descriptors, by which restore() begins them anew.
    struct State {
        u32 count = 0;
        std::array<u16, kMaxRequests> heads{};
        friend bool operator==(const State &, const State &) = default;
    };

    /// `id`, for GET_ID, outlives it; of more than kIdBytes the first count. attach() comes before the first use.
    VirtioBlk(BlockDevice &disk, std::string_view id);
    /// What it is the model of, which it needs when the disk ends a request.
    void attach(VirtioFunction &function);

    [[nodiscard]] const char *name() const override { return "virtio-blk"; }
    [[nodiscard]] u32 device_id() const override { return 2; }
    [[nodiscard]] u64 features() const override;
    [[nodiscard]] u16 queue_size_max() const override { return kQueueSize; }
    [[nodiscard]] std::span<const u8> config() const override;
    [[nodiscard]] bool serve(VirtioFunction &function, u32 queue, u64 &left_bytes) override;
    void forget(u32 queue) override;

    /// Both while no vCPU of the VM runs, with the function's lock held; restore() after the function's.
    [[nodiscard]] State state() const;
    void restore(const State &state);

private:
    struct Request {
        BlockRequest block; ///< with the disk while `used`
        VirtioChain chain;
        DmaRange status{};  ///< the last byte of what may be written
        u32 data_bytes = 0; ///< that it writes when it is done, without the status
        bool used = false;
    };

    // BlockListener
    void block_ended(BlockRequest &request, BlockStatus status) override;
    void block_space() override { function_->ask(0); }

    void begin(Request &request);
    void begin_clearing(Request &request, u32 type);
    void tell_id(Request &request, std::span<DmaRange> data);
    void submit(Request &request);
    void end(Request &request, u8 status, u32 written_bytes);
    void give_up(Request &request);
    [[nodiscard]] Request *free_request();

    BlockDevice &disk_;
    std::string_view id_;
    VirtioFunction *function_ = nullptr;
    Config config_;
    Request *waiting_ = nullptr; ///< the disk has refused it
    bool stalled_ = false;       ///< for want of a free request
    std::array<Request, kMaxRequests> requests_;
};

} // namespace sel4vm::dev
