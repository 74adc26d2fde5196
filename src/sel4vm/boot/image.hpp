// SPDX-License-Identifier: BSD-2-Clause
//
// Recognises what a user gives as a kernel and says which bytes go where: arm64 Image, ELF64, U-Boot's uImage, or a raw
// binary for everything else, at the addresses that QEMU's `virt` board uses (docs/booting.md). Compressed files are
// recognised in order to be refused by name; the workstation tool unpacks gzip before it gets here.
// What can only be something else (a device tree, a text, a kernel of another architecture) is refused by name, too, where QEMU
// would run it as a raw binary. Nothing in a file is believed: offsets, sizes and sums are checked, and a result never points
// outside the file.
#pragma once

#include <sel4vm/base/fixed_vector.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/base/result.hpp>
#include <sel4vm/base/text.hpp>
#include <sel4vm/base/types.hpp>

#include <optional>
#include <span>
#include <string_view>

namespace sel4vm::boot {

inline constexpr usize kMaxSegments = 16;

enum class KernelFormat : u8 { arm64_image, elf, uimage, raw };
[[nodiscard]] std::string_view to_string(KernelFormat format);

/// What the boot vCPU finds in its registers.
enum class BootProtocol : u8 {
    linux_kernel, ///< x0 = device tree, x1 to x3 = 0
    bare,         ///< x0 to x3 = 0; the device tree is at the RAM base if it fits there
};

/// `file_bytes` bytes from `file_offset` are copied to `at`; the rest up to `memory_bytes` is zero or the kernel's own.
struct Segment {
    Gpa at;
    u64 file_offset = 0;
    u64 file_bytes = 0;
    u64 memory_bytes = 0; ///< at least file_bytes, at least 1; at + memory_bytes does not wrap
    friend constexpr bool operator==(const Segment &, const Segment &) = default;
};

struct KernelImage {
    KernelFormat format = KernelFormat::raw;
    BootProtocol protocol = BootProtocol::linux_kernel;
    Gpa entry;
    /// The page size that an arm64 Image says it was built for; 0 = it does not say.
    u32 page_bytes = 0;
    /// The CRC-32 that a uImage says its only segment has: check_contents().
    std::optional<u32> crc;
    FixedVector<Segment, kMaxSegments> segments; ///< at least one, none overlapping another

    [[nodiscard]] Gpa lowest() const;
    /// One past the last byte of the highest segment.
    [[nodiscard]] Gpa end() const;
};

enum class ImageErrorKind : u8 {
    empty,
    truncated,  ///< `found` bytes, `limit` needed
    big_endian, ///< built for big-endian memory
    gzip,
    xz,
    zstd,
    bzip2,
    efi_zboot,         ///< an EFI program that unpacks the kernel in it
    compressed_uimage, ///< `found`: the header's compression number
    uimage_type,       ///< `found`: the header's image type, not a kernel
    uimage_arch,       ///< `found`: the header's architecture, not arm64
    uimage_header_crc, ///< the header has CRC-32 `found` instead of `limit`
    uimage_data_crc,   ///< the contents have CRC-32 `found` instead of `limit`
    not_a_kernel,      ///< another kind of file: `found` is a number of ours for it
    pe_program,        ///< an EFI or Windows program for machine `found`, without the header of an arm64 Image
    text,              ///< text that people read
    elf_class,         ///< a 32-bit ELF file
    elf_machine,       ///< `found`: e_machine, not AArch64
    elf_type,          ///< `found`: e_type, neither EXEC nor DYN
    elf_header,        ///< impossible sizes in the header
    no_segments,       ///< nothing to load
    too_many_segments, ///< `limit` are supported
    segment_sizes,     ///< a segment with more bytes in the file (`found`) than in memory (`limit`)
    segment_wraps,     ///< a segment at `found` whose end is beyond 64 bits
    segments_overlap,  ///< two segments share `found`
    entry_outside,     ///< the entry `found` lies in no segment
    misaligned_entry,  ///< the entry `found` is not a multiple of 4
};

struct ImageError {
    ImageErrorKind kind;
    u64 found = 0;
    u64 limit = 0;
    friend constexpr bool operator==(const ImageError &, const ImageError &) = default;
};
/// Worded to follow the name of the file.
[[nodiscard]] Text<128> describe(const ImageError &error);

/// What is known of a file: how it begins, and how long it is. All headers lie in the beginning: 64 bytes, and for ELF
/// files the program headers. Other kinds of files are recognised by their first kilobyte.
struct FileView {
    std::span<const u8> head; ///< at most `file_bytes`
    u64 file_bytes = 0;
};

/// `ram_base`: where RAM begins; arm64 Images, raw binaries and some uImages are placed relative to it.
[[nodiscard]] Result<KernelImage, ImageError> parse_kernel(const FileView &file, Gpa ram_base);
[[nodiscard]] inline Result<KernelImage, ImageError> parse_kernel(std::span<const u8> file, Gpa ram_base) {
    return parse_kernel(FileView{file, file.size()}, ram_base);
}

/// Whether the contents are what the file says they are. For a whole file: what is behind `head` cannot be checked here.
[[nodiscard]] Status<ImageError> check_contents(const KernelImage &kernel, std::span<const u8> file);

/// A part of a file, in bytes.
struct FilePart {
    u64 offset = 0;
    u64 size_bytes = 0;
    friend constexpr bool operator==(const FilePart &, const FilePart &) = default;
};
/// Where the bytes of an initial RAM disk are: the whole file, or what is inside when it is wrapped as a uImage of type RAM disk.
[[nodiscard]] FilePart find_initrd(const FileView &file);
[[nodiscard]] inline std::span<const u8> initrd_contents(std::span<const u8> file) {
    const FilePart part = find_initrd({file, file.size()});
    return file.subspan(part.offset, part.size_bytes);
}

} // namespace sel4vm::boot
