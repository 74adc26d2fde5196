// SPDX-License-Identifier: BSD-2-Clause
//
// A device's only view of guest memory: copies, checked against the guest's RAM and ROM, which may go from one region into the next. Deliberately no
// pointer into guest memory: what was fetched is a copy that the guest cannot change any more, and who has a copy decides on that. A DmaTaker alone sees
// memory in place, for a copy.
//
// Threads: any. A guest may write the same bytes meanwhile; then a copy has some of them from before and some from after.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>

#include <span>

namespace sel4vm {

enum class DmaError : u8 {
    unmapped,   ///< some byte is no memory of this guest, or the range wraps
    read_only,  ///< some byte is in ROM
    misaligned, ///< an index that is not at a multiple of its size
};

/// Copies bytes that it sees in place to somewhere else, and does nothing else with them: a guest may change them meanwhile.
class DmaTaker {
public:
    /// The next ones; false ends it.
    [[nodiscard]] virtual bool take(std::span<const u8> bytes) = 0;

protected:
    ~DmaTaker() = default;
};

class DmaPort {
public:
    /// All of `out`, or nothing of it is meant. An empty span is always good.
    [[nodiscard]] virtual Status<DmaError> read(Gpa at, std::span<u8> out) = 0;
    /// All of `bytes`, or nothing is written.
    [[nodiscard]] virtual Status<DmaError> write(Gpa at, std::span<const u8> bytes) = 0;

    /// For a copy from one guest's memory into another's, which would be two with read(). False: the taker ended it.
    [[nodiscard]] virtual Result<bool, DmaError> lend(Gpa at, u64 size_bytes, DmaTaker &taker) = 0;

    /// An index that device and driver share, as one single-copy atomic access. What the driver wrote before it wrote the index is seen by read()
    /// after load_index(), and what was written before store_index() is seen by a driver that sees the index.
    [[nodiscard]] virtual Result<u16, DmaError> load_index(Gpa at) = 0;
    [[nodiscard]] virtual Status<DmaError> store_index(Gpa at, u16 value) = 0;

    /// Brings what is there at first touch only one step nearer: so that no access makes more of it than a step of work may take. True: nothing of the
    /// range is missing, or what is, cannot be had. An access of what is missing is good, but takes its time.
    [[nodiscard]] virtual bool bring_in(Gpa, u64 /*size_bytes*/) { return true; }

protected:
    ~DmaPort() = default;
};

} // namespace sel4vm
