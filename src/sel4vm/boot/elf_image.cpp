// SPDX-License-Identifier: BSD-2-Clause
//
// ELF64 for AArch64 by its program headers: PT_LOAD segments at their physical addresses. Sections, symbols,
// relocations and the dynamic section are not looked at. Source: System V ABI, chapters 4 and 5.
#include <sel4vm/boot/elf_image.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>

namespace sel4vm::boot {
namespace {

using Kind = ImageErrorKind;

// e_ident and the ELF header.
constexpr usize kIdentClass = 4, kIdentData = 5;
constexpr u8 kClass64 = 2, kDataBig = 2;
constexpr usize kTypeAt = 16, kMachineAt = 18, kEntryAt = 24, kPhoffAt = 32, kPhentsizeAt = 54, kPhnumAt = 56;
constexpr usize kHeaderBytes = 64;
constexpr u16 kTypeExec = 2, kTypeDyn = 3, kMachineAarch64 = 183;

// A program header.
constexpr usize kPTypeAt = 0, kPFlagsAt = 4, kPOffsetAt = 8, kPVaddrAt = 16, kPPaddrAt = 24, kPFileszAt = 32,
                kPMemszAt = 40;
constexpr usize kPhdrBytes = 56;
constexpr u32 kPtLoad = 1, kPfExecute = 1;

Err<ImageError> fail(Kind kind, u64 found = 0, u64 limit = 0) { return Err{ImageError{kind, found, limit}}; }

bool overlaps(const Segment &a, const Segment &b) {
    return a.at.value() < b.at.value() + b.memory_bytes && b.at.value() < a.at.value() + a.memory_bytes;
}

Status<ImageError> add_segment(KernelImage &image, const Segment &segment) {
    for (const Segment &other : image.segments)
        if (overlaps(segment, other))
            return fail(Kind::segments_overlap, segment.at > other.at ? segment.at.value() : other.at.value());
    if (image.segments.emplace_back(segment) == nullptr)
        return fail(Kind::too_many_segments, 0, kMaxSegments);
    return Ok{};
}

bool inside_any_segment(const KernelImage &image, u64 address) {
    for (const Segment &segment : image.segments)
        if (address >= segment.at.value() && address - segment.at.value() < segment.memory_bytes)
            return true;
    return false;
}

} // namespace

bool is_elf(std::span<const u8> file) {
    return file.size() >= 4 && file[0] == 0x7f && file[1] == 'E' && file[2] == 'L' && file[3] == 'F';
}

Result<KernelImage, ImageError> parse_elf(const FileView &view) {
    const std::span<const u8> file = view.head;
    if (file.size() < kHeaderBytes)
        return fail(Kind::truncated, file.size(), kHeaderBytes);
    if (file[kIdentClass] != kClass64)
        return fail(Kind::elf_class);
    if (file[kIdentData] == kDataBig)
        return fail(Kind::big_endian);
    if (const u16 machine = load_le<u16>(file, kMachineAt); machine != kMachineAarch64)
        return fail(Kind::elf_machine, machine, kMachineAarch64);
    if (const u16 type = load_le<u16>(file, kTypeAt); type != kTypeExec && type != kTypeDyn)
        return fail(Kind::elf_type, type);

    const u64 table = load_le<u64>(file, kPhoffAt);
    const u16 count = load_le<u16>(file, kPhnumAt);
    const u16 step = load_le<u16>(file, kPhentsizeAt);
    if (count == 0)
        return fail(Kind::no_segments);
    if (step < kPhdrBytes)
        return fail(Kind::elf_header, step, kPhdrBytes);
    if (!fits(file.size(), table, u64{count} * step))
        return fail(Kind::truncated, file.size(), checked_add(table, u64{count} * step).value_or(~u64{0}));

    KernelImage image;
    image.format = KernelFormat::elf;
    image.protocol = BootProtocol::bare;
    const u64 linked_entry = load_le<u64>(file, kEntryAt);
    u64 entry = linked_entry;
    for (u16 i = 0; i < count; ++i) {
        const auto header = file.subspan(table + u64{i} * step, kPhdrBytes);
        const u64 memory_bytes = load_le<u64>(header, kPMemszAt);
        if (load_le<u32>(header, kPTypeAt) != kPtLoad || memory_bytes == 0)
            continue;
        const u64 physical = load_le<u64>(header, kPPaddrAt);
        const u64 linked = load_le<u64>(header, kPVaddrAt);
        const u64 offset = load_le<u64>(header, kPOffsetAt);
        const u64 file_bytes = load_le<u64>(header, kPFileszAt);
        if (file_bytes > memory_bytes)
            return fail(Kind::segment_sizes, file_bytes, memory_bytes);
        if (file_bytes != 0 && !fits(view.file_bytes, offset, file_bytes)) // the offset of nothing does not matter
            return fail(Kind::truncated, view.file_bytes, checked_add(offset, file_bytes).value_or(~u64{0}));
        if (!checked_add(physical, memory_bytes))
            return fail(Kind::segment_wraps, physical);
        SEL4VM_TRY(add_segment(image, {Gpa{physical}, file_bytes == 0 ? 0 : offset, file_bytes, memory_bytes}));
        // The entry is an address as linked; execution begins with the MMU off.
        const bool executable = (load_le<u32>(header, kPFlagsAt) & kPfExecute) != 0;
        if (executable && linked_entry >= linked && linked_entry - linked < file_bytes)
            entry = physical + (linked_entry - linked);
    }
    if (image.segments.empty())
        return fail(Kind::no_segments);
    if (!inside_any_segment(image, entry))
        return fail(Kind::entry_outside, entry);
    if (!is_aligned(entry, 4))
        return fail(Kind::misaligned_entry, entry);
    image.entry = Gpa{entry};
    return image;
}

} // namespace sel4vm::boot
