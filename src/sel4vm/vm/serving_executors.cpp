// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/serving_executors.hpp>

namespace sel4vm {

bool ServingExecutors::add(EventPort &port) {
    LockGuard guard(lock_);
    return members_.emplace_back(&port, false) != nullptr;
}

void ServingExecutors::remove(EventPort &port) {
    LockGuard guard(lock_);
    for (usize i = 0; i < members_.size(); ++i) {
        if (members_[i].port == &port)
            return members_.erase(i);
    }
}

bool ServingExecutors::set_idle(const EventPort &port, bool idle) {
    LockGuard guard(lock_);
    bool all = true;
    for (Member &member : members_) {
        if (member.port == &port)
            member.idle = idle;
        all = all && member.idle;
    }
    return all;
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
