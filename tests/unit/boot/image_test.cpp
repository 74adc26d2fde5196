// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/boot/elf_image.hpp>
#include <sel4vm/boot/image.hpp>
#include <sel4vm/boot/other_files.hpp>

#include <support/kernel_files.hpp>

#include <gtest/gtest.h>
#include <string>

namespace sel4vm::boot {
namespace {

using test::arm64_image;
using test::Bytes;
using test::elf;
using test::uimage;

constexpr Gpa kRam{0x4000'0000};

KernelImage parsed(const Bytes &file) {
    const auto image = parse_kernel(file, kRam);
    EXPECT_TRUE(image.has_value()) << describe(image.error()).view();
    return image ? *image : KernelImage{};
}

ImageError refused(const Bytes &file, Gpa ram_base = kRam) {
    const auto image = parse_kernel(file, ram_base);
    EXPECT_FALSE(image.has_value());
    return image ? ImageError{ImageErrorKind::empty, 99, 99} : image.error();
}

TEST(Arm64Image, IsPlacedWhereQemuPlacesIt) {
    struct Row {
        u64 text_offset, image_size, at, memory_bytes;
    };
    // The addresses were read from QEMU 7.2 (`info roms`) for the same headers.
    const Row rows[] = {
        {0, 0x10000, 0x4020'0000, 0x10000},     // below 4 KiB: moved up by 2 MiB
        {0x200, 0x10000, 0x4020'0200, 0x10000}, //
        {0xfff & ~u64{3}, 0x10000, 0x4020'0ffc, 0x10000},
        {0x1000, 0x10000, 0x4000'1000, 0x10000},
        {0x80000, 0x10000, 0x4008'0000, 0x10000},
        {0x123000, 0, 0x4008'0000, 4096},  // a kernel before 3.17: its text_offset counts for nothing
        {0x80000, 100, 0x4008'0000, 4096}, // an image_size below the file's
    };
    for (const Row &row : rows) {
        const KernelImage image = parsed(arm64_image(row.text_offset, row.image_size));
        EXPECT_EQ(image.format, KernelFormat::arm64_image);
        EXPECT_EQ(image.protocol, BootProtocol::linux_kernel);
        EXPECT_EQ(image.entry, Gpa{row.at});
        ASSERT_EQ(image.segments.size(), 1u);
        EXPECT_EQ(image.segments[0], (Segment{Gpa{row.at}, 0, 4096, row.memory_bytes}));
    }
}

TEST(Arm64Image, TellsItsPageSize) {
    EXPECT_EQ(parsed(arm64_image(0, 4096, 0)).page_bytes, 0u);
    EXPECT_EQ(parsed(arm64_image(0, 4096, 0xa)).page_bytes, 4096u);
    EXPECT_EQ(parsed(arm64_image(0, 4096, 0xc)).page_bytes, 16384u);
    EXPECT_EQ(parsed(arm64_image(0, 4096, 0x6)).page_bytes, 65536u);
}

TEST(Arm64Image, IsRefusedWhenBigEndian) {
    EXPECT_EQ(refused(arm64_image(0, 4096, 1)).kind, ImageErrorKind::big_endian);
}

TEST(Arm64Image, IsRefusedWhenItsPlaceWraps) {
    EXPECT_EQ(refused(arm64_image(~u64{0} - 0xfff, 4096)).kind, ImageErrorKind::segment_wraps);
    EXPECT_EQ(refused(arm64_image(0x80000, ~u64{0})).kind, ImageErrorKind::segment_wraps);
    EXPECT_EQ(refused(arm64_image(0x80001, 4096)).kind, ImageErrorKind::misaligned_entry);
}

TEST(RawBinary, IsPlacedAt512KiB) {
    Bytes file(100, 0xd5);
    const KernelImage image = parsed(file);
    EXPECT_EQ(image.format, KernelFormat::raw);
    EXPECT_EQ(image.protocol, BootProtocol::linux_kernel);
    EXPECT_EQ(image.entry, Gpa{0x4008'0000});
    EXPECT_EQ(image.segments[0], (Segment{Gpa{0x4008'0000}, 0, 100, 100}));
    EXPECT_EQ(refused(file, Gpa{~u64{0} - 0x7ffff}).kind, ImageErrorKind::segment_wraps);
}

TEST(RawBinary, MayBeShorterThanAnyHeader) {
    for (usize size = 1; size < 64; ++size)
        EXPECT_EQ(parsed(Bytes(size, 0x1f)).format, KernelFormat::raw) << size;
    EXPECT_EQ(refused({}).kind, ImageErrorKind::empty);
}

TEST(Elf, IsLoadedAtPhysicalAddressesAndEnteredThere) {
    const KernelImage image = parsed(elf(0xffff'0000'4020'0010, {{0x4020'0000, 0xffff'0000'4020'0000},
                                                                 {0x4030'0000, 0xffff'0000'4030'0000, 0, 0x5000, 0}}));
    EXPECT_EQ(image.format, KernelFormat::elf);
    EXPECT_EQ(image.protocol, BootProtocol::bare);
    EXPECT_EQ(image.entry, Gpa{0x4020'0010});
    ASSERT_EQ(image.segments.size(), 2u);
    EXPECT_EQ(image.segments[0], (Segment{Gpa{0x4020'0000}, 0x1000, 0x1000, 0x2000}));
    EXPECT_EQ(image.segments[1], (Segment{Gpa{0x4030'0000}, 0, 0, 0x5000}));
    EXPECT_EQ(image.lowest(), Gpa{0x4020'0000});
    EXPECT_EQ(image.end(), Gpa{0x4030'5000});
}

TEST(Elf, MayNameAnyPlaceForSegmentsWithoutBytes) {
    for (const u64 offset : {u64{0x3000}, u64{0x3001}, u64{1} << 40, ~u64{0}}) {
        const KernelImage image =
            parsed(elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}, {0x4010'0000, 0x4010'0000, 0, 0x5000, offset}}));
        ASSERT_EQ(image.segments.size(), 2u) << offset;
        EXPECT_EQ(image.segments[1], (Segment{Gpa{0x4010'0000}, 0, 0, 0x5000}));
    }
}

TEST(Elf, MayBeOfTypeDyn) { EXPECT_EQ(parsed(elf(0x10, {{0x4040'0000, 0}}, 3)).entry, Gpa{0x4040'0010}); }

TEST(Elf, IgnoresWhatIsNotLoaded) {
    const KernelImage image = parsed(elf(0x4008'0000, {{0x4008'0000, 0x4008'0000},
                                                       {0, 0, ~u64{0}, ~u64{0}, ~u64{0}, 4}, // PT_NOTE
                                                       {0, 0, 0, 0, ~u64{0}, 1}}));          // nothing in memory
    EXPECT_EQ(image.segments.size(), 1u);
}

TEST(Elf, IsRefusedForAnotherMachine) {
    const std::vector<test::ElfSegment> ok = {{0x4008'0000, 0x4008'0000}};
    EXPECT_EQ(refused(elf(0x4008'0000, ok, 2, 62)), (ImageError{ImageErrorKind::elf_machine, 62, 183}));
    EXPECT_EQ(refused(elf(0x4008'0000, ok, 1)).kind, ImageErrorKind::elf_type);
    EXPECT_EQ(refused(elf(0x4008'0000, ok, 4)).kind, ImageErrorKind::elf_type);
    Bytes narrow = elf(0x4008'0000, ok), big = narrow;
    narrow[4] = 1;
    EXPECT_EQ(refused(narrow).kind, ImageErrorKind::elf_class);
    big[5] = 2;
    EXPECT_EQ(refused(big).kind, ImageErrorKind::big_endian);
}

TEST(Elf, IsRefusedForImpossibleSegments) {
    const u64 top = ~u64{0};
    struct Row {
        test::ElfSegment segment;
        ImageErrorKind kind;
    };
    const Row rows[] = {
        {{0x4008'0000, 0x4008'0000, 0x2000, 0x1000}, ImageErrorKind::segment_sizes},
        {{0x4008'0000, 0x4008'0000, 0x1000, 0x1000, 0x2001}, ImageErrorKind::truncated},
        {{0x4008'0000, 0x4008'0000, 0x1000, 0x1000, top - 0xfff}, ImageErrorKind::truncated},
        {{0x4008'0000, 0x4008'0000, 0x1000, 0x1000, top}, ImageErrorKind::truncated},
        {{0x4008'0000, 0x4008'0000, top, top}, ImageErrorKind::truncated},
        {{top - 0xff, 0x4008'0000, 0x1000, 0x1000}, ImageErrorKind::segment_wraps},
        {{0x4008'0000, 0x4008'0000, 0x1000, top}, ImageErrorKind::segment_wraps},
    };
    for (const Row &row : rows)
        EXPECT_EQ(refused(elf(0x4008'0000, {row.segment})).kind, row.kind)
            << describe(refused(elf(0x4008'0000, {row.segment}))).view();
}

TEST(Elf, IsRefusedWhenSegmentsOverlap) {
    EXPECT_EQ(refused(elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}, {0x4008'1fff, 0x5000'0000}})),
              (ImageError{ImageErrorKind::segments_overlap, 0x4008'1fff, 0}));
    EXPECT_EQ(parsed(elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}, {0x4008'2000, 0x5000'0000}})).segments.size(), 2u);
}

TEST(Elf, IsEnteredInTheExecutableSegmentThatItsEntryIsLinkedIn) {
    constexpr u32 kReadOnly = 4;
    const test::ElfSegment code{0x4020'0000, 0x1000}, data{0x4040'0000, 0x1000, 0x1000, 0x2000, 0x1000, 1, kReadOnly};
    for (const u64 inside : {u64{0}, u64{0xffc}}) {
        EXPECT_EQ(parsed(elf(0x1000 + inside, {code, data})).entry, Gpa{0x4020'0000 + inside});
        EXPECT_EQ(parsed(elf(0x1000 + inside, {data, code})).entry, Gpa{0x4020'0000 + inside});
    }
    EXPECT_EQ(refused(elf(0x1000, {data})), (ImageError{ImageErrorKind::entry_outside, 0x1000, 0}));
    // Not before its bytes, nor behind them, where nothing but zeros are.
    for (const u64 entry : {u64{0xffc}, u64{0x2000}})
        EXPECT_EQ(refused(elf(entry, {code})), (ImageError{ImageErrorKind::entry_outside, entry, 0}));
    const test::ElfSegment next{0x4060'0000, 0x2000};
    EXPECT_EQ(parsed(elf(0x2000, {next, code})).entry, Gpa{0x4060'0000});
}

TEST(Elf, IsKnownByAllFourBytesOfItsMark) {
    const Bytes mark = {0x7f, 'E', 'L', 'F'};
    EXPECT_TRUE(is_elf(mark));
    for (usize size = 0; size < 4; ++size)
        EXPECT_FALSE(is_elf(std::span(mark).first(size))) << size;
    for (usize at = 0; at < 4; ++at) {
        Bytes other = mark;
        other[at] ^= 1;
        EXPECT_FALSE(is_elf(other)) << at;
    }
}

TEST(Elf, IsRefusedWhenItsEntryIsNotLoaded) {
    EXPECT_EQ(refused(elf(0x9000'0000, {{0x4008'0000, 0x4008'0000}})).kind, ImageErrorKind::entry_outside);
    EXPECT_EQ(refused(elf(0x4008'0002, {{0x4008'0000, 0x4008'0000}})).kind, ImageErrorKind::misaligned_entry);
}

TEST(Elf, IsRefusedWithTooManyOrNoSegments) {
    std::vector<test::ElfSegment> many;
    for (u64 i = 0; i <= kMaxSegments; ++i)
        many.push_back({0x4008'0000 + i * 0x10000, i * 0x10000});
    EXPECT_EQ(refused(elf(0, many)).kind, ImageErrorKind::too_many_segments);
    EXPECT_EQ(refused(elf(0, {})).kind, ImageErrorKind::no_segments);
    EXPECT_EQ(refused(elf(0, {{0, 0, 0, 0}})).kind, ImageErrorKind::no_segments);
}

TEST(Elf, IsRefusedWhenItsTablesLeaveTheFile) {
    Bytes file = elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}});
    for (const u64 table : {~u64{0}, ~u64{0} - 55, u64{0x3000} - 55, u64{0x3000}}) {
        store_le<u64>(file, 32, table);
        EXPECT_EQ(refused(file).kind, ImageErrorKind::truncated) << table;
    }
    file = elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}});
    store_le<u16>(file, 54, 8);
    EXPECT_EQ(refused(file).kind, ImageErrorKind::elf_header);
    store_le<u16>(file, 54, 0xffff);
    store_le<u16>(file, 56, 0xffff);
    EXPECT_EQ(refused(file).kind, ImageErrorKind::truncated);
}

TEST(Elf, NeverReadsBeyondATruncatedFile) {
    const Bytes whole = elf(0x4008'0000, {{0x4008'0000, 0x4008'0000}});
    for (usize size = 4; size < 0x1000 + 0x1000; size += size < 200 ? 1 : 101) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_EQ(refused(cut).kind, ImageErrorKind::truncated) << size;
    }
}

TEST(UImage, IsLoadedWhereItSays) {
    const KernelImage image = parsed(uimage(2, 0x4080'0000, 0x4080'0040));
    EXPECT_EQ(image.format, KernelFormat::uimage);
    EXPECT_EQ(image.protocol, BootProtocol::linux_kernel);
    EXPECT_EQ(image.entry, Gpa{0x4080'0040});
    EXPECT_EQ(image.segments[0], (Segment{Gpa{0x4080'0000}, 64, 4096, 4096}));
}

TEST(UImage, WithoutALoadAddressRunsAt32MiB) {
    const KernelImage image = parsed(uimage(14, 0, 0x40));
    EXPECT_EQ(image.entry, Gpa{0x4200'0080}); // as observed in QEMU 7.2
    EXPECT_EQ(image.segments[0].at, Gpa{0x4200'0040});
}

TEST(UImage, OfAnotherSystemGetsNoDeviceTreePointer) {
    EXPECT_EQ(parsed(uimage(2, 0x4080'0000, 0x4080'0000, 17)).protocol, BootProtocol::bare);
}

TEST(UImage, IsRefusedWhenItCannotBeRun) {
    EXPECT_EQ(refused(uimage(3, 0, 0)), (ImageError{ImageErrorKind::uimage_type, 3, 0}));
    EXPECT_EQ(refused(uimage(2, 0x4080'0000, 0x4080'0000, 5, 1)).kind, ImageErrorKind::compressed_uimage);
    EXPECT_EQ(refused(uimage(2, 0x4080'0000, 0x4080'1000)).kind, ImageErrorKind::entry_outside);
    EXPECT_EQ(refused(uimage(2, 0x4080'0000, 0x4000'0000)).kind, ImageErrorKind::entry_outside);
    EXPECT_EQ(refused(uimage(2, 0x4080'0000, 0x4080'0000, 5, 0, 0)).kind, ImageErrorKind::no_segments);
    Bytes file = uimage(2, 0x4080'0000, 0x4080'0000);
    file.pop_back();
    EXPECT_EQ(refused(file), (ImageError{ImageErrorKind::truncated, 64 + 4095, 64 + 4096}));
}

TEST(UImage, IsRefusedForAnotherArchitecture) {
    for (const u8 arch : {u8{0}, u8{2}, u8{3}, u8{24}, u8{26}}) { // 2: 32-bit Arm, 3: x86, 24: x86-64, 26: RISC-V
        Bytes file = uimage(2, 0x4080'0000, 0x4080'0040);
        file[29] = arch;
        test::seal_uimage(file);
        EXPECT_EQ(refused(file), (ImageError{ImageErrorKind::uimage_arch, arch, 0}));
    }
}

TEST(UImage, IsRefusedWhenItsHeaderIsDamaged) {
    const Bytes good = uimage(2, 0x4080'0000, 0x4080'0040);
    for (usize at = 4; at < 64; ++at) {
        Bytes file = good;
        file[at] ^= 0x10;
        EXPECT_EQ(refused(file).kind, ImageErrorKind::uimage_header_crc) << at;
    }
}

TEST(UImage, SaysWhichChecksumItsContentsHave) {
    const Bytes good = uimage(2, 0x4080'0000, 0x4080'0040);
    const KernelImage image = parsed(good);
    EXPECT_TRUE(check_contents(image, good));
    for (const usize at : {usize{64}, good.size() - 1}) {
        Bytes damaged = good;
        damaged[at] ^= 1;
        const auto checked = check_contents(parsed(damaged), damaged);
        ASSERT_FALSE(checked) << at;
        EXPECT_EQ(checked.error().kind, ImageErrorKind::uimage_data_crc);
        EXPECT_EQ(checked.error().limit, *image.crc);
    }
    EXPECT_EQ(check_contents(image, std::span(good).first(good.size() - 1)).error().kind, ImageErrorKind::truncated);
    const Bytes other = arm64_image(0, 4096);
    EXPECT_TRUE(check_contents(parsed(other), other)) << "other files do not say";
}

TEST(Initrd, IsUnwrappedFromARamdiskUImageOnly) {
    const Bytes wrapped = uimage(3, 0, 0, 5, 0, 500);
    EXPECT_EQ(initrd_contents(wrapped).data(), wrapped.data() + 64);
    EXPECT_EQ(initrd_contents(wrapped).size(), 500u);
    const Bytes kernel = uimage(2, 0, 0);
    EXPECT_EQ(initrd_contents(kernel).size(), kernel.size());
    Bytes damaged = wrapped;
    damaged.pop_back();
    EXPECT_EQ(initrd_contents(damaged).size(), damaged.size());
    EXPECT_TRUE(initrd_contents({}).empty());
}

TEST(CompressedKernel, IsRefusedByName) {
    struct Row {
        std::string start;
        ImageErrorKind kind;
        const char *name;
    };
    const Row rows[] = {{"\x1f\x8b\x08", ImageErrorKind::gzip, "gzip"},
                        {"\xfd"
                         "7zXZ",
                         ImageErrorKind::xz, "xz"},
                        {"\x28\xb5\x2f\xfd", ImageErrorKind::zstd, "zstd"},
                        {"BZh9", ImageErrorKind::bzip2, "bzip2"},
                        {std::string("MZ\0\0zimg", 8), ImageErrorKind::efi_zboot, "zboot"}};
    for (const Row &row : rows) {
        Bytes file(100);
        test::put_text(file, 0, row.start);
        const ImageError error = refused(file);
        EXPECT_EQ(error.kind, row.kind);
        EXPECT_NE(describe(error).view().find(row.name), std::string_view::npos) << describe(error).view();
    }
}

/// A file of `size` bytes that are no text, with these at `at`.
Bytes with_mark(usize at, std::string_view mark, usize size = 2048) {
    Bytes file(size, 0xd5);
    test::put_text(file, at, mark);
    return file;
}

TEST(AnotherFile, IsRefusedByName) {
    using namespace std::string_view_literals;
    struct Row {
        Bytes file;
        std::string_view sentence;
    };
    Bytes pe = with_mark(0, "MZ");
    boot::store_le<u32>(pe, 60, 0x80);
    test::put_text(pe, 0x80, "PE\0\0\x64\x86"sv);
    const Row rows[] = {
        {with_mark(0, "\xd0\x0d\xfe\xed"), "is a device tree, not a kernel for AArch64"},
        {with_mark(0, "070701"), "is a cpio archive (an initrd), not a kernel for AArch64"},
        {with_mark(257, "ustar"), "is a tar archive, not a kernel for AArch64"},
        {with_mark(0, "!<arch>\n"), "is an archive of files, not a kernel for AArch64"},
        {with_mark(0, "PK\x03\x04"), "is a zip archive, not a kernel for AArch64"},
        {with_mark(0, "ANDROID!"), "is an Android boot image, not a kernel for AArch64"},
        {with_mark(0, "QFI\xfb"), "is a disk image (qcow2), not a kernel for AArch64"},
        {with_mark(0, "hsqs"), "is a file system (squashfs), not a kernel for AArch64"},
        {with_mark(36, "\x18\x28\x6f\x01"), "is a 32-bit Arm kernel (zImage), not a kernel for AArch64"},
        {with_mark(56, "RSC\x05"), "is a RISC-V kernel, not a kernel for AArch64"},
        {with_mark(514, "HdrS"), "is an x86 kernel (bzImage), not a kernel for AArch64"},
        {pe, "is a PE program for machine 0x8664 without the header of an arm64 Image"},
    };
    for (const Row &row : rows) {
        EXPECT_EQ(describe(refused(row.file)).view(), row.sentence);
        // One byte less of each mark is a program like any other.
        const Bytes none(row.file.size(), 0xd5);
        EXPECT_EQ(parsed(none).format, KernelFormat::raw);
    }
}

TEST(AnotherFile, IsAPeProgramOnlyWithItsWholeMark) {
    using namespace std::string_view_literals;
    Bytes file = with_mark(0, "MZ", 0x200);
    boot::store_le<u32>(file, 60, 0x1fa);
    test::put_text(file, 0x1fa, "PE\0\0\x64\x86"sv); // the last six bytes
    EXPECT_EQ(refused(file), (ImageError{ImageErrorKind::pe_program, 0x8664, 0}));
    for (usize size = 0x1fa; size < 0x200; ++size)
        EXPECT_EQ(parsed(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))).format,
                  KernelFormat::raw);
    for (usize at = 0x1fa; at < 0x1fe; ++at) {
        Bytes other = file;
        other[at] ^= 1;
        EXPECT_EQ(parsed(other).format, KernelFormat::raw) << at;
    }
    for (const u32 offset : {u32{0x1fb}, u32{0x200}, ~u32{0}}) {
        boot::store_le<u32>(file, 60, offset);
        EXPECT_EQ(parsed(file).format, KernelFormat::raw) << offset;
    }
}

TEST(AnotherFile, HasANameForEachMarkAndForNoOther) {
    u64 marks = 0;
    while (name_of_other_file(marks) != "something else")
        EXPECT_GT(name_of_other_file(marks++).size(), 4u);
    EXPECT_GT(marks, 10u);
    for (const u64 none : {marks + 1, u64{1000}, ~u64{0}})
        EXPECT_EQ(name_of_other_file(none), "something else");
}

TEST(AnotherFile, IsNotSeenInsideAnArm64Image) {
    Bytes file = arm64_image(0x80000, 0x10000);
    test::put_text(file, 0, "MZ");
    boot::store_le<u32>(file, 60, 0x100);
    test::put_text(file, 0x100, std::string_view("PE\0\0\x64\xaa", 6));
    test::put_text(file, 514, "HdrS");
    EXPECT_EQ(parsed(file).format, KernelFormat::arm64_image);
}

TEST(AnotherFile, MayBeText) {
    const auto bytes = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
    for (const std::string_view text : {"#!/bin/sh\necho hello\n", "\n", "gr\xc3\xbc\xc3\x9f\r\n\tdich\n"})
        EXPECT_EQ(refused(bytes(text)).kind, ImageErrorKind::text) << text;
    std::string longer = "first line\n";
    while (longer.size() < 5000)
        longer += "\xe2\x82\xac";
    EXPECT_EQ(refused(bytes(longer)).kind, ImageErrorKind::text) << "cut in the middle of a character";
    EXPECT_EQ(parsed(bytes("no lines")).format, KernelFormat::raw);
    EXPECT_EQ(parsed(bytes("a line\n\x80")).format, KernelFormat::raw);
    EXPECT_EQ(parsed(bytes(std::string_view("a line\n\0\0", 9))).format, KernelFormat::raw);
}

TEST(ImageError, HasASentenceForEachKind) {
    for (int kind = 0; kind <= static_cast<int>(ImageErrorKind::misaligned_entry); ++kind) {
        const auto text = describe(ImageError{static_cast<ImageErrorKind>(kind), ~u64{0}, ~u64{0}});
        EXPECT_GT(text.view().size(), 5u);
        EXPECT_EQ(text.view().find('~'), std::string_view::npos) << text.view(); // not cut
        EXPECT_EQ(text.view().find("cannot be read"), std::string_view::npos) << kind;
    }
}

} // namespace
} // namespace sel4vm::boot
