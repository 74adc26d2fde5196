// SPDX-License-Identifier: BSD-2-Clause
//
// See image.hpp. Sources: Linux Documentation/arm64/booting.rst for the Image header, U-Boot include/image.h for the
// uImage header's layout; where QEMU 7.2 puts each was observed with its monitor's `info roms`.
#include <sel4vm/boot/image.hpp>

#include <sel4vm/base/bits.hpp>
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>
#include <sel4vm/boot/elf_image.hpp>
#include <sel4vm/boot/other_files.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace sel4vm::boot {
namespace {

using Kind = ImageErrorKind;

/// Where a binary without a header goes, and an Image of a kernel before 3.17, whose text_offset means nothing.
constexpr u64 kDefaultTextOffset = 0x8'0000;
/// QEMU keeps this much at the RAM base for its boot stub, and moves Images that would lie there up by 2 MiB.
constexpr u64 kStubBytes = 4 * kKiB;
constexpr u64 kMovedBy = 2 * kMiB;
/// Where a uImage that may run in place is put, header included.
constexpr u64 kNoloadOffset = 32 * kMiB;

// The arm64 Image header.
constexpr usize kTextOffsetAt = 8, kImageSizeAt = 16, kFlagsAt = 24, kMagicAt = 56, kImageHeaderBytes = 64;
constexpr u64 kFlagBigEndian = 1;

// The uImage header; big-endian.
constexpr usize kUHeaderCrcAt = 4, kUDataSizeAt = 12, kULoadAt = 16, kUEntryAt = 20, kUDataCrcAt = 24, kUOsAt = 28,
                kUArchAt = 29, kUTypeAt = 30, kUCompressionAt = 31, kUHeaderBytes = 64;
constexpr u8 kUArchArm64 = 22, kUOsLinux = 5, kUTypeKernel = 2, kUTypeRamdisk = 3, kUTypeKernelNoload = 14;

Err<ImageError> fail(Kind kind, u64 found = 0, u64 limit = 0) { return Err{ImageError{kind, found, limit}}; }

template <usize N>
bool has(std::span<const u8> file, usize offset, const char (&magic)[N]) {
    return fits(file.size(), offset, N - 1) && std::memcmp(file.data() + offset, magic, N - 1) == 0;
}

bool is_arm64_image(std::span<const u8> file) {
    return file.size() >= kImageHeaderBytes && has(file, kMagicAt, "ARM\x64");
}
bool is_uimage(std::span<const u8> file) { return file.size() >= kUHeaderBytes && has(file, 0, "\x27\x05\x19\x56"); }

/// As the header's own CRC is made: with zeroes in its place.
u32 uimage_header_crc(std::span<const u8> file) {
    std::array<u8, kUHeaderBytes> header{};
    std::copy_n(file.begin(), kUHeaderBytes, header.begin());
    std::fill_n(header.begin() + kUHeaderCrcAt, 4, u8{0});
    return crc32(header);
}

Status<ImageError> refuse_compressed(std::span<const u8> file) {
    if (has(file, 0, "\x1f\x8b"))
        return fail(Kind::gzip);
    if (has(file, 0,
            "\xfd"
            "7zXZ"))
        return fail(Kind::xz);
    if (has(file, 0, "\x28\xb5\x2f\xfd"))
        return fail(Kind::zstd);
    if (has(file, 0, "BZh"))
        return fail(Kind::bzip2);
    if (has(file, 0, "MZ") && has(file, 4, "zimg"))
        return fail(Kind::efi_zboot);
    return Ok{};
}

/// One segment, entered `entry_offset` bytes after its begin.
Result<KernelImage, ImageError> single(KernelFormat format, Gpa at, u64 file_offset, u64 file_bytes, u64 memory_bytes,
                                       u64 entry_offset) {
    if (!checked_add(at.value(), memory_bytes) || !checked_add(at.value(), entry_offset))
        return fail(Kind::segment_wraps, at.value());
    KernelImage image;
    image.format = format;
    image.entry = Gpa{at.value() + entry_offset};
    if (!is_aligned(image.entry.value(), 4))
        return fail(Kind::misaligned_entry, image.entry.value());
    (void)image.segments.emplace_back(Segment{at, file_offset, file_bytes, memory_bytes}); // the first always fits
    return image;
}

Result<KernelImage, ImageError> parse_arm64_image(const FileView &view, Gpa ram_base) {
    const std::span<const u8> file = view.head;
    const u64 image_size = load_le<u64>(file, kImageSizeAt);
    const u64 flags = load_le<u64>(file, kFlagsAt);
    if ((flags & kFlagBigEndian) != 0)
        return fail(Kind::big_endian);
    u64 offset = kDefaultTextOffset;
    if (image_size != 0) { // else an old kernel: neither text_offset nor the size can be relied on
        offset = load_le<u64>(file, kTextOffsetAt);
        if (offset < kStubBytes)
            offset += kMovedBy;
    }
    const auto at = checked_add(ram_base.value(), offset);
    if (!at)
        return fail(Kind::segment_wraps, offset);
    const u64 memory_bytes = image_size > view.file_bytes ? image_size : view.file_bytes;
    auto image = SEL4VM_TRY(single(KernelFormat::arm64_image, Gpa{*at}, 0, view.file_bytes, memory_bytes, 0));
    constexpr u32 kPageSizes[] = {0, 4096, 16384, 65536};
    image.page_bytes = kPageSizes[bits_of(flags, 2, 1)];
    return image;
}

Result<KernelImage, ImageError> parse_uimage(const FileView &view, Gpa ram_base) {
    const std::span<const u8> file = view.head;
    if (const u32 crc = uimage_header_crc(file), stated = load_be<u32>(file, kUHeaderCrcAt); crc != stated)
        return fail(Kind::uimage_header_crc, crc, stated);
    if (file[kUArchAt] != kUArchArm64)
        return fail(Kind::uimage_arch, file[kUArchAt]);
    const u8 type = file[kUTypeAt];
    if (type != kUTypeKernel && type != kUTypeKernelNoload)
        return fail(Kind::uimage_type, type);
    if (file[kUCompressionAt] != 0)
        return fail(Kind::compressed_uimage, file[kUCompressionAt]);
    const u64 size = load_be<u32>(file, kUDataSizeAt);
    if (size == 0)
        return fail(Kind::no_segments);
    if (!fits(view.file_bytes, kUHeaderBytes, size))
        return fail(Kind::truncated, view.file_bytes, kUHeaderBytes + size);

    u64 at = load_be<u32>(file, kULoadAt);
    u64 entry = load_be<u32>(file, kUEntryAt);
    if (type == kUTypeKernelNoload) {
        const auto placed = checked_add(ram_base.value(), kNoloadOffset + kUHeaderBytes);
        if (!placed || !checked_add(*placed, entry))
            return fail(Kind::segment_wraps, ram_base.value());
        at = *placed;
        entry += at;
    }
    if (entry < at || entry - at >= size)
        return fail(Kind::entry_outside, entry);
    auto image = SEL4VM_TRY(single(KernelFormat::uimage, Gpa{at}, kUHeaderBytes, size, size, entry - at));
    image.crc = load_be<u32>(file, kUDataCrcAt);
    if (file[kUOsAt] != kUOsLinux)
        image.protocol = BootProtocol::bare;
    return image;
}

} // namespace

