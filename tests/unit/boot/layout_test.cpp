// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/boot/layout.hpp>

#include <support/kernel_files.hpp>

#include <gtest/gtest.h>
#include <vector>

namespace sel4vm::boot {
namespace {

using test::Bytes;

constexpr u64 kBase = 0x4000'0000;
GpaRange range(u64 base, u64 size) { return *GpaRange::make(Gpa{base}, size); }

/// A request that owns what it refers to.
struct Case {
    Case(const Bytes &file, u64 ram_bytes, u64 initrd = 0) : memory{range(kBase, ram_bytes)}, initrd_bytes(initrd) {
        auto parsed = parse_kernel(file, Gpa{kBase});
        EXPECT_TRUE(parsed.has_value());
        kernel = *parsed;
    }
    LayoutRequest request() const { return {memory, &kernel, Gpa{}, initrd_bytes, occupied}; }
    std::vector<GpaRange> memory;
    KernelImage kernel;
    u64 initrd_bytes;
    std::vector<GpaRange> occupied;
};

Layout planned(const Case &c) {
    const auto layout = plan_layout(c.request());
    EXPECT_TRUE(layout.has_value()) << describe(layout.error()).view();
    return layout ? *layout : Layout{};
}

LayoutError refused(const Case &c) {
    const auto layout = plan_layout(c.request());
    EXPECT_FALSE(layout.has_value());
    return layout ? LayoutError{LayoutErrorKind::no_memory, Gpa{}} : layout.error();
}

const Bytes kRaw(4096, 0x20);

TEST(Layout, PutsInitrdAndDeviceTreeWhereQemuPutsThem) {
    struct Row {
        Bytes file;
        u64 ram, initrd, entry, initrd_at, dtb_at;
    };
    // Read from QEMU 7.2's monitor for the same files and memory sizes.
    const Row rows[] = {
        {test::arm64_image(0, 0x10000), 512 * kMiB, 6000, 0x4020'0000, 0x4800'0000, 0x4820'0000},
        {test::arm64_image(0x80000, 0x10000), 512 * kMiB, 6000, 0x4008'0000, 0x4800'0000, 0x4820'0000},
        {test::arm64_image(0x123000, 0), 512 * kMiB, 0, 0x4008'0000, 0, 0x4800'0000},
        {test::arm64_image(0, 200 * kMiB), 512 * kMiB, 6000, 0x4020'0000, 0x4ca0'0000, 0x4cc0'0000},
        {kRaw, 64 * kMiB, 6000, 0x4008'0000, 0x4200'0000, 0x4220'0000},
        {test::uimage(2, 0x4080'0000, 0x4080'0040), 512 * kMiB, 5000, 0x4080'0040, 0x4800'0000, 0x4820'0000},
        {test::uimage(14, 0, 0x40), 512 * kMiB, 6000, 0x4200'0080, 0x4800'0000, 0x4820'0000},
    };
    for (const Row &row : rows) {
        const Case c(row.file, row.ram, row.initrd);
        const Layout layout = planned(c);
        EXPECT_EQ(layout.entry, Gpa{row.entry});
        EXPECT_EQ(layout.argument, row.dtb_at);
        EXPECT_EQ(layout.initrd.has_value(), row.initrd != 0);
        if (layout.initrd) {
            EXPECT_EQ(*layout.initrd, range(row.initrd_at, row.initrd));
        }
        EXPECT_EQ(layout.dtb, (DtbPlace{Gpa{row.dtb_at}, kBase + row.ram - row.dtb_at, false, false}));
        EXPECT_TRUE(*accepts_dtb(layout, c.request(), 64 * kKiB));
    }
}

TEST(Layout, GivesAnElfNoPointerAndTheDeviceTreeAtTheRamBase) {
    const Case c(test::elf(0x4020'0000, {{0x4020'0000, 0x4020'0000}}), 512 * kMiB);
    const Layout layout = planned(c);
    EXPECT_EQ(layout.argument, 0u);
    EXPECT_EQ(layout.dtb, (DtbPlace{Gpa{kBase}, 2 * kMiB, false, true}));
    EXPECT_TRUE(*accepts_dtb(layout, c.request(), 2 * kMiB));
    EXPECT_FALSE(*accepts_dtb(layout, c.request(), 2 * kMiB + 1));
}

TEST(Layout, PutsTheDeviceTreeAtZeroForAnElfThatCoversTheRamBase) {
    const Layout layout = planned(Case(test::elf(kBase, {{kBase, kBase}}), 512 * kMiB));
    EXPECT_EQ(layout.argument, 0u);
    EXPECT_EQ(layout.dtb.at, Gpa{0});
    EXPECT_TRUE(layout.dtb.outside_ram);
}

TEST(Layout, LoadsAnInitrdForAnElfToo) {
    const Case c(test::elf(0x4900'0000, {{0x4900'0000, 0x4900'0000}}), 512 * kMiB, 100);
    const Layout layout = planned(c);
    ASSERT_TRUE(layout.initrd.has_value());
    EXPECT_EQ(*layout.initrd, range(0x4900'2000, 100));
}

TEST(Layout, StartsFirmwareWithTheDeviceTreeAtTheRamBase) {
    const std::vector<GpaRange> memory = {range(kBase, 64 * kMiB)};
    const auto layout = plan_layout({memory, nullptr, Gpa{0}, 0, {}});
    ASSERT_TRUE(layout.has_value());
    EXPECT_EQ(layout->entry, Gpa{0});
    EXPECT_EQ(layout->argument, 0u);
    EXPECT_EQ(layout->dtb, (DtbPlace{Gpa{kBase}, 64 * kMiB, false, false}));
}

TEST(Layout, RefusesAKernelThatIsNotAllInRam) {
    const LayoutError error = refused(Case(test::arm64_image(0, 63 * kMiB), 64 * kMiB));
    EXPECT_EQ(error, (LayoutError{LayoutErrorKind::kernel_outside_ram, Gpa{0x4020'0000}, 63 * kMiB, 0}));
    EXPECT_EQ(describe(error).view(), "the kernel needs 66060288 bytes at 0x40200000, which are not all RAM");
    EXPECT_EQ(refused(Case(test::elf(0x1000, {{0x1000, 0x1000}}), 64 * kMiB)).kind,
              LayoutErrorKind::kernel_outside_ram);
}

TEST(Layout, AcceptsAnElfInASecondRegion) {
    Case c(test::elf(0x1'0000'0000, {{0x1'0000'0000, 0x1'0000'0000}}), 64 * kMiB, 100);
    c.memory.push_back(range(0x1'0000'0000, 64 * kMiB));
    const Layout layout = planned(c);
    EXPECT_EQ(layout.initrd->base(), Gpa{kBase + 32 * kMiB});
    EXPECT_EQ(layout.dtb, (DtbPlace{Gpa{kBase}, 32 * kMiB, false, true}));
}

TEST(Layout, RefusesAnInitrdThatDoesNotFit) {
    const LayoutError error = refused(Case(kRaw, 64 * kMiB, 32 * kMiB + 1));
    EXPECT_EQ(error, (LayoutError{LayoutErrorKind::initrd_does_not_fit, Gpa{0x4200'0000}, 32 * kMiB + 1, 32 * kMiB}));
    EXPECT_EQ(refused(Case(kRaw, 64 * kMiB, ~u64{0})).kind, LayoutErrorKind::initrd_does_not_fit);
    // The kernel's end pushes the initrd to the end of RAM: nothing is left.
    EXPECT_EQ(refused(Case(test::arm64_image(0x80000, 64 * kMiB - 0x80000), 64 * kMiB, 1)).available, 0u);
}

TEST(Layout, RefusesADeviceTreeThatDoesNotFit) {
    const Case c(kRaw, 64 * kMiB, 31 * kMiB); // ends 1 MiB below the end: the next 2 MiB boundary is the end itself
    const Layout layout = planned(c);
    const auto accepted = accepts_dtb(layout, c.request(), 1);
    ASSERT_FALSE(accepted.has_value());
    EXPECT_EQ(accepted.error(), (LayoutError{LayoutErrorKind::dtb_does_not_fit, Gpa{0x4400'0000}, 1, 0}));
}

TEST(Layout, RefusesADeviceTreeThatLinuxDoesNotTake) {
    const Case linux_image(test::arm64_image(0x80000, 0x10000), 512 * kMiB);
    EXPECT_TRUE(*accepts_dtb(planned(linux_image), linux_image.request(), 2 * kMiB));
    EXPECT_EQ(accepts_dtb(planned(linux_image), linux_image.request(), 2 * kMiB + 1).error(),
              (LayoutError{LayoutErrorKind::dtb_too_large, Gpa{0x4800'0000}, 2 * kMiB + 1, 2 * kMiB}));
    // Whatever else is started may know better.
    const Case raw(kRaw, 512 * kMiB);
    EXPECT_TRUE(*accepts_dtb(planned(raw), raw.request(), 2 * kMiB + 1));
}

TEST(Layout, KeepsClearOfOtherImages) {
    Case kernel(kRaw, 64 * kMiB, 100);
    kernel.occupied = {range(0x4008'0fff, 1)};
    EXPECT_EQ(refused(kernel).kind, LayoutErrorKind::kernel_overlaps);
    Case initrd(kRaw, 64 * kMiB, 100);
    initrd.occupied = {range(0x4200'0000, 1)};
    EXPECT_EQ(refused(initrd).kind, LayoutErrorKind::initrd_overlaps);
    Case dtb(kRaw, 64 * kMiB, 100);
    dtb.occupied = {range(0x4220'0010, 1)};
    const Layout layout = planned(dtb);
    EXPECT_TRUE(accepts_dtb(layout, dtb.request(), 0x10).has_value());
    EXPECT_EQ(accepts_dtb(layout, dtb.request(), 0x11).error().kind, LayoutErrorKind::dtb_overlaps);
}

TEST(Layout, WorksAtTheTopOfTheAddressSpace) {
    Case c(kRaw, 64 * kMiB, 1);
    c.memory = {range(~u64{0} - 64 * kMiB, 64 * kMiB)}; // its end is the last address that there is
    c.kernel.entry = c.memory[0].base();
    c.kernel.segments[0].at = c.memory[0].base();
    EXPECT_TRUE(plan_layout(c.request()).has_value());
    EXPECT_EQ(plan_layout({}).error().kind, LayoutErrorKind::no_memory);
}

} // namespace
} // namespace sel4vm::boot
