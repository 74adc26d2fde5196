// SPDX-License-Identifier: BSD-2-Clause
//
// What a type of virtio device (disk, random numbers, ...) is to the rest of it: its identity, its features, its configuration, and what it
// does with the chains of its queues. It knows neither its transport nor its driver's registers: VirtioFunction has those.
//
// Threads: everything is called with the function's lock held.
#pragma once

#include <sel4vm/dev/virtio/virtio_chain.hpp>

namespace sel4vm::dev {

class VirtioFunction;

class VirtioModel {
public:
    /// For messages and counts of accesses.
    [[nodiscard]] virtual const char *name() const = 0;
    /// Virtio 1.2, 5.
    [[nodiscard]] virtual u32 device_id() const = 0;
    /// Bits that it has beside those of queues and transports.
    [[nodiscard]] virtual u64 features() const { return 0; }
    /// At most VirtioFunction::kMaxQueues.
    [[nodiscard]] virtual u32 queue_count() const { return 1; }
    /// Descriptors of each at most: a power of two, no more than kMaxVirtioQueueSize.
    [[nodiscard]] virtual u16 queue_size_max() const { return 128; }
    /// The device's part of the configuration space, as it is now; behind it all reads as zero.
    [[nodiscard]] virtual std::span<const u8> config() const { return {}; }
    /// A driver's write to it, inside of it or not.
    virtual void write_config(u64 offset, std::span<const u8> bytes) {
        static_cast<void>(offset);
        static_cast<void>(bytes);
    }

    /// Serves a queue of `function` whose driver has made something available, perhaps. It takes what it moves from `left_bytes`, and stops when that is 0: true, there is more.
    [[nodiscard]] virtual bool serve(VirtioFunction &function, u32 queue, u64 &left_bytes) = 0;
    /// Its chains are the driver's again: nothing of them is used any more on return.
    virtual void forget(u32 queue) { static_cast<void>(queue); }
    /// The status of the device or of a queue is another, perhaps: serves() says so. For a model of which others than its driver use queues.
    virtual void status_changed(VirtioFunction &function) { static_cast<void>(function); }
    /// Power-on state; every queue was forgotten.
    virtual void reset() {}

protected:
    ~VirtioModel() = default;
};

} // namespace sel4vm::dev
