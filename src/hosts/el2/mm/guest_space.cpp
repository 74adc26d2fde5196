// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/mm/guest_space.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/mm/cache.hpp>

#include <sel4vm/base/bits.hpp>

#include <algorithm>
#include <bit>

namespace sel4vm::el2 {
namespace {

// Stage 2 leaf attributes, VMSAv8-64.
constexpr u64 kNormal = u64{0xf} << 2 | u64{3} << 8; // write-back, inner shareable
constexpr u64 kDevice = u64{0x1} << 2;               // nGnRE
constexpr u64 kRead = u64{1} << 6;
constexpr u64 kWrite = u64{1} << 7;
constexpr u64 kAccessed = u64{1} << 10;
constexpr u64 kExecuteNever = u64{1} << 54;
constexpr u64 kNotRam = u64{1} << 55; // a bit for software
constexpr u64 kProtectionMask = kRead | kWrite | kExecuteNever;

constexpr u64 protection_bits(Protection protection) {
    switch (protection) {
    case Protection::read_only: return kRead | kExecuteNever;
    case Protection::read_write: return kRead | kWrite | kExecuteNever;
    case Protection::read_execute: return kRead;
    case Protection::read_write_execute: return kRead | kWrite;
    }
    return kExecuteNever;
}

bool is_whole_pages(GpaRange at) { return at.is_aligned_to(kPageBytes); }

/// Stage 2 maintenance applies to the VMID that is loaded: this loads one and puts the other back.
class LoadedSpace {
public:
    explicit LoadedSpace(u64 vttbr) : before_(SEL4VM_READ_SYSREG(vttbr_el2)) {
        SEL4VM_WRITE_SYSREG(vttbr_el2, vttbr);
        isb();
    }
    ~LoadedSpace() {
        SEL4VM_WRITE_SYSREG(vttbr_el2, before_);
        isb();
    }
    LoadedSpace(const LoadedSpace &) = delete;
    LoadedSpace &operator=(const LoadedSpace &) = delete;

private:
    u64 before_;
};

void invalidate_all_of_loaded() { asm volatile("tlbi vmalls12e1is\n\tdsb ish\n\tisb" ::: "memory"); }

} // namespace

Stage2Config Stage2Config::of_this_cpu() {
    // PARange 0 to 6; 52 bits need the other granules.
    constexpr std::array<u8, 7> kBits{32, 36, 40, 42, 44, 48, 48};
    const u64 range = std::min<u64>(bits_of(SEL4VM_READ_SYSREG(id_aa64mmfr0_el1), 3, 0), 6);
    // 40 bits are what guests' maps are made for, and keep the walk at three levels with two start tables.
    const u8 address_bits = std::min<u8>(kBits[range], 40);
    constexpr u64 kReserved1 = u64{1} << 31;
    constexpr u64 kWalksCached = u64{3} << 12 | u64{1} << 10 | u64{1} << 8;
    constexpr u64 kStartAtLevel1 = u64{1} << 6;
    const u64 control =
        kReserved1 | std::min<u64>(range, 5) << 16 | kWalksCached | kStartAtLevel1 | (u64{64} - address_bits);
    return {control, address_bits, 1};
}

u8 VmidPool::allocate() {
    for (usize word = 0; word < used_.size(); ++word) {
        const auto free_bit = static_cast<unsigned>(std::countr_one(used_[word]));
        if (free_bit == 64)
            continue;
        used_[word] |= bit(free_bit);
        return static_cast<u8>(64 * word + free_bit);
    }
    return 0;
}

void VmidPool::free(u8 vmid) {
    SEL4VM_ASSERT(vmid != 0 && (used_[vmid / 64] & bit(vmid % 64)) != 0);
    used_[vmid / 64] &= ~bit(vmid % 64);
}

GuestSpace::GuestSpace(PageAllocator &pages, VmidPool &vmids, const Stage2Config &config)
    : pages_(pages), vmids_(vmids), config_(config),
      table_(*this, {.start_level = config.start_level, .input_bits = config.address_bits}) {}

Status<HostError> GuestSpace::create() {
    SEL4VM_ASSERT(vmid_ == 0);
    const u8 vmid = vmids_.allocate();
    if (vmid == 0)
        return Err{HostError{HostErrorKind::out_of_memory}};
    if (auto done = table_.create(); !done) {
        vmids_.free(vmid);
        return done;
    }
    vmid_ = vmid;
    // Whatever translations the VMID's last owner, or the firmware, left behind.
    const LoadedSpace loaded(translation_base());
    invalidate_all_of_loaded();
    return Ok{};
}

GuestSpace::~GuestSpace() {
    if (vmid_ == 0)
        return;
    {
        const LoadedSpace loaded(translation_base());
        invalidate_all_of_loaded();
    }
    table_.destroy();
    vmids_.free(vmid_);
}

Result<RamBlock, HostError> GuestSpace::allocate_ram(u64 size_bytes, u64 alignment, Clearing clearing) {
    return pages_.allocate_ram(size_bytes, alignment, clearing);
}

void GuestSpace::free_ram(const RamBlock &block) { pages_.free_ram(block); }

Status<HostError> GuestSpace::map_ram(GpaRange at, const RamBlock &block, u64 offset, Protection protection) {
    if (!is_whole_pages(at) || !is_aligned(offset, kPageBytes) || offset > block.size_bytes ||
        at.size() > block.size_bytes - offset)
        return Err{HostError{HostErrorKind::invalid}};
    return table_.map(at.base().value(), at.size(), block.phys.value() + offset,
                      kNormal | kAccessed | protection_bits(protection));
}

Status<HostError> GuestSpace::map_device(GpaRange at, HostPhys phys) {
    return table_.map(at.base().value(), at.size(), phys.value(),
                      kDevice | kAccessed | kNotRam | protection_bits(Protection::read_write));
}

Status<HostError> GuestSpace::protect(GpaRange at, Protection protection) {
    return table_.change(at.base().value(), at.size(), kProtectionMask, protection_bits(protection),
                         ChangeKind::permissions);
}

void GuestSpace::unmap(GpaRange at) { table_.unmap(at.base().value(), at.size()); }

Status<HostError> GuestSpace::reserve_tables(GpaRange at) { return table_.reserve(at.base().value(), at.size()); }

void GuestSpace::clean_to_guest(const RamBlock &block, u64 offset, u64 size_bytes) {
    SEL4VM_ASSERT(offset <= block.size_bytes && size_bytes <= block.size_bytes - offset);
    if (size_bytes == 0)
        return;
    clean_to_memory(block.phys.value() + offset, size_bytes);
    drop_instructions();
}

u64 GuestSpace::translation_base() const { return table_.root() | u64{vmid_} << 48; }

const volatile u8 *GuestSpace::ram_at(Gpa at, u64 size_bytes) const {
    if (size_bytes == 0 || size_bytes > kPageBytes - at.value() % kPageBytes)
        return nullptr;
    const auto leaf = table_.lookup(at.value());
    if (!leaf || (leaf->attributes & kNotRam) != 0)
        return nullptr;
    // SAFETY: RAM of a guest is mapped at its own address in the host.
    return reinterpret_cast<const volatile u8 *>(leaf->output);
}

std::optional<HostPhys> GuestSpace::translate(Gpa at) const {
    const auto leaf = table_.lookup(at.value());
    return leaf ? std::optional{HostPhys{leaf->output}} : std::nullopt;
}

// ---------------------------------------------------------------- TableMemory

u64 GuestSpace::allocate_tables(unsigned count) {
    const auto page = pages_.allocate(count * kPageBytes, count * kPageBytes);
    if (!page)
        return 0;
    clear_memory(page->value(), count * kPageBytes);
    return page->value();
}

void GuestSpace::free_tables(u64 base, unsigned count) { pages_.free(HostPhys{base}, count * kPageBytes); }

// SAFETY: tables are host pages at their own address; the walker reads them too, hence volatile and whole words.
u64 GuestSpace::load(u64 table, unsigned index) const { return reinterpret_cast<const volatile u64 *>(table)[index]; }
void GuestSpace::store(u64 table, unsigned index, u64 descriptor) {
    reinterpret_cast<volatile u64 *>(table)[index] = descriptor;
}

void GuestSpace::publish() {
    dsb_ishst();
    isb();
}

void GuestSpace::invalidate(u64 base, u64 size_bytes) {
    constexpr u64 kPageByPage = 64;
    dsb_ishst();
    const LoadedSpace loaded(translation_base());
    if (size_bytes / kPageBytes > kPageByPage) {
        invalidate_all_of_loaded();
        return;
    }
    for (u64 at = base; at < base + size_bytes; at += kPageBytes)
        asm volatile("tlbi ipas2e1is, %0" ::"r"(at >> 12) : "memory");
    dsb_ish();
    asm volatile("tlbi vmalle1is" ::: "memory"); // combined entries are tagged with virtual addresses only
    dsb_ish();
    isb();
}

} // namespace sel4vm::el2
