// SPDX-License-Identifier: BSD-2-Clause
//
// The client's lock around whatever allocates from its vka and simple; without one, nothing.
#pragma once

#include <sel4vm/boot.h>

#include <optional>

namespace sel4vm::capi {

using ClientLock = std::optional<vm_lock_t>;

class AllocationGuard {
public:
    explicit AllocationGuard(const ClientLock &lock) : lock_(lock) {
        if (lock_)
            lock_->lock(lock_->cookie);
    }
    ~AllocationGuard() {
        if (lock_)
            lock_->unlock(lock_->cookie);
    }
    AllocationGuard(const AllocationGuard &) = delete;
    AllocationGuard &operator=(const AllocationGuard &) = delete;

private:
    ClientLock lock_; // a copy: it outlives a VM that is being destroyed
};

} // namespace sel4vm::capi
