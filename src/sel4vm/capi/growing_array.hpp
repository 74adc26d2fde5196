// SPDX-License-Identifier: BSD-2-Clause
//
// A vector of plain values whose memory comes from an Allocator, for what a client adds without a limit. Growing may fail,
// and then nothing has changed. Never used on the exit path but to look things up.
#pragma once

#include <sel4vm/base/owned_array.hpp>

#include <algorithm>
#include <type_traits>

namespace sel4vm::capi {

template <class T>
class GrowingArray {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit GrowingArray(Allocator &allocator) : allocator_(allocator) {}

    [[nodiscard]] usize size() const { return size_; }
    [[nodiscard]] T &operator[](usize i) { return items_[i]; }
    [[nodiscard]] const T &operator[](usize i) const { return items_[i]; }
    [[nodiscard]] T *begin() { return items_.begin(); }
    [[nodiscard]] T *end() { return items_.begin() + size_; }
    [[nodiscard]] const T *begin() const { return items_.begin(); }
    [[nodiscard]] const T *end() const { return items_.begin() + size_; }

    /// Makes sure that the next `more` insertions succeed.
    [[nodiscard]] bool reserve(usize more) {
        if (items_.size() - size_ >= more)
            return true;
        auto larger = OwnedArray<T>::make(allocator_, std::max(size_ + more, size_ * 2 + 4));
        if (!larger)
            return false;
        std::copy(begin(), end(), larger.begin());
        items_ = std::move(larger);
        return true;
    }
    [[nodiscard]] bool insert(usize index, const T &item) {
        const T copy = item;
        if (!reserve(1))
            return false;
        std::copy_backward(begin() + index, end(), end() + 1);
        items_[index] = copy;
        ++size_;
        return true;
    }
    [[nodiscard]] bool push_back(const T &item) { return insert(size_, item); }
    void erase(usize index) {
        std::copy(begin() + index + 1, end(), begin() + index);
        --size_;
    }

private:
    Allocator &allocator_;
    OwnedArray<T> items_;
    usize size_ = 0;
};

} // namespace sel4vm::capi
