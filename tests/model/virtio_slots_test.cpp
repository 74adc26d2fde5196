// SPDX-License-Identifier: BSD-2-Clause
//
// Slots without a device, against Virtio 1.2, 4.2.2.
#include <gtest/gtest.h>
#include <sel4vm/dev/virtio_slots.hpp>

namespace sel4vm::dev {
namespace {

TEST(VirtioSlotsTest, EverySlotSaysThatNothingIsThere) {
    VirtioSlots slots;
    for (u64 slot = 0; slot < VirtioSlots::kSlots; ++slot) {
        const u64 base = slot * VirtioSlots::kSlotBytes;
        EXPECT_EQ(*slots.read({base, Width::b4, VcpuId{0}}), 0x7472'6976u);
        EXPECT_EQ(*slots.read({base + 4, Width::b4, VcpuId{0}}), 2u);
        EXPECT_EQ(*slots.read({base + 8, Width::b4, VcpuId{0}}), 0u);
    }
}

TEST(VirtioSlotsTest, IgnoresWrites) {
    VirtioSlots slots;
    EXPECT_TRUE(slots.write({0x70, Width::b4, VcpuId{0}}, ~u64{0}));
    EXPECT_TRUE(slots.write({0x200, Width::b4, VcpuId{0}}, 0));
    EXPECT_EQ(*slots.read({0x70, Width::b4, VcpuId{0}}), 0u);
    EXPECT_EQ(*slots.read({0x200, Width::b4, VcpuId{0}}), 0x7472'6976u);
}

} // namespace
} // namespace sel4vm::dev
