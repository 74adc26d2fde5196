// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/frame_switch/frame_switch.hpp>

#include <bit>

namespace sel4vm::dev {

namespace {

/// 01-80-c2-00-00-00 to -0f.
bool is_link_local(const MacAddress &mac) { return mac.value() >> 4 == 0x0180'c200'000; }

} // namespace

FrameSwitch::Port *FrameSwitch::join(const SwitchPortOptions &options) {
    LockGuard guard(lock_);
    if (owner_of(options.mac) != nullptr)
        return nullptr;
    for (u8 n = 0; n < kMaxPorts; ++n) {
        if ((joined_ >> n & 1) != 0)
            continue;
        Port &port = ports_[n];
        port.owner_ = this;
        port.options_ = options;
        port.index_ = n;
        port.reached_ = 0;
        joined_ |= u32{1} << n;
        isolated_ |= options.isolated ? u32{1} << n : 0;
        return &port;
    }
    return nullptr;
}

void FrameSwitch::leave(Port &port) {
    port.connect(nullptr);
    LockGuard guard(lock_);
    addresses_.forget_port(port.index_);
    joined_ &= ~(u32{1} << port.index_);
    isolated_ &= ~(u32{1} << port.index_);
    port.owner_ = nullptr;
}

bool FrameSwitch::empty() {
    LockGuard guard(lock_);
    return joined_ == 0;
}

const FrameSwitch::Port *FrameSwitch::owner_of(const MacAddress &mac) const {
    for (u32 rest = joined_; rest != 0; rest &= rest - 1)
        if (const Port &port = ports_[static_cast<usize>(std::countr_zero(rest))]; port.options_.mac == mac)
            return &port;
    return nullptr;
}

FrameSwitch::Route FrameSwitch::route(const Port &from, const NetFrame &frame) {
    const MacAddress source = frame.from();
    const MacAddress target = frame.to();
    const u64 now = clock_.now_ticks();
    LockGuard guard(lock_);
    const Port *const owner = owner_of(source);
    if (source.is_group() || source.value() == 0 || (owner != nullptr && owner != &from) ||
        (owner == nullptr && from.options_.mac_filter))
        return {.refused = true};
    if (owner == nullptr)
        addresses_.learn(source, from.index_, now);
    u32 ports = joined_;
    if (is_link_local(target)) {
        ports = 0;
    } else if (!target.is_group()) {
        if (const Port *const its = owner_of(target))
            ports = u32{1} << its->index_;
        else if (const auto learnt = addresses_.find(target, now))
            ports = u32{1} << *learnt;
    }
    ports &= ~(u32{1} << from.index_);
    if (from.options_.isolated)
        ports &= ~isolated_;
    return {.ports = ports};
}

void FrameSwitch::Port::connect(NetReceiver *receiver) {
    LockGuard guard(lock_);
    receiver_ = receiver;
}

NetSent FrameSwitch::Port::send(const NetFrame &frame, u64 &left_bytes) {
    counters_.sent.add();
    const Route route = owner_->route(*this, frame);
    if (route.refused) {
        counters_.refused.add();
        return NetSent::done;
    }
    bool anybody = false;
    for (u32 rest = route.ports; rest != 0; rest &= rest - 1) {
        const auto n = static_cast<u32>(std::countr_zero(rest));
        const Delivery delivery = owner_->ports_[n].receive(frame, left_bytes);
        if (delivery == Delivery::bad_memory)
            return NetSent::bad_memory;
        anybody = anybody || delivery == Delivery::done;
        reached_ |= u32{1} << n;
    }
    if (!anybody)
        counters_.undelivered.add();
    return NetSent::done;
}

FrameSwitch::Port::Delivery FrameSwitch::Port::receive(const NetFrame &frame, u64 &left_bytes) {
    LockGuard guard(lock_);
    switch (receiver_ == nullptr ? NetTaken::not_wanted : receiver_->receive(frame, left_bytes)) {
    case NetTaken::taken: counters_.received.add(); return Delivery::done;
    case NetTaken::not_wanted: return Delivery::none;
    case NetTaken::no_room: counters_.no_room.add(); return Delivery::none;
    case NetTaken::bad_memory: return Delivery::bad_memory;
    }
    return Delivery::none;
}

void FrameSwitch::Port::end_burst() {
    for (; reached_ != 0; reached_ &= reached_ - 1) {
        Port &port = owner_->ports_[static_cast<usize>(std::countr_zero(reached_))];
        LockGuard guard(port.lock_);
        if (port.receiver_ != nullptr)
            port.receiver_->burst_ended();
    }
}

} // namespace sel4vm::dev
