// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_queue.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/base/fence.hpp>

#include <algorithm>
#include <cstring>

namespace sel4vm::dev {

namespace {

// Virtio 1.2, 2.7: layouts of the three parts. Little endian, as all that this library runs on.
struct Descriptor {
    u64 address;
    u32 length;
    u16 flags;
    u16 next;
};
constexpr u64 kDescriptorBytes = 16;
static_assert(sizeof(Descriptor) == kDescriptorBytes);
constexpr u64 kMostTableBytes = 0x1'0000 * kDescriptorBytes; ///< which a `next` can name
constexpr u16 kNext = 1;
constexpr u16 kWrite = 2;
constexpr u16 kIndirect = 4;

struct UsedElement {
    u32 head;
    u32 written;
};

constexpr u64 kIndexOffset = 2; ///< of both rings, after their flags
constexpr u64 kRingOffset = 4;
constexpr u64 kAvailBytes = 2;
constexpr u64 kUsedBytes = 8;
constexpr u16 kNoInterrupt = 1; ///< flags of the driver's ring

constexpr u64 kMostBytes = u64{1} << 32; ///< of a chain

bool fits(u64 at, u64 size_bytes, u64 alignment) {
    u64 end = 0;
    return is_aligned(at, alignment) && !__builtin_add_overflow(at, size_bytes, &end);
}

template <class T>
[[nodiscard]] bool read_value(DmaPort &dma, u64 at, T &value) {
    std::array<u8, sizeof(T)> bytes;
    if (!dma.read(Gpa{at}, bytes))
        return false;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return true;
}

} // namespace

/// From descriptor to descriptor, in the queue's table and then perhaps in an indirect one.
class VirtioQueue::Walk {
public:
    Walk(DmaPort &dma, const State &queue, u64 features, VirtioChain &chain)
        : dma_(dma), features_(features), chain_(chain), most_(queue.size), table_(queue.descriptors),
          table_count_(queue.size) {}

    [[nodiscard]] Taken go(u16 first) {
        if (!walk(first))
            return later_ ? Taken::later : Taken::broken;
        for (const DmaRange &part : std::span(chain_.parts).first(chain_.count))
            if (!dma_.bring_in(part.at, part.size_bytes))
                return Taken::later;
        return Taken::chain;
    }

private:
    [[nodiscard]] bool walk(u16 first) {
        chain_.head = first;
        chain_.count = 0;
        chain_.readable = 0;
        u32 index = first;
        for (;;) {
            if (index >= table_count_)
                return false;
            Descriptor descriptor;
            if (!read_value(dma_, table_ + index * kDescriptorBytes, descriptor))
                return false;
            if ((descriptor.flags & kIndirect) != 0) {
                if (!enter(descriptor))
                    return false;
                index = 0;
                continue;
            }
            if (!add(descriptor))
                return false;
            if ((descriptor.flags & kNext) == 0)
                return true;
            index = descriptor.next;
        }
    }

    [[nodiscard]] bool enter(const Descriptor &table) {
        if (indirect_ || (features_ & virtio_feature::kIndirectDesc) == 0 || (table.flags & kNext) != 0 ||
            table.length == 0 || table.length % kDescriptorBytes != 0 || !fits(table.address, table.length, 1))
            return false;
        later_ = !dma_.bring_in(Gpa{table.address}, std::min(u64{table.length}, kMostTableBytes));
        if (later_)
            return false;
        indirect_ = true;
        table_ = table.address;
        table_count_ = static_cast<u32>(table.length / kDescriptorBytes);
        return true;
    }

    [[nodiscard]] bool add(const Descriptor &descriptor) {
        total_bytes_ += descriptor.length;
        if (chain_.count == most_ || total_bytes_ > kMostBytes || !fits(descriptor.address, descriptor.length, 1))
            return false;
        if ((descriptor.flags & kWrite) == 0) {
            if (chain_.readable != chain_.count)
                return false;
            ++chain_.readable;
        }
        chain_.parts[chain_.count++] = {Gpa{descriptor.address}, descriptor.length};
        return true;
    }

