// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/doorbell/doorbell.hpp>

namespace sel4vm::dev {

namespace {
constexpr u32 kId = 0x6c6c'6562; ///< "bell" in memory
constexpr u64 kIdOffset = 0x00;
constexpr u64 kSide = 0x04;
constexpr u64 kPresent = 0x08;
constexpr u64 kRing = 0x0c;
constexpr u64 kRung = 0x10;
} // namespace

bool DoorbellGroup::join(Doorbell &doorbell) {
    LockGuard guard(lock_);
    if (doorbell.side() >= kMaxSides || sides_[doorbell.side()] != nullptr)
        return false;
    sides_[doorbell.side()] = &doorbell;
    return true;
}

void DoorbellGroup::leave(Doorbell &doorbell) {
    LockGuard guard(lock_);
    SEL4VM_ASSERT(sides_[doorbell.side()] == &doorbell);
    sides_[doorbell.side()] = nullptr;
}

Doorbell::State Doorbell::state() const {
    LockGuard guard(group_.lock_);
    return state_;
}

u32 Doorbell::present() {
    LockGuard guard(group_.lock_);
    u32 present = 0;
    for (u32 side = 0; side < DoorbellGroup::kMaxSides; ++side)
        present |= group_.sides_[side] != nullptr ? u32{1} << side : 0;
    return present;
}

// The lock is held over the wires' edges, so that nobody leaves meanwhile.
void Doorbell::ring(u32 sides) {
    LockGuard guard(group_.lock_);
    for (u32 side = 0; side < DoorbellGroup::kMaxSides; ++side) {
        Doorbell *const other = group_.sides_[side];
        if ((sides >> side & 1) == 0 || other == nullptr)
            continue;
        other->state_.rung |= u32{1} << side_; // before the edge: who takes the interrupt finds it
        other->line_.pulse();
    }
}

void Doorbell::take_note(u32 noted) {
    LockGuard guard(group_.lock_);
    state_.rung &= ~noted;
}

void Doorbell::reset() {
    LockGuard guard(group_.lock_);
    state_ = {};
}

// Five registers without parts: less than a table of them.
Result<u64, BusFault> Doorbell::read(const Access &access) {
    if (access.width != Width::b4 || access.offset % 4 != 0)
        return Err{BusFault::width};
    switch (access.offset) {
    case kIdOffset: return u64{kId};
    case kSide: return u64{side_};
    case kPresent: return u64{present()};
    case kRung: return u64{state().rung};
    default: return u64{0};
    }
}

Status<BusFault> Doorbell::write(const Access &access, u64 value) {
    if (access.width != Width::b4 || access.offset % 4 != 0)
        return Err{BusFault::width};
    if (access.offset == kRing)
        ring(static_cast<u32>(value));
    if (access.offset == kRung)
        take_note(static_cast<u32>(value));
    return Ok{};
}

} // namespace sel4vm::dev
