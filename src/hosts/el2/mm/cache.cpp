// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/cache.hpp>

#include <sel4vm/base/bits.hpp>

extern "C" {
void sel4vm_el2_clear_simd(sel4vm::u64 base, sel4vm::u64 size_bytes); // clear.S; a multiple of 1 KiB
void sel4vm_el2_clear_zva(sel4vm::u64 base, sel4vm::u64 size_bytes, sel4vm::u64 block_bytes);
}

namespace sel4vm::el2 {
namespace {

u64 line_bytes() { return u64{4} << bits_of(SEL4VM_READ_SYSREG(ctr_el0), 19, 16); }

template <class Operation>
void for_each_line(u64 base, u64 size_bytes, Operation operation) {
    const u64 line = line_bytes();
    const u64 end = base + size_bytes;
    for (u64 at = align_down(base, line); at < end; at += line)
        operation(at);
    dsb_sy();
}

} // namespace

// SAFETY: cache maintenance does not change what a program reads, except drop(), whose caller vouches for it.
void clean_to_memory(u64 base, u64 size_bytes) {
    for_each_line(base, size_bytes, [](u64 at) { asm volatile("dc cvac, %0" ::"r"(at) : "memory"); });
}
void clean_and_drop(u64 base, u64 size_bytes) {
    for_each_line(base, size_bytes, [](u64 at) { asm volatile("dc civac, %0" ::"r"(at) : "memory"); });
}
void drop(u64 base, u64 size_bytes) {
    for_each_line(base, size_bytes, [](u64 at) { asm volatile("dc ivac, %0" ::"r"(at) : "memory"); });
}

void clean_and_drop_all() {
    const u64 clidr = SEL4VM_READ_SYSREG(clidr_el1);
    const bool wide = bits_of(SEL4VM_READ_SYSREG(id_aa64mmfr2_el1), 23, 20) != 0; // FEAT_CCIDX: other field widths
    dsb_sy();
    for (unsigned level = 0; level < 7; ++level) {
        if (bits_of(clidr, 3 * level + 2, 3 * level) < 2) // no data or unified cache here
            continue;
        SEL4VM_WRITE_SYSREG(csselr_el1, u64{level} << 1);
        isb();
        const u64 ccsidr = SEL4VM_READ_SYSREG(ccsidr_el1);
        const auto line_shift = static_cast<unsigned>(bits_of(ccsidr, 2, 0)) + 4;
        const auto last_way = static_cast<u32>(wide ? bits_of(ccsidr, 23, 3) : bits_of(ccsidr, 12, 3));
        const u64 last_set = wide ? bits_of(ccsidr, 55, 32) : bits_of(ccsidr, 27, 13);
        const unsigned way_shift = last_way == 0 ? 31 : static_cast<unsigned>(std::countl_zero(last_way));
        for (u64 way = 0; way <= last_way; ++way) {
            for (u64 set = 0; set <= last_set; ++set)
                asm volatile("dc cisw, %0" ::"r"(way << way_shift | set << line_shift | u64{level} << 1) : "memory");
        }
    }
    dsb_sy();
    isb();
}

void drop_instructions() {
    dsb_ish();
    asm volatile("ic ialluis" ::: "memory");
    dsb_ish();
    isb();
}

void clear_memory(u64 base, u64 size_bytes) {
    constexpr u64 kChunk = 1024;
    constexpr u64 kTrapFp = u64{1} << 10; // CPTR_EL2.TFP
    // DC ZVA beats a 64-byte store only when its block is larger.
    const u64 dczid = SEL4VM_READ_SYSREG(dczid_el0);
    const u64 zva_block = bits_of(dczid, 4, 4) != 0 ? 0 : u64{4} << bits_of(dczid, 3, 0);
    if (zva_block > 64 && is_aligned(base | size_bytes, zva_block)) {
        sel4vm_el2_clear_zva(base, size_bytes, zva_block);
        return;
    }
    SEL4VM_ASSERT(is_aligned(base, 64) && is_aligned(size_bytes, kChunk));
    if (size_bytes == 0)
        return;
    const u64 cptr = SEL4VM_READ_SYSREG(cptr_el2); // the vCPU half may have FP trapped
    SEL4VM_WRITE_SYSREG(cptr_el2, cptr & ~kTrapFp);
    isb();
    sel4vm_el2_clear_simd(base, size_bytes);
    SEL4VM_WRITE_SYSREG(cptr_el2, cptr);
    isb();
}

} // namespace sel4vm::el2
