// SPDX-License-Identifier: BSD-2-Clause
//
// Sources of the marks: Devicetree Specification, Linux Documentation/arch (arm, riscv, x86 boot protocols), POSIX cpio and
// pax, and the formats' own documentation; PE: Microsoft PE Format.
#include <sel4vm/boot/other_files.hpp>

#include <sel4vm/base/printable.hpp>
#include <sel4vm/boot/bytes.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace sel4vm::boot {
namespace {

using namespace std::string_view_literals;

/// Without pointers, which a program that runs anywhere has to adjust when it starts.
struct Mark {
    u16 at;
    u8 size_bytes;
    char bytes[9];
    char name[32];
};

constexpr Mark kMarks[] = {
    {0, 4, "\xd0\x0d\xfe\xed", "a device tree"},    {0, 6, "070701", "a cpio archive (an initrd)"},
    {0, 6, "070702", "a cpio archive (an initrd)"}, {257, 5, "ustar", "a tar archive"},
    {0, 8, "!<arch>\n", "an archive of files"},     {0, 4, "PK\x03\x04", "a zip archive"},
    {0, 8, "ANDROID!", "an Android boot image"},    {0, 4, "QFI\xfb", "a disk image (qcow2)"},
    {0, 4, "hsqs", "a file system (squashfs)"},     {36, 4, "\x18\x28\x6f\x01", "a 32-bit Arm kernel (zImage)"},
    {56, 4, "RSC\x05", "a RISC-V kernel"},          {514, 4, "HdrS", "an x86 kernel (bzImage)"},
};

bool has(std::span<const u8> head, usize at, std::string_view bytes) {
    if (!fits(head.size(), at, bytes.size()))
        return false;
    return std::memcmp(head.data() + at, bytes.data(), bytes.size()) == 0;
}

/// The machine that a program in the format of EFI and Windows is for.
std::optional<u16> pe_machine(std::span<const u8> head) {
    constexpr usize kHeaderOffsetAt = 60, kMachineAt = 4;
    if (!has(head, 0, "MZ"sv) || head.size() < kHeaderOffsetAt + 4)
        return std::nullopt;
    const u32 header = load_le<u32>(head, kHeaderOffsetAt);
    if (!fits(head.size(), header, kMachineAt + 2) || !has(head, header, "PE\0\0"sv))
        return std::nullopt;
    return load_le<u16>(head, header + kMachineAt);
}

/// Lines of characters. Among the first instructions of a program there are always bytes that no text has.
bool is_text(std::span<const u8> head) {
    constexpr usize kLooksAt = 1024, kLongestCharacter = 4;
    // SAFETY: bytes are looked at as characters.
    std::string_view text(reinterpret_cast<const char *>(head.data()), std::min(head.size(), kLooksAt));
    if (text.find('\n') == std::string_view::npos)
        return false;
    const bool cut = head.size() > kLooksAt; // perhaps in the middle of a character
    while (text.size() >= (cut ? kLongestCharacter : 1)) {
        const bool space = "\n\r\t\f"sv.find(text.front()) != std::string_view::npos;
        const usize size = space ? 1 : shown_bytes(text);
        if (size == 0)
            return false;
        text.remove_prefix(size);
    }
    return true;
}

} // namespace

Status<ImageError> refuse_other_files(std::span<const u8> head) {
    for (const Mark &mark : kMarks)
        if (has(head, mark.at, {mark.bytes, mark.size_bytes}))
            return Err{ImageError{ImageErrorKind::not_a_kernel, static_cast<u64>(&mark - kMarks), 0}};
    if (const auto machine = pe_machine(head))
        return Err{ImageError{ImageErrorKind::pe_program, *machine, 0}};
    if (is_text(head))
        return Err{ImageError{ImageErrorKind::text, 0, 0}};
    return Ok{};
}

std::string_view name_of_other_file(u64 found) {
    return found < std::size(kMarks) ? kMarks[found].name : "something else";
}

} // namespace sel4vm::boot
