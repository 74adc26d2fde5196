// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/cache.hpp>

#include <algorithm>

namespace sel4vm::sel4 {

#if defined(__aarch64__) && defined(CONFIG_AARCH64_USER_CACHE_ENABLE)

void clean_window(RamBacking &backing, u64 offset, u64 size_bytes) {
    if (size_bytes == 0)
        return;
    u64 types = 0; // CTR_EL0: DminLine bits 19:16, IminLine bits 3:0, log2 of words
    asm("mrs %0, ctr_el0" : "=r"(types));
    const u64 data_line = u64{4} << (types >> 16 & 15);
    const u64 instruction_line = u64{4} << (types & 15);
    const u64 start = reinterpret_cast<u64>(backing.block().window) + offset;
    const u64 end = start + size_bytes;
    for (u64 at = start & ~(data_line - 1); at < end; at += data_line)
        asm volatile("dc cvac, %0" ::"r"(at) : "memory");
    asm volatile("dsb ish" ::: "memory");
    for (u64 at = start & ~(instruction_line - 1); at < end; at += instruction_line)
        asm volatile("ic ivau, %0" ::"r"(at) : "memory");
    asm volatile("dsb ish\n isb" ::: "memory");
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

#endif

} // namespace sel4vm::sel4
