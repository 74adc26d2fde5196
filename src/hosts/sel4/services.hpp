// SPDX-License-Identifier: BSD-2-Clause
//
// The small ports on seL4: the counter that the kernel exports to user code, the C library's heap and output. There is no source of
// random bytes that every platform has; the CPU's own is used where it has one.
#pragma once

#include <hosts/sel4/kernel.hpp>

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/host/services.hpp>

namespace sel4vm::sel4 {

/// The counter of counter.h; without one there is no time.
class CounterClock final : public Clock {
public:
    [[nodiscard]] u64 now_ticks() override;
    [[nodiscard]] u64 ticks_per_second() override;
    [[nodiscard]] Result<u64, HostError> wall_clock_seconds() override;
};

/// malloc() of the C library.
class CHeap final : public Allocator {
public:
    /// One for all, since it has no state: it outlives whatever came from it.
    [[nodiscard]] static CHeap &instance();
    [[nodiscard]] void *allocate(usize size_bytes, usize alignment) override;
    void deallocate(void *block, usize size_bytes, usize alignment) override;
};

/// printf() of the C library, one line a call.
class PrintLog final : public Log {
public:
    void line(LogLevel level, std::string_view source, std::string_view text) override;
};

/// RNDR (FEAT_RNG) where the CPU has it.
class CpuEntropy final : public Entropy {
public:
    [[nodiscard]] Status<HostError> fill(std::span<u8> out) override;
};

} // namespace sel4vm::sel4
