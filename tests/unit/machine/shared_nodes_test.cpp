// SPDX-License-Identifier: BSD-2-Clause
//
// How shared memory looks in a guest's device tree (docs/shared-memory.md).
#include <sel4vm/machine/arm/device_tree.hpp>
#include <sel4vm/machine/shared_places.hpp>

#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <gtest/gtest.h>

namespace sel4vm::machine {
namespace {

using Cells = std::vector<u32>;

TEST(SharedNodes, AreReservedMemoryAndADoorbellThatNamesIt) {
    MachineDescription vm = test::good_vm();
    (void)vm.shared.emplace_back(SharedRecord{.name = "ring", .size_bytes = kMiB});
    (void)vm.shared.emplace_back(SharedRecord{.name = "log",
                                              .size_bytes = kPageBytes,
                                              .access = SharedAccess::read_only,
                                              .base = Gpa{0x5000'0000},
                                              .spi = 40});
    place_shared(vm);
    test::TreeBuffer buffer(kDeviceTreeBufferBytes);
    const auto written = write_device_tree(vm, {}, buffer.bytes());
    ASSERT_TRUE(written);
    ASSERT_EQ(fdt_check_full(written->data(), written->size()), 0);
    const test::TreeView tree(*written);
    EXPECT_EQ(tree.cells("/reserved-memory", "#address-cells"), Cells{2});
    EXPECT_EQ(tree.cells("/reserved-memory", "#size-cells"), Cells{2});
    EXPECT_TRUE(tree.bytes("/reserved-memory", "ranges").has_value());
    const char *const ring = "/reserved-memory/shared@800000000";
    const char *const log = "/reserved-memory/shared@50000000";
    EXPECT_EQ(tree.texts(ring, "compatible"), "sel4vm,shared-memory|");
    EXPECT_EQ(tree.texts(ring, "label"), "ring|");
    EXPECT_EQ(tree.cells(ring, "reg"), (Cells{8, 0, 0, 0x10'0000}));
    EXPECT_TRUE(tree.bytes(ring, "no-map").has_value());
    EXPECT_FALSE(tree.bytes(ring, "read-only").has_value());
    EXPECT_TRUE(tree.bytes(log, "read-only").has_value());
    EXPECT_EQ(tree.texts("/doorbell@b000000", "compatible"), "sel4vm,doorbell|");
    EXPECT_EQ(tree.texts("/doorbell@b000000", "label"), "ring|");
    EXPECT_EQ(tree.cells("/doorbell@b000000", "reg"), (Cells{0, 0x0b00'0000, 0, 0x1000}));
    EXPECT_EQ(tree.cells("/doorbell@b000000", "interrupts"), (Cells{0, 223, 1}));
    EXPECT_EQ(tree.cells("/doorbell@b000000", "memory-region"), tree.cells(ring, "phandle"));
    EXPECT_EQ(tree.cells("/doorbell@b001000", "interrupts"), (Cells{0, 40, 1}));
    EXPECT_EQ(tree.cells("/doorbell@b001000", "memory-region"), tree.cells(log, "phandle"));
    EXPECT_NE(tree.cells(ring, "phandle"), tree.cells(log, "phandle"));
}

TEST(SharedNodes, AreNotThereWithoutSharedMemory) {
    test::TreeBuffer buffer(kDeviceTreeBufferBytes);
    const auto written = write_device_tree(test::good_vm(), {}, buffer.bytes());
    ASSERT_TRUE(written);
    EXPECT_FALSE(test::TreeView(*written).has("/reserved-memory"));
}

} // namespace
} // namespace sel4vm::machine
