// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/host_map.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/mm/cache.hpp>
#include <hosts/el2/mm/page_allocator.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>

namespace sel4vm::el2 {
namespace {

constexpr TableGeometry kGeometry{.start_level = 0, .input_bits = 48, .largest_blocks = false};

// Indexes into MAIR: 0 write-back, 1 device nGnRE, 2 not cacheable.
constexpr u64 kMair = 0x44'04ff;

// Stage 1 leaf attributes, VMSAv8-64.
constexpr u64 index(u64 n) { return n << 2; }
constexpr u64 kSharedInner = u64{3} << 8;
constexpr u64 kAccessed = u64{1} << 10;
constexpr u64 kReadOnly = u64{1} << 7;
constexpr u64 kExecuteNever = u64{1} << 54;
constexpr u64 kAp1 = u64{1} << 6; // RES1 at EL2

constexpr u64 attributes_of(HostMemory kind) {
    constexpr u64 common = kAccessed | kSharedInner;
    switch (kind) {
    case HostMemory::code: return common | index(0) | kReadOnly;
    case HostMemory::constants: return common | index(0) | kReadOnly | kExecuteNever;
    case HostMemory::data: return common | index(0) | kExecuteNever;
    case HostMemory::uncached: return common | index(2) | kExecuteNever;
    case HostMemory::device: return common | index(1) | kExecuteNever;
    }
    return 0;
}

u64 ap1() { return at_el2() ? kAp1 : 0; } // at EL1 the bit would let EL0 in

} // namespace

HostMap::HostMap(HostPhysRange early)
    : early_base_(early.base().value()), early_next_(early_base_), early_end_(early.end().value()),
      table_(*this, kGeometry) {
    SEL4VM_ASSERT(table_.create().has_value());
}

Status<HostError> HostMap::map(HostPhysRange range, HostMemory kind) {
    const u64 base = range.base().value();
    auto done = table_.map(base, range.size(), base, attributes_of(kind) | ap1());
    const bool whole_pages = range.is_aligned_to(kPageBytes) && range.end().value() <= u64{1} << kGeometry.input_bits;
    if (done || done.error().kind != HostErrorKind::invalid || !whole_pages)
        return done;
    if (range.size() == kPageBytes)
        return Ok{}; // mapped already
    // Some page of it is mapped: each half by itself, cut where blocks stay whole.
    u64 middle = align_down(base + range.size() / 2, 2 * kMiB);
    if (middle <= base)
        middle = align_down(base + range.size() / 2, kPageBytes);
    if (auto low = map(*HostPhysRange::make(range.base(), middle - base), kind); !low)
        return low;
    return map(*HostPhysRange::make(HostPhys{middle}, range.end().value() - middle), kind);
}

Status<HostError> HostMap::map_again(u64 at, HostPhysRange range) {
    return table_.map(at, range.size(), range.base().value(), attributes_of(HostMemory::data) | ap1());
}

Status<HostError> HostMap::change(HostPhysRange range, HostMemory kind) {
    constexpr u64 kMask = index(7) | kReadOnly | kExecuteNever;
    return table_.change(range.base().value(), range.size(), kMask, attributes_of(kind) & kMask,
                         ChangeKind::memory_type);
}

void HostMap::unmap(HostPhysRange range) { table_.unmap(range.base().value(), range.size()); }

void HostMap::enable() {
    constexpr u64 kWalksCached = u64{3} << 12 | u64{1} << 10 | u64{1} << 8; // inner shareable, write-back
    constexpr u64 kT0sz = 64 - kGeometry.input_bits;
    constexpr u64 kOn = 1 | u64{1} << 2 | u64{1} << 12 | u64{1} << 3 | u64{1} << 19;                 // M, C, I, SA, WXN
    const u64 physical_size = std::min<u64>(bits_of(SEL4VM_READ_SYSREG(id_aa64mmfr0_el1), 3, 0), 5); // 48 bits
    dsb_sy();
    // SAFETY: everything that runs from here on is mapped at its own address; the caller mapped image, stack and tree.
    if (at_el2()) {
        asm volatile("tlbi alle2\n\tic iallu\n\tdsb nsh\n\tisb" ::: "memory");
        SEL4VM_WRITE_SYSREG(mair_el2, kMair);
        SEL4VM_WRITE_SYSREG(tcr_el2, u64{1} << 31 | u64{1} << 23 | physical_size << 16 | kWalksCached | kT0sz);
        SEL4VM_WRITE_SYSREG(ttbr0_el2, table_.root());
        isb();
        SEL4VM_WRITE_SYSREG(sctlr_el2, SEL4VM_READ_SYSREG(sctlr_el2) | kOn);
    } else {
        constexpr u64 kNoHighHalf = u64{1} << 23; // EPD1
        asm volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" ::: "memory");
        SEL4VM_WRITE_SYSREG(mair_el1, kMair);
        SEL4VM_WRITE_SYSREG(tcr_el1, physical_size << 32 | kNoHighHalf | kWalksCached | kT0sz);
        SEL4VM_WRITE_SYSREG(ttbr0_el1, table_.root());
        isb();
        SEL4VM_WRITE_SYSREG(sctlr_el1, SEL4VM_READ_SYSREG(sctlr_el1) | kOn);
    }
    isb();
}

// ---------------------------------------------------------------- TableMemory

u64 HostMap::allocate_tables(unsigned count) {
    const u64 bytes = count * kPageBytes;
    if (pages_ != nullptr) {
        if (const auto page = pages_->allocate(bytes, bytes)) {
            clear_memory(page->value(), bytes);
            return page->value();
        }
    }
    if (early_end_ - early_next_ < bytes)
        return 0;
    const u64 table = early_next_;
    early_next_ += bytes;
    return table;
}

void HostMap::free_tables(u64 base, unsigned count) {
    if (base >= early_base_ && base < early_end_)
        return; // part of the image
    pages_->free(HostPhys{base}, count * kPageBytes);
}

// SAFETY: tables are host pages at their own address; the walker reads them too, hence volatile and whole words.
u64 HostMap::load(u64 table, unsigned index) const { return reinterpret_cast<const volatile u64 *>(table)[index]; }
void HostMap::store(u64 table, unsigned index, u64 descriptor) {
    reinterpret_cast<volatile u64 *>(table)[index] = descriptor;
}

void HostMap::publish() {
    dsb_ishst();
    isb();
}

void HostMap::invalidate(u64 base, u64 size_bytes) {
    constexpr u64 kPageByPage = 64;
    dsb_ishst();
    if (!at_el2()) {
        asm volatile("tlbi vmalle1is" ::: "memory");
    } else if (size_bytes / kPageBytes > kPageByPage) {
        asm volatile("tlbi alle2is" ::: "memory");
    } else {
        for (u64 at = base; at < base + size_bytes; at += kPageBytes)
            asm volatile("tlbi vae2is, %0" ::"r"(at >> 12) : "memory");
    }
    dsb_ish();
    isb();
}

} // namespace sel4vm::el2
