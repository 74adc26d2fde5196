// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/drivers/virtio/virtio_ring.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/fence.hpp>

#include <algorithm>
#include <atomic>

namespace sel4vm::drivers {

namespace {
constexpr u16 kNext = 1;
constexpr u16 kWrite = 2;
constexpr u16 kNoNotice = 1;
} // namespace

// Each word is written at once: the device may look at any time.
template <class T>
T VirtioRing::load(usize at) const {
    // SAFETY: inside memory_, which begins at a page's border, at a multiple of its size.
    return std::atomic_ref(*reinterpret_cast<T *>(memory_.bytes.data() + at)).load(std::memory_order_acquire);
}

template <class T>
void VirtioRing::store(usize at, T value) {
    // SAFETY: as above.
    std::atomic_ref(*reinterpret_cast<T *>(memory_.bytes.data() + at)).store(value, std::memory_order_release);
}

VirtioRing::VirtioRing(DriverMemory memory, u16 size) : memory_(memory), size_(size) {
    SEL4VM_ASSERT(memory.bytes.size() >= bytes(size) && (size & (size - 1)) == 0);
    std::fill_n(memory_.bytes.begin(), bytes(size), u8{0});
}

VirtioTransport::QueueAddresses VirtioRing::addresses() const {
    return {memory_.device_address, memory_.device_address + driver_at(size_), memory_.device_address + used_at(size_)};
}

void VirtioRing::set(u16 index, u64 address, u32 bytes, Access access, std::optional<u16> next) {
    SEL4VM_ASSERT(index < size_);
    const usize at = 16 * usize{index};
    const u16 flags = static_cast<u16>((access == Access::device_writes ? kWrite : 0) | (next ? kNext : 0));
    store<u64>(at, address);
    store<u32>(at + 8, bytes);
    store<u16>(at + 12, flags);
    store<u16>(at + 14, next.value_or(0));
}

void VirtioRing::offer(u16 head) {
    store<u16>(driver_at(size_) + 4 + 2 * usize{static_cast<u16>(offered_ % size_)}, head);
    ++offered_;
    store<u16>(driver_at(size_) + 2, offered_);
}

bool VirtioRing::wants_notice() const {
    full_fence(); // the device looks at the index after it has said that it wants to be told
    return (load<u16>(used_at(size_)) & kNoNotice) == 0;
}

std::optional<VirtioRing::Used> VirtioRing::take() {
    const u16 index = load<u16>(used_at(size_) + 2);
    if (index == taken_ || broken_)
        return std::nullopt;
    const usize at = used_at(size_) + 4 + 8 * usize{static_cast<u16>(taken_ % size_)};
    const u32 head = load<u32>(at);
    // More than it has, or one that is none.
    broken_ = static_cast<u16>(index - taken_) > static_cast<u16>(offered_ - taken_) || head >= size_;
    if (broken_)
        return std::nullopt;
    ++taken_;
    return Used{static_cast<u16>(head), load<u32>(at + 4)};
}

} // namespace sel4vm::drivers
