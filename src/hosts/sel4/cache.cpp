// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/cache.hpp>

#include <algorithm>
#include <cstring>

namespace sel4vm::sel4 {

namespace {

void *bytes_of(const RamBacking &backing) {
    // SAFETY: no guest has it yet, so that nobody else writes.
    return const_cast<u8 *>(backing.block().window);
}

} // namespace

#if defined(__aarch64__) && defined(CONFIG_AARCH64_USER_CACHE_ENABLE)

namespace {

u64 cache_types() { // CTR_EL0: DminLine bits 19:16, IminLine bits 3:0, log2 of words
    u64 types = 0;
    asm("mrs %0, ctr_el0" : "=r"(types));
    return types;
}

void clean_data(u64 start, u64 end) {
    const u64 line = u64{4} << (cache_types() >> 16 & 15);
    for (u64 at = start & ~(line - 1); at < end; at += line)
        asm volatile("dc cvac, %0" ::"r"(at) : "memory");
    asm volatile("dsb ish" ::: "memory");
}

} // namespace

void clean_window(RamBacking &backing, u64 offset, u64 size_bytes) {
    if (size_bytes == 0)
        return;
    const u64 instruction_line = u64{4} << (cache_types() & 15);
    const u64 start = reinterpret_cast<u64>(backing.block().window) + offset;
    const u64 end = start + size_bytes;
    clean_data(start, end);
    for (u64 at = start & ~(instruction_line - 1); at < end; at += instruction_line)
        asm volatile("ic ivau, %0" ::"r"(at) : "memory");
    asm volatile("dsb ish\n isb" ::: "memory");
}

void clear_window(RamBacking &backing) {
    const u64 size_bytes = backing.block().size_bytes;
    const u64 start = reinterpret_cast<u64>(std::memset(bytes_of(backing), 0, size_bytes));
    clean_data(start, start + size_bytes);
}

#else

void clean_window(RamBacking &backing, u64 offset, u64 size_bytes) {
    const u64 bytes = backing.frame_bytes();
    const u64 end = offset + size_bytes;
    while (offset < end) {
        const u64 within = offset % bytes;
        const u64 count = std::min(end - offset, bytes - within);
        const seL4_CPtr frame = backing.frame(offset / bytes).window_cap();
        static_cast<void>(seL4_ARM_Page_Clean_Data(frame, within, within + count));
        static_cast<void>(seL4_ARM_Page_Unify_Instruction(frame, within, within + count));
        offset += count;
    }
}

void clear_window(RamBacking &backing) {
    std::memset(bytes_of(backing), 0, backing.block().size_bytes);
    for (usize i = 0; i < backing.frame_count(); ++i)
        static_cast<void>(seL4_ARM_Page_Clean_Data(backing.frame(i).window_cap(), 0, backing.frame_bytes()));
}

#endif

} // namespace sel4vm::sel4