std::string_view to_string(KernelFormat format) {
    switch (format) {
    case KernelFormat::arm64_image: return "arm64 Image";
    case KernelFormat::elf: return "ELF";
    case KernelFormat::uimage: return "uImage";
    case KernelFormat::raw: return "raw binary";
    }
    return "unknown";
}

Gpa KernelImage::lowest() const {
    Gpa lowest = segments[0].at;
    for (const Segment &segment : segments)
        lowest = segment.at < lowest ? segment.at : lowest;
    return lowest;
}

Gpa KernelImage::end() const {
    u64 end = 0;
    for (const Segment &segment : segments) {
        const u64 last = segment.at.value() + segment.memory_bytes; // checked when the segment was made
        end = last > end ? last : end;
    }
    return Gpa{end};
}

Text<128> describe(const ImageError &error) {
    Text<128> text;
    switch (error.kind) {
    case Kind::empty: return text << "is empty";
    case Kind::truncated: return text << "has " << error.found << " bytes but needs " << error.limit;
    case Kind::big_endian: return text << "is built for big-endian memory, which guests here do not start in";
    case Kind::gzip: return text << "is compressed with gzip";
    case Kind::xz: return text << "is compressed with xz; unpack it first";
    case Kind::zstd: return text << "is compressed with zstd; unpack it first";
    case Kind::bzip2: return text << "is compressed with bzip2; unpack it first";
    case Kind::efi_zboot:
        return text << "is an EFI program (zboot) with a compressed kernel inside; use the plain Image";
    case Kind::compressed_uimage:
        return text << "is a compressed uImage (method " << error.found << "); use it uncompressed";
    case Kind::uimage_type: return text << "is a uImage of type " << error.found << ", not a kernel";
    case Kind::uimage_arch:
        return text << "is a uImage for architecture " << error.found << ", not arm64 (" << u32{kUArchArm64} << ")";
    case Kind::uimage_header_crc: return text << "is a uImage with a damaged header: its checksum is wrong";
    case Kind::uimage_data_crc: return text << "is a damaged uImage: the checksum of its contents is wrong";
    case Kind::not_a_kernel: return text << "is " << name_of_other_file(error.found) << ", not a kernel for AArch64";
    case Kind::pe_program:
        return text << "is a PE program for machine " << Hex{error.found} << " without the header of an arm64 Image";
    case Kind::text: return text << "is a text file, not a kernel";
    case Kind::elf_class: return text << "is a 32-bit ELF file; guests here are AArch64";
    case Kind::elf_machine: return text << "is an ELF file for machine " << error.found << ", not AArch64 (183)";
    case Kind::elf_type:
        return text << "is an ELF file of type " << error.found << ", neither executable (2) nor shared (3)";
    case Kind::elf_header: return text << "has a damaged ELF header";
    case Kind::no_segments: return text << "has nothing to load";
    case Kind::too_many_segments: return text << "has more than " << error.limit << " segments to load";
    case Kind::segment_sizes:
        return text << "has a segment with " << error.found << " bytes in the file but " << error.limit << " in memory";
    case Kind::segment_wraps: return text << "has a segment at " << Hex{error.found} << " that ends beyond 64 bits";
    case Kind::segments_overlap: return text << "has two segments that overlap at " << Hex{error.found};
    case Kind::entry_outside: return text << "has its entry " << Hex{error.found} << " outside of what is loaded";
    case Kind::misaligned_entry: return text << "has its entry at " << Hex{error.found} << ", not a multiple of 4";
    }
    return text << "cannot be read";
}

