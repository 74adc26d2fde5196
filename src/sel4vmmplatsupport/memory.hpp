// SPDX-License-Identifier: BSD-2-Clause
//
// Memory of this library's own: the C library's, which every program that uses the C interface has.
#pragma once

#include <sel4vm/base/types.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

namespace sel4vm::platsupport {

/// Owns one object in the C library's heap; empty when there was no memory.
template <class T>
class CObject {
public:
    CObject() = default;
    template <class... Args>
    [[nodiscard]] static CObject make(Args &&...args) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        CObject owned;
        if (void *block = std::malloc(sizeof(T)))
            owned.object_ = ::new (block) T(std::forward<Args>(args)...);
        return owned;
    }
    CObject(CObject &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    CObject &operator=(CObject &&other) noexcept {
        if (this != &other) {
            reset();
            object_ = std::exchange(other.object_, nullptr);
        }
        return *this;
    }
    CObject(const CObject &) = delete;
    CObject &operator=(const CObject &) = delete;
    ~CObject() { reset(); }

    void reset() {
        if (object_ == nullptr)
            return;
        std::destroy_at(object_);
        std::free(object_);
        object_ = nullptr;
    }
    [[nodiscard]] T *release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }
    T *get() const { return object_; }
    T &operator*() const { return *object_; }
    T *operator->() const { return object_; }

private:
    T *object_ = nullptr;
};

} // namespace sel4vm::platsupport
