// SPDX-License-Identifier: BSD-2-Clause
//
// A virtio disk of the machine (Virtio 1.2, 5.2) as a disk for a guest. The device reads and writes memory of the driver's alone, so that whatever
// a guest does to its requests, or to itself, the device never touches memory of a guest's; bytes are copied once, as work of the VM
// (vm/device_work.hpp). Requests go to the device in parts of up to kPartBytes, and kParts at a time.
//
// A request that the device does not carry out ends as failed, once. A device that has given up, or that hands back what it was not given, is reset,
// and everything fails from then on.
//
// After forget() nothing new begins until the device has given back what it had: a write of before must not come after one of now.
//
// Threads: its asker's lock, as every disk; interrupt() from any thread without it.
#pragma once

#include <sel4vm/drivers/virtio/virtio_ring.hpp>
#include <sel4vm/vm/block_requests.hpp>
#include <sel4vm/vm/device_work.hpp>

#include <array>
#include <atomic>
#include <string_view>

namespace sel4vm::drivers {

class VirtioDisk final : public BlockDevice, private DeviceWork {
public:
    /// What the device has at a time, and the bytes of each.
    static constexpr u16 kParts = 16;
    static constexpr u32 kPartBytes = 64 * kKiB;
    /// Requests that it has room for.
    static constexpr u32 kMaxRequests = 16;
    static constexpr usize kIdBytes = 20;

    enum class Opened : u8 {
        done,
        no_version_1,  ///< the device has no version 1
        no_queue,      ///< or none with room for one part
        large_sectors, ///< its sectors are larger than 512 bytes
    };

    /// Bytes of memory that it needs.
    [[nodiscard]] static constexpr usize memory_bytes() {
        return kQueueBytes + kHeaderBytes + usize{kParts} * kPartBytes;
    }

    /// `registers` and `memory`, of memory_bytes(), outlive it.
    VirtioDisk(DeviceRegisters &registers, DriverMemory memory) : transport_(registers), memory_(memory) {}
    VirtioDisk(const VirtioDisk &) = delete;
    VirtioDisk &operator=(const VirtioDisk &) = delete;
    /// The device is reset.
    ~VirtioDisk();

    /// Resets the device and starts it; once, before anything else.
    [[nodiscard]] Opened open();
    /// What the disk is called, up to kIdBytes. Waits for the device, as long as `may_wait()` says so; before connect().
    template <class MayWait>
    [[nodiscard]] std::string_view read_id(MayWait may_wait) {
        ask_id();
        while (!take_id() && may_wait()) {
        }
        return id();
    }
    /// From now on it works in the turns of a VM, until disconnect(). False: the VM has too many devices for that.
    [[nodiscard]] bool connect(WorkTurns &turns, DiskAccess access = DiskAccess::read_write);
    /// The VM is about to be gone, and has no requests any more.
    void disconnect();
    /// The device wants attention. Not during disconnect().
    void interrupt();

    void set_listener(BlockListener &listener, Mutex &lock) override {
        listener_ = &listener;
        lock_ = &lock;
    }
    [[nodiscard]] u64 sector_count() const override { return sectors_; }
    [[nodiscard]] bool read_only() const override;
    [[nodiscard]] bool submit(BlockRequest &request) override;
    void forget() override;

private:
    static constexpr u16 kQueueSize = 64; ///< three descriptors for each part
    static_assert(kQueueSize >= 3 * kParts);
    static constexpr usize kQueueBytes = kPageBytes;
    static_assert(VirtioRing::bytes(kQueueSize) <= kQueueBytes);
    static constexpr usize kHeaderBytes = kPageBytes; ///< 64 for each part: header and status
    static constexpr usize kHeaderStride = 64;

    struct Request {
        BlockRequest *asked = nullptr; ///< nullptr: free
        u64 number = 0;                ///< they begin in its order
        BlockPlace next{};             ///< what has not been handed to the device begins there
        u64 begun_sectors = 0;
        u64 sectors = 0;
        u32 parts = 0;      ///< that have not ended
        bool begun = false; ///< all of it
        BlockStatus status = BlockStatus::done;
    };
    enum class PartState : u8 { free, at_device, arrived };
    struct Part {
        PartState state = PartState::free;
        Request *request = nullptr; ///< nullptr: it was forgotten
        BlockPlace place{};         ///< where what was read goes
        u32 bytes = 0;              ///< of the request's memory
        u32 copied = 0;
    };

    // Its three steps, each as far as the turn goes. True: it did not go to the end.
    [[nodiscard]] bool work(u64 &left_bytes) override;
    [[nodiscard]] bool deliver(u64 &left_bytes);
    [[nodiscard]] bool begin(u64 &left_bytes);
    void end_finished(u64 &left_bytes);

    void collect();
    void end_part(Part &part);
    void begin_request(Request &request, u64 &left_bytes);
    [[nodiscard]] bool begin_part(Request &request, Part &part, u64 &left_bytes);
    void hand_over(Part &part, u32 type, u64 sector, u32 bytes, VirtioRing::Access access);
    void give_up();
    [[nodiscard]] Request *next_to_begin();
    [[nodiscard]] Part *free_part();
    [[nodiscard]] bool any_forgotten() const;
    [[nodiscard]] std::span<u8> data_of(const Part &part) const;
    [[nodiscard]] u16 index_of(const Part &part) const { return static_cast<u16>(&part - parts_.data()); }
    [[nodiscard]] usize header_at(const Part &part) const { return kQueueBytes + kHeaderStride * index_of(part); }
    void ask_id();
    [[nodiscard]] bool take_id();
    [[nodiscard]] std::string_view id() const;

    VirtioTransport transport_;
    DriverMemory memory_;
    VirtioRing ring_;
    WorkTurns *turns_ = nullptr;
    u64 features_ = 0;
    u64 sectors_ = 0;
    u32 most_part_bytes_ = kPartBytes;
    u32 most_zeroed_sectors_ = 0; ///< 0: it has no such request
    u16 parts_count_ = 0;
    DiskAccess access_ = DiskAccess::read_write;
    bool is_open_ = false;
    bool failed_ = false;
    bool refused_ = false; ///< a request, since there was room last
    std::atomic<bool> configuration_changed_{false};
    std::array<u8, kIdBytes> id_{};
    std::array<Part, kParts> parts_{};
    std::array<Request, kMaxRequests> requests_{};
    u64 next_number_ = 0;
    BlockListener *listener_ = nullptr;
    Mutex *lock_ = nullptr; ///< of all of it
};

/// For messages.
[[nodiscard]] const char *to_string(VirtioDisk::Opened opened);

} // namespace sel4vm::drivers
