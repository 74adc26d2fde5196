// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/serving_executors.hpp>

namespace sel4vm {

bool ServingExecutors::add(EventPort &port) {
    LockGuard guard(lock_);
    return members_.emplace_back(port) != nullptr;
}

void ServingExecutors::remove(EventPort &port) {
    LockGuard guard(lock_);
    for (usize i = 0; i < members_.size(); ++i) {
        if (members_[i].port == &port)
            return members_.erase(i);
    }
}

void ServingExecutors::set(const EventPort &port, Activity activity) {
    LockGuard guard(lock_);
    ++changes_;
    for (Member &member : members_) {
        if (member.port == &port)
            member.activity = activity;
    }
}

std::optional<u64> ServingExecutors::idle_since() {
    LockGuard guard(lock_);
    for (const Member &member : members_) {
        if (member.activity == Activity::busy)
            return std::nullopt;
    }
    return changes_;
}

bool ServingExecutors::are_several() {
    LockGuard guard(lock_);
    return members_.size() > 1;
}

void ServingExecutors::wake_all() {
    LockGuard guard(lock_);
    for (const Member &member : members_)
        member.port->wake();
}

} // namespace sel4vm
