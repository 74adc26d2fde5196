// SPDX-License-Identifier: BSD-2-Clause
//
// A disk behind a device model: a file, a partition, memory. Asynchronous: submit() begins a request, and its end comes later, never inside
// submit(). What is moved goes between the disk and guest memory without a copy in between.
//
// Back-pressure: a disk has room for so many requests and says no to more; the guest's queue holds them until there is room again.
// Nothing is allocated: a request is its asker's, who leaves it alone until it has ended. A BlockDevice has one asker; a disk that several
// guests share is one for each of them.
//
// Threads: every call, in both directions, is made with the asker's lock held, which set_listener() gives; so a disk needs none of its own, and what it
// moves, it moves with the lock held, a bounded part at a time. Requests may end in another order than they began, and a flush covers writes
// that had ended when it began.
#pragma once

#include <sel4vm/base/mutex.hpp>
#include <sel4vm/host/dma_port.hpp>

#include <span>

namespace sel4vm {

inline constexpr u64 kSectorBytes = 512;

enum class BlockOperation : u8 {
    read,         ///< from the disk into guest memory
    write,        ///< from guest memory to the disk
    flush,        ///< what was written before stays over a loss of power; no memory, no sector
    write_zeroes, ///< `sectors` of them; no memory
    discard,      ///< nobody needs what they hold, which is zero or as before; no memory
};

enum class BlockStatus : u8 {
    done,
    out_of_range, ///< beyond the end of the disk, or not whole sectors; nothing was moved
    read_only,    ///< the disk cannot be written
    bad_memory,   ///< guest memory is not there, or is ROM that was to be written; part of it may have been moved
    failed,       ///< the disk itself; part of it may have been moved
};

struct BlockRequest;

/// Who asks. It may submit() from inside.
class BlockListener {
public:
    /// The request is the asker's again.
    virtual void block_ended(BlockRequest &request, BlockStatus status) = 0;
    /// A request was refused, and there is room again.
    virtual void block_space() = 0;

protected:
    ~BlockListener() = default;
};

/// A part of guest memory.
struct DmaRange {
    Gpa at;
    u64 size_bytes = 0;
};

struct BlockRequest {
    BlockOperation operation = BlockOperation::read;
    u64 sector = 0;  ///< the first; of kSectorBytes
    u64 sectors = 0; ///< write_zeroes and discard only
    /// One after the other; their sum is in whole sectors. Read and write only.
    std::span<const DmaRange> memory{};
    DmaPort *dma = nullptr;       ///< whose memory; may be nullptr for a flush
    BlockRequest *next = nullptr; ///< the disk's, until the request has ended
};

/// What a guest may do with a disk, whatever the disk allows.
enum class DiskAccess : u8 { read_write, read_only };

class BlockDevice {
public:
    /// Before the first request; both outlive the last one. `lock` is of LockRank::device.
    virtual void set_listener(BlockListener &listener, Mutex &lock) = 0;
    [[nodiscard]] virtual u64 sector_count() const = 0;
    [[nodiscard]] virtual bool read_only() const = 0;
    /// False: there is no room; the listener hears of it. A request that cannot be carried out is taken, and ends with its reason.
    [[nodiscard]] virtual bool submit(BlockRequest &request) = 0;
    /// Gives up all requests that have not ended: they are the asker's again, and it hears nothing more of them. What they moved until now stays.
    virtual void forget() = 0;

protected:
    ~BlockDevice() = default;
};

} // namespace sel4vm
