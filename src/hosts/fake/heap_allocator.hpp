// SPDX-License-Identifier: BSD-2-Clause
//
// An Allocator on the process heap that counts and can be told to fail: at one given allocation, or from it on.
#pragma once

#include <sel4vm/base/allocator.hpp>

#include <cstdlib>

namespace sel4vm::fake {

class HeapAllocator final : public Allocator {
public:
    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override {
        if (++requests_ == fail_at_)
            return nullptr;
        void *block = nullptr;
        const usize minimum = sizeof(void *);
        if (posix_memalign(&block, alignment < minimum ? minimum : alignment, size_bytes) != 0)
            return nullptr;
        ++live_;
        return block;
    }
    void deallocate(void *block, usize, usize) override {
        --live_;
        std::free(block);
    }

    /// The n-th allocation from now (1 is the next) fails; 0 turns that off.
    void fail_at(usize n) { fail_at_ = n == 0 ? 0 : requests_ + n; }
    [[nodiscard]] usize live() const { return live_; }
    [[nodiscard]] usize requests() const { return requests_; }

private:
    usize requests_ = 0;
    usize fail_at_ = 0;
    usize live_ = 0;
};

} // namespace sel4vm::fake
