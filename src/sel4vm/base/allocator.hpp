// SPDX-License-Identifier: BSD-2-Clause
//
// Where objects of the library come from while a VM is built. An interface, so that the client decides (heap, pool,
// arena) and a test can make any one allocation fail. Never used on the exit path.
#pragma once

#include <sel4vm/base/types.hpp>

#include <memory>
#include <new>
#include <utility>

namespace sel4vm {

class Allocator {
public:
    /// `size_bytes` > 0, `alignment` a power of two. nullptr when there is no more memory.
    [[nodiscard]] virtual void *allocate(usize size_bytes, usize alignment) = 0;
    /// `block` came from allocate() with the same size and alignment.
    virtual void deallocate(void *block, usize size_bytes, usize alignment) = 0;

protected:
    ~Allocator() = default;
};

/// Owns one object made in an Allocator; like unique_ptr, and empty when the allocation failed.
template <class T>
class Owned {
public:
    Owned() = default;
    template <class... Args>
    [[nodiscard]] static Owned make(Allocator &allocator, Args &&...args) {
        Owned owned;
        if (void *block = allocator.allocate(sizeof(T), alignof(T))) {
            owned.object_ = ::new (block) T(std::forward<Args>(args)...);
            owned.allocator_ = &allocator;
        }
        return owned;
    }
    /// Of what release() gave up, which came from this allocator.
    [[nodiscard]] static Owned take(Allocator &allocator, T *object) {
        Owned owned;
        owned.allocator_ = &allocator;
        owned.object_ = object;
        return owned;
    }
    Owned(Owned &&other) noexcept
        : allocator_(std::exchange(other.allocator_, nullptr)), object_(std::exchange(other.object_, nullptr)) {}
    Owned &operator=(Owned &&other) noexcept {
        if (this != &other) {
            reset();
            allocator_ = std::exchange(other.allocator_, nullptr);
            object_ = std::exchange(other.object_, nullptr);
        }
        return *this;
    }
    Owned(const Owned &) = delete;
    Owned &operator=(const Owned &) = delete;
    ~Owned() { reset(); }

    void reset() {
        if (object_ == nullptr)
            return;
        std::destroy_at(object_);
        allocator_->deallocate(object_, sizeof(T), alignof(T));
        object_ = nullptr;
        allocator_ = nullptr;
    }
    /// Gives the object up: whoever takes it destroys it and returns its memory to the allocator it came from.
    [[nodiscard]] T *release() {
        allocator_ = nullptr;
        return std::exchange(object_, nullptr);
    }
    explicit operator bool() const { return object_ != nullptr; }
    T *get() const { return object_; }
    T &operator*() const { return *object_; }
    T *operator->() const { return object_; }

private:
    Allocator *allocator_ = nullptr;
    T *object_ = nullptr;
};

} // namespace sel4vm