Result<KernelImage, ImageError> parse_kernel(const FileView &view, Gpa ram_base) {
    const std::span<const u8> file = view.head;
    if (file.empty())
        return fail(Kind::empty);
    SEL4VM_TRY(refuse_compressed(file));
    if (is_elf(file))
        return parse_elf(view);
    if (is_uimage(file))
        return parse_uimage(view, ram_base);
    if (is_arm64_image(file))
        return parse_arm64_image(view, ram_base);
    SEL4VM_TRY(refuse_other_files(file));
    const auto at = checked_add(ram_base.value(), kDefaultTextOffset);
    if (!at)
        return fail(Kind::segment_wraps, ram_base.value());
    return single(KernelFormat::raw, Gpa{*at}, 0, view.file_bytes, view.file_bytes, 0);
}

Status<ImageError> check_contents(const KernelImage &kernel, std::span<const u8> file) {
    if (!kernel.crc)
        return Ok{};
    const Segment &contents = kernel.segments[0];
    if (!fits(file.size(), contents.file_offset, contents.file_bytes))
        return fail(Kind::truncated, file.size(), contents.file_offset + contents.file_bytes);
    const u32 crc = crc32(file.subspan(contents.file_offset, contents.file_bytes));
    if (crc != *kernel.crc)
        return fail(Kind::uimage_data_crc, crc, *kernel.crc);
    return Ok{};
}

FilePart find_initrd(const FileView &view) {
    const FilePart whole{0, view.file_bytes};
    const std::span<const u8> file = view.head;
    if (!is_uimage(file) || file[kUTypeAt] != kUTypeRamdisk)
        return whole;
    const u64 size = load_be<u32>(file, kUDataSizeAt);
    if (size == 0 || !fits(view.file_bytes, kUHeaderBytes, size))
        return whole; // damaged: hand it on as it is, as QEMU does
    return {kUHeaderBytes, size};
}

} // namespace sel4vm::boot
