// SPDX-License-Identifier: BSD-2-Clause
//
// Making and destroying objects whose owner is a structure of the C interface, so that Owned cannot hold them.
#pragma once

#include <sel4vm/base/allocator.hpp>

namespace sel4vm::capi {

template <class T, class... Args>
[[nodiscard]] T *create(Allocator &allocator, Args &&...args) {
    void *block = allocator.allocate(sizeof(T), alignof(T));
    return block == nullptr ? nullptr : ::new (block) T(std::forward<Args>(args)...);
}

/// `object` may be nullptr.
template <class T>
void destroy(Allocator &allocator, T *object) {
    if (object == nullptr)
        return;
    std::destroy_at(object);
    allocator.deallocate(object, sizeof(T), alignof(T));
}

} // namespace sel4vm::capi
