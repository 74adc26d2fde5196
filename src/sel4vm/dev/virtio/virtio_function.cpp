// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/virtio/virtio_function.hpp>

#include <algorithm>
#include <bit>

namespace sel4vm::dev {

using namespace virtio_feature;
using namespace virtio_status;

namespace {
constexpr u64 kOwnFeatures = kVersion1 | kIndirectDesc | kEventIdx | kRingReset;
} // namespace

bool VirtioFunction::runs() const { return (state_.status & (kDriverOk | kNeedsReset | kFailed)) == kDriverOk; }

// -- status and features

u64 VirtioFunction::offered_features() const { return kOwnFeatures | model_.features(); }

void VirtioFunction::set_driver_features(u64 features) {
    if ((state_.status & kFeaturesOk) == 0)
        state_.driver_features = features;
}

void VirtioFunction::set_status(u8 value) {
    if (value == 0) {
        reset();
        return;
    }
    constexpr u8 kDrivers = kAcknowledge | kDriver | kDriverOk | kFeaturesOk | kFailed;
    u8 fresh = value & kDrivers & static_cast<u8>(~state_.status);
    const u64 wanted = state_.driver_features;
    if ((fresh & kFeaturesOk) != 0 && ((wanted & ~offered_features()) != 0 || (wanted & kVersion1) == 0))
        fresh &= static_cast<u8>(~kFeaturesOk);
    state_.status |= fresh;
    model_.status_changed(*this);
    if ((fresh & kDriverOk) == 0)
        return;
    if ((state_.status & kFeaturesOk) == 0) {
        needs_reset();
        return;
    }
    // What was made available before is served now.
    for (u32 queue = 0; queue < kMaxQueues; ++queue)
        if (queues_[queue].state().ready)
            ask(queue);
}

void VirtioFunction::needs_reset() {
    if ((state_.status & kNeedsReset) != 0)
        return;
    state_.status |= kNeedsReset;
    model_.status_changed(*this);
    if ((state_.status & kDriverOk) != 0)
        interrupts_.config_changed();
}

void VirtioFunction::reset() {
    turns_.withdraw(*this);
    for (u32 queue = 0; queue < kMaxQueues; ++queue)
        reset_queue(queue);
    model_.reset();
    state_.status = 0;
    state_.driver_features = 0;
    interrupts_.reset_interrupts();
}

// -- configuration

u64 VirtioFunction::read_config(u64 offset, u32 bytes) const {
    const std::span<const u8> config = model_.config();
    u64 value = 0;
    for (u32 i = 0; i < bytes; ++i)
        if (offset + i < config.size())
            value |= u64{config[static_cast<usize>(offset + i)]} << (8 * i);
    return value;
}

void VirtioFunction::write_config(u64 offset, u32 bytes, u64 value) {
    std::array<u8, 8> copy;
    for (u32 i = 0; i < copy.size(); ++i)
        copy[i] = static_cast<u8>(value >> (8 * i));
    model_.write_config(offset, std::span<const u8>(copy).first(std::min<usize>(bytes, copy.size())));
}

void VirtioFunction::change_config() {
    ++state_.config_generation;
    if (runs())
        interrupts_.config_changed();
}

// -- queues

u16 VirtioFunction::queue_size_max(u32 queue) const {
    return queue < model_.queue_count() ? model_.queue_size_max() : u16{0};
}

VirtioQueue::State *VirtioFunction::queue_to_set_up(u32 queue) {
    return queue < model_.queue_count() && !queues_[queue].state().ready ? &queues_[queue].state() : nullptr;
}

void VirtioFunction::make_ready(u32 queue) {
    VirtioQueue::State *const place = queue_to_set_up(queue);
    if (place == nullptr) {
        if (!queue_ready(queue))
            needs_reset();
        return;
    }
    if ((state_.status & kFeaturesOk) == 0 || !queues_[queue].is_possible(model_.queue_size_max())) {
        needs_reset();
        return;
    }
    place->ready = true;
    model_.status_changed(*this);
    if (runs())
        ask(queue);
}

void VirtioFunction::stop_queue(u32 queue) {
    if (queue >= kMaxQueues || !queues_[queue].state().ready)
        return;
    model_.forget(queue);
    VirtioQueue::State &state = queues_[queue].state();
    state.ready = false;
    state.next_avail = state.next_used = state.considered = 0;
    to_serve_ &= ~(u32{1} << queue);
    to_tell_ &= ~(u32{1} << queue);
}

void VirtioFunction::reset_queue(u32 queue) {
    stop_queue(queue);
    if (queue < kMaxQueues)
        queues_[queue].state() = {};
}

void VirtioFunction::notify(u32 queue, VcpuId by) {
    if (queue >= model_.queue_count()) {
        needs_reset();
        return;
    }
    if (!runs() || !queues_[queue].state().ready)
        return;
    to_serve_ |= u32{1} << queue;
    turns_.ask(*this, by);
}

void VirtioFunction::ask_from_outside(u32 queue) {
    asked_from_outside_.fetch_or(u32{1} << queue, std::memory_order_release);
    turns_.ask(*this);
}

void VirtioFunction::ask(u32 queue) {
    to_serve_ |= u32{1} << queue;
    turns_.ask(*this);
}

bool VirtioFunction::work(u64 &left_bytes) {
    LockGuard guard(lock_);
    to_serve_ |= asked_from_outside_.exchange(0, std::memory_order_acquire);
    u32 looked_at = 0;
    while (runs() && left_bytes > 0) {
        const u32 rest = to_serve_ & ~looked_at;
        if (rest == 0)
            break;
        const auto queue = static_cast<u32>(std::countr_zero(rest));
        looked_at |= u32{1} << queue;
        to_serve_ &= ~(u32{1} << queue);
        if (model_.serve(*this, queue, left_bytes))
            to_serve_ |= u32{1} << queue;
    }
    tell();
    return runs() && to_serve_ != 0;
}

bool VirtioFunction::take(u32 queue, VirtioChain &chain, u64 &left_bytes) {
    VirtioQueue &source = queues_[queue];
    if (!runs() || !source.state().ready)
        return false;
    VirtioQueue::Taken taken = source.take(dma_, state_.driver_features, chain);
    if (taken == VirtioQueue::Taken::none &&
        (taken = source.wait_for_more(dma_, state_.driver_features)) == VirtioQueue::Taken::chain)
        taken = source.take(dma_, state_.driver_features, chain);
    if (taken == VirtioQueue::Taken::broken)
        needs_reset();
    if (taken == VirtioQueue::Taken::later) { // clearing a part of its memory was a whole step
        to_serve_ |= u32{1} << queue;
        left_bytes = 0;
    }
    if (taken != VirtioQueue::Taken::chain)
        return false;
    left_bytes -= std::min(left_bytes, (chain.count + 1U) * kVirtioDescriptorCost);
    return true;
}

bool VirtioFunction::fetch(u32 queue, u16 head, VirtioChain &chain) {
    return runs() && queues_[queue].state().ready && queues_[queue].fetch(dma_, state_.driver_features, head, chain);
}

void VirtioFunction::give_back(u32 queue, u16 head, u32 written_bytes) {
    if (!queues_[queue].give_back(dma_, head, written_bytes))
        needs_reset();
    to_tell_ |= u32{1} << queue;
}

void VirtioFunction::tell() {
    for (; to_tell_ != 0; to_tell_ &= to_tell_ - 1) {
        const auto queue = static_cast<u32>(std::countr_zero(to_tell_));
        switch (queues_[queue].wants_to_hear(dma_, state_.driver_features)) {
        case VirtioQueue::Tell::yes: interrupts_.queue_used(queue); break;
        case VirtioQueue::Tell::no: break;
        case VirtioQueue::Tell::broken: needs_reset(); break;
        }
    }
}

// -- snapshots

VirtioFunction::State VirtioFunction::state() const {
    State state = state_;
    for (u32 queue = 0; queue < kMaxQueues; ++queue)
        state.queues[queue] = queues_[queue].state();
    return state;
}

void VirtioFunction::restore(const State &state) {
    reset();
    state_ = state;
    state_.status &= kAcknowledge | kDriver | kDriverOk | kFeaturesOk | kNeedsReset | kFailed;
    const bool agreed = (state.driver_features & ~offered_features()) == 0 && (state.driver_features & kVersion1) != 0;
    bool possible = agreed || (state.status & (kFeaturesOk | kDriverOk)) == 0;
    possible = possible && ((state.status & kDriverOk) == 0 || (state.status & kFeaturesOk) != 0);
    for (u32 queue = 0; queue < kMaxQueues; ++queue) {
        queues_[queue].state() = queue < model_.queue_count() ? state.queues[queue] : VirtioQueue::State{};
        VirtioQueue::State &own = queues_[queue].state();
        if (!own.ready)
            continue;
        if (!queues_[queue].is_possible(model_.queue_size_max()) || queues_[queue].in_flight() > own.size ||
            (state.status & kFeaturesOk) == 0) {
            own.ready = false;
            possible = false;
        }
    }
    if (!possible)
        needs_reset();
    model_.status_changed(*this);
    for (u32 queue = 0; queue < kMaxQueues; ++queue)
        if (serves(queue))
            ask(queue);
}

} // namespace sel4vm::dev
