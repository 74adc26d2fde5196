// SPDX-License-Identifier: BSD-2-Clause
//
// The process heap as an Allocator.
#pragma once

#include <sel4vm/base/allocator.hpp>

#include <algorithm>
#include <cstdlib>

namespace sel4vm::kvm {

class Heap final : public Allocator {
public:
    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override {
        void *block = nullptr;
        return posix_memalign(&block, std::max(alignment, sizeof(void *)), size_bytes) == 0 ? block : nullptr;
    }
    void deallocate(void *block, usize, usize) override { std::free(block); }
};

} // namespace sel4vm::kvm
