// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/services.hpp>

#include <hosts/sel4/counter.h>

#include <sel4vm/base/printable.hpp>

extern "C" {
#include <stdio.h>
#include <stdlib.h>
}

namespace sel4vm::sel4 {

u64 CounterClock::now_ticks() { return sel4vm_counter(); }

u64 CounterClock::ticks_per_second() { return sel4vm_counter_frequency(); }

Result<u64, HostError> CounterClock::wall_clock_seconds() { return Err{HostError{HostErrorKind::not_available, 0}}; }

CHeap &CHeap::instance() {
    static CHeap heap;
    return heap;
}

void *CHeap::allocate(usize size_bytes, usize alignment) {
    constexpr usize kNatural = 16;
    if (alignment <= kNatural)
        return malloc(size_bytes);
    void *block = nullptr;
    return posix_memalign(&block, alignment, size_bytes) == 0 ? block : nullptr;
}

void CHeap::deallocate(void *block, usize, usize) { free(block); }

void PrintLog::line(LogLevel level, std::string_view source, std::string_view text) {
    constexpr const char *kNames[] = {"error", "warning", "info", "debug"};
    const auto put = [](std::string_view part) { printf("%.*s", static_cast<int>(part.size()), part.data()); };
    put("sel4vm: ");
    show(source, put); // the client's or a guest's words, as the text
    put(": ");
    put(kNames[static_cast<usize>(level)]);
    put(": ");
    show(text, put);
    put("\n");
}

// The identification register that tells whether RNDR exists is not readable here, and an instruction that does not exist would end
// the VMM: it is used only when the build says that the CPU has it.
Status<HostError> CpuEntropy::fill([[maybe_unused]] std::span<u8> out) {
#if defined(__ARM_FEATURE_RNG)
    usize done = 0;
    unsigned tries = 0;
    constexpr unsigned kMaxTries = 100;
    while (done < out.size()) {
        u64 word = 0;
        u64 failed = 0;
        asm volatile("mrs %0, s3_3_c2_c4_0\n cset %1, eq" : "=r"(word), "=r"(failed)::"cc");
        if (failed != 0) {
            if (++tries == kMaxTries)
                return Err{HostError{HostErrorKind::busy, 0}};
            continue;
        }
        for (unsigned byte = 0; byte < 8 && done < out.size(); ++byte)
            out[done++] = static_cast<u8>(word >> 8 * byte);
    }
    return Ok{};
#else
    return Err{HostError{HostErrorKind::not_available, 0}};
#endif
}

} // namespace sel4vm::sel4
