// SPDX-License-Identifier: BSD-2-Clause
//
// For two threads of which each writes one thing and then looks at the other's: with a fence in between, one of them at least sees what the other has
// written.
#pragma once

#include <sel4vm/base/types.hpp>

#include <atomic>

namespace sel4vm {

inline void full_fence() {
#if defined(__SANITIZE_THREAD__)
    // The thread sanitizer knows no fences. Changes of one word that all of them make order as much.
    static std::atomic<u32> word{0};
    static_cast<void>(word.fetch_add(1, std::memory_order_seq_cst));
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

} // namespace sel4vm
