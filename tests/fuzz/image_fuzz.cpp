// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a kernel: a refusal with a sentence, or segments inside the file that do not overlap and that can be
// placed without kernel, initrd and device tree getting into each other's way. The first bytes choose memory and initrd.
#include <sel4vm/boot/bytes.hpp>
#include <sel4vm/boot/crc32.hpp>
#include <sel4vm/boot/layout.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <vector>

using namespace sel4vm;

namespace {

void require(bool condition) {
    if (!condition)
        std::abort();
}

void check_segments(const boot::KernelImage &kernel, u64 file_bytes) {
    require(!kernel.segments.empty());
    for (const boot::Segment &a : kernel.segments) {
        require(boot::fits(file_bytes, a.file_offset, a.file_bytes));
        require(a.memory_bytes > 0 && a.memory_bytes >= a.file_bytes);
        const auto range = GpaRange::make(a.at, a.memory_bytes);
        require(range.has_value());
        for (const boot::Segment &b : kernel.segments)
            require(&a == &b || !range->overlaps(*GpaRange::make(b.at, b.memory_bytes)));
    }
    require(kernel.entry.value() % 4 == 0);
}

void check_layout(const boot::KernelImage &kernel, const boot::Layout &layout, const boot::LayoutRequest &request,
                  u64 dtb_bytes) {
    const GpaRange &ram = request.memory[0];
    const auto touches_kernel = [&](const GpaRange &range) {
        for (const boot::Segment &segment : kernel.segments)
            if (range.overlaps(*GpaRange::make(segment.at, segment.memory_bytes)))
                return true;
        return false;
    };
    if (layout.initrd) {
        require(ram.contains(*layout.initrd));
        require(!touches_kernel(*layout.initrd));
    }
    const auto accepted = boot::accepts_dtb(layout, request, dtb_bytes);
    if (!accepted || !*accepted)
        return;
    const auto dtb = GpaRange::make(layout.dtb.at, dtb_bytes);
    require(dtb.has_value());
    require(layout.dtb.outside_ram || ram.contains(*dtb));
    require(!layout.initrd || !dtb->overlaps(*layout.initrd));
    require(!touches_kernel(*dtb));
}

/// With the checksum of a uImage's header made right, which no chance would.
std::vector<u8> sealed(std::span<const u8> file) {
    std::vector<u8> out(file.begin(), file.end());
    constexpr u8 kMagic[] = {0x27, 0x05, 0x19, 0x56};
    if (out.size() < 64 || !std::equal(std::begin(kMagic), std::end(kMagic), out.begin()))
        return out;
    std::fill_n(out.begin() + 4, 4, u8{0});
    const u32 crc = boot::crc32(std::span(out).first(64));
    for (usize i = 0; i < 4; ++i)
        out[4 + i] = static_cast<u8>(crc >> (24 - 8 * i));
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    std::span<const u8> file(data, size);
    if (file.size() < 4)
        return 0;
    // 4 KiB to 512 MiB of RAM, in one or two regions; an initrd of up to 64 MiB.
    const u64 ram_bytes = u64{4096} << (file[0] % 18);
    const u64 initrd_bytes = (u64{file[1]} << 18) + file[2];
    const bool two = (file[3] & 1) != 0;
    const std::vector<u8> contents = sealed(file.subspan(4));
    file = contents;

    constexpr Gpa kRam{0x4000'0000};
    const auto kernel = boot::parse_kernel(file, kRam);
    if (!kernel) {
        require(!boot::describe(kernel.error()).view().empty());
        return 0;
    }
    check_segments(*kernel, file.size());
    static_cast<void>(boot::check_contents(*kernel, file));

    const std::array<GpaRange, 2> memory = {*GpaRange::make(kRam, ram_bytes),
                                            *GpaRange::make(Gpa{0x1'0000'0000}, ram_bytes)};
    const boot::LayoutRequest request{std::span(memory).first(two ? 2 : 1), &*kernel, Gpa{}, initrd_bytes, {}};
    const auto layout = boot::plan_layout(request);
    if (!layout)
        require(!boot::describe(layout.error()).view().empty());
    else
        check_layout(*kernel, *layout, request, 4096 + (u64{data[3]} << 12));
    return 0;
}