    DmaPort &dma_;
    u64 features_;
    VirtioChain &chain_;
    u16 most_;
    u64 table_;
    u32 table_count_;
    u64 total_bytes_ = 0;
    bool indirect_ = false;
    bool later_ = false;
};

bool VirtioQueue::is_possible(u16 most) const {
    const u64 size = state_.size;
    return state_.size <= most && most <= kMaxVirtioQueueSize && is_power_of_two(size) &&
           fits(state_.descriptors, size * kDescriptorBytes, 16) &&
           fits(state_.driver, kRingOffset + size * kAvailBytes + 2, 2) &&
           fits(state_.device, kRingOffset + size * kUsedBytes + 2, 4);
}

bool VirtioQueue::bring_in(DmaPort &dma) const {
    const u64 size = state_.size;
    return dma.bring_in(Gpa{state_.descriptors}, size * kDescriptorBytes) &&
           dma.bring_in(Gpa{state_.driver}, kRingOffset + size * kAvailBytes + 2) &&
           dma.bring_in(Gpa{state_.device}, kRingOffset + size * kUsedBytes + 2);
}

VirtioQueue::Taken VirtioQueue::take(DmaPort &dma, u64 features, VirtioChain &chain) {
    if (!bring_in(dma))
        return Taken::later;
    const auto available = dma.load_index(Gpa{state_.driver + kIndexOffset});
    if (!available)
        return Taken::broken;
    const u16 waiting = static_cast<u16>(*available - state_.next_avail);
    if (waiting == 0)
        return Taken::none;
    u16 head = 0;
    const u64 place = state_.next_avail & (state_.size - 1U);
    if (waiting > state_.size || in_flight() >= state_.size ||
        !read_value(dma, state_.driver + kRingOffset + place * kAvailBytes, head))
        return Taken::broken;
    const Taken taken = Walk(dma, state_, features, chain).go(head);
    if (taken == Taken::chain)
        ++state_.next_avail;
    return taken;
}

bool VirtioQueue::fetch(DmaPort &dma, u64 features, u16 head, VirtioChain &chain) const {
    Taken taken = Taken::later;
    while (taken == Taken::later)
        taken = Walk(dma, state_, features, chain).go(head);
    return taken == Taken::chain;
}

bool VirtioQueue::give_back(DmaPort &dma, u16 head, u32 written_bytes) {
    const VirtioUsed chain{head, written_bytes};
    return give_back(dma, std::span(&chain, 1));
}

bool VirtioQueue::give_back(DmaPort &dma, std::span<const VirtioUsed> chains) {
    for (const VirtioUsed &chain : chains) {
        const UsedElement element{chain.head, chain.written_bytes};
        std::array<u8, sizeof(element)> bytes;
        std::memcpy(bytes.data(), &element, sizeof(element));
        const u64 place = state_.next_used & (state_.size - 1U);
        if (!dma.write(Gpa{state_.device + kRingOffset + place * kUsedBytes}, bytes))
            return false;
        ++state_.next_used;
    }
    return dma.store_index(Gpa{state_.device + kIndexOffset}, state_.next_used).has_value();
}

VirtioQueue::Tell VirtioQueue::wants_to_hear(DmaPort &dma, u64 features) {
    const u16 before = state_.considered;
    const u16 now = state_.next_used;
    if (before == now)
        return Tell::no;
    state_.considered = now;
    // The driver writes what it wants and then looks at our index; we have written our index, and look at what it wants.
    full_fence();
    if ((features & virtio_feature::kEventIdx) == 0) {
        const auto flags = dma.load_index(Gpa{state_.driver});
        if (!flags)
            return Tell::broken;
        return (*flags & kNoInterrupt) != 0 ? Tell::no : Tell::yes;
    }
    const auto event = dma.load_index(Gpa{state_.driver + kRingOffset + state_.size * kAvailBytes});
    if (!event)
        return Tell::broken;
    return static_cast<u16>(now - *event - 1) < static_cast<u16>(now - before) ? Tell::yes : Tell::no;
}

VirtioQueue::Taken VirtioQueue::wait_for_more(DmaPort &dma, u64 features) {
    if ((features & virtio_feature::kEventIdx) == 0)
        return Taken::none; // the driver tells of each
    if (!dma.store_index(Gpa{state_.device + kRingOffset + state_.size * kUsedBytes}, state_.next_avail))
        return Taken::broken;
    full_fence();
    const auto available = dma.load_index(Gpa{state_.driver + kIndexOffset});
    if (!available)
        return Taken::broken;
    return *available != state_.next_avail ? Taken::chain : Taken::none;
}

} // namespace sel4vm::dev
