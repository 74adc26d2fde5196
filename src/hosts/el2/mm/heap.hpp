// SPDX-License-Identifier: BSD-2-Clause
//
// A small heap for objects that are made while VMs are built: power-of-two size classes out of single pages, whole pages for
// anything larger. Never used once guests run, so it is simple before it is fast. Pages of a size class are not given back.
#pragma once

#include <hosts/el2/mm/page_allocator.hpp>

#include <sel4vm/base/allocator.hpp>

#include <array>

namespace sel4vm::el2 {

class Heap final : public Allocator {
public:
    explicit Heap(PageAllocator &pages) : pages_(pages) {}
    Heap(const Heap &) = delete;
    Heap &operator=(const Heap &) = delete;

    /// What blocks of a size class take of pages, less what is in use of them: pages that are kept for later.
    [[nodiscard]] u64 idle_bytes() const { return class_bytes_ - class_used_bytes_; }

    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override;
    void deallocate(void *block, usize size_bytes, usize alignment) override;

private:
    struct Free {
        Free *next;
    };
    static constexpr unsigned kFirstShift = 4; // 16 bytes
    static constexpr unsigned kLastShift = 11; // 2 KiB

    PageAllocator &pages_;
    u64 class_bytes_ = 0;
    u64 class_used_bytes_ = 0;
    std::array<Free *, kLastShift - kFirstShift + 1> free_{};
};

} // namespace sel4vm::el2
