// SPDX-License-Identifier: BSD-2-Clause
//
// The driver's side of a split queue: Virtio 1.2, 2.7. Which descriptors belong together is its user's business, who fills them in, hands over
// the first of a chain, and hears which chains come back. What the device writes is not trusted: a chain that does not exist is said to be none.
//
// Threads: one at a time; the device reads and writes meanwhile.
#pragma once

#include <sel4vm/drivers/virtio/virtio_transport.hpp>

#include <optional>

namespace sel4vm::drivers {

class VirtioRing {
public:
    enum class Access : u8 { device_reads, device_writes };
    struct Used {
        u16 head;
        u32 written_bytes; ///< as the device says
    };

    /// Bytes of memory for a queue of so many descriptors.
    [[nodiscard]] static constexpr usize bytes(u16 size) { return used_at(size) + 8 * usize{size} + 8; }

    VirtioRing() = default;
    /// `size` is a power of two; `memory` begins at a page's border and has bytes(size).
    VirtioRing(DriverMemory memory, u16 size);

    [[nodiscard]] u16 size() const { return size_; }
    [[nodiscard]] VirtioTransport::QueueAddresses addresses() const;

    /// One of a chain that the device does not have; it is followed by descriptor `next`, or is the last.
    void set(u16 index, u64 address, u32 bytes, Access access, std::optional<u16> next);
    /// The device may have the chain that begins there.
    void offer(u16 head);
    /// Whether the device wants to be told of what was offered.
    [[nodiscard]] bool wants_notice() const;
    /// The next chain that came back. `head` is below size(), and nothing else is sure of it.
    [[nodiscard]] std::optional<Used> take();
    /// The device has written what makes no sense.
    [[nodiscard]] bool is_broken() const { return broken_; }

private:
    [[nodiscard]] static constexpr usize driver_at(u16 size) { return 16 * usize{size}; }
    [[nodiscard]] static constexpr usize used_at(u16 size) {
        return (driver_at(size) + 2 * usize{size} + 6 + 3) & ~usize{3};
    }
    template <class T>
    [[nodiscard]] T load(usize at) const;
    template <class T>
    void store(usize at, T value);

    DriverMemory memory_;
    u16 size_ = 0;
    u16 offered_ = 0; ///< in all, as the ring counts
    u16 taken_ = 0;
    bool broken_ = false;
};

} // namespace sel4vm::drivers
