// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/affinity.hpp>

namespace sel4vm::aarch64 {
namespace {

TEST(Affinity, EveryVcpuIsFoundByItsOwnOnly) {
    for (u32 n = 0; n < 64; ++n) {
        const u64 affinity = affinity_of_vcpu(n);
        EXPECT_EQ(vcpu_of_affinity(affinity, 64), n);
        EXPECT_EQ(vcpu_of_affinity(affinity, n + 1), n);
        EXPECT_FALSE(vcpu_of_affinity(affinity, n).has_value()) << "there are n only: 0 to n - 1";
        EXPECT_FALSE(vcpu_of_affinity(affinity | u64{1} << 16, 64).has_value()) << "Aff2";
        EXPECT_FALSE(vcpu_of_affinity(affinity | u64{1} << 32, 64).has_value()) << "Aff3";
        EXPECT_FALSE(vcpu_of_affinity(affinity | u64{1} << 31, 64).has_value()) << "not an affinity field";
    }
}

TEST(Affinity, SixteenMakeACluster) {
    EXPECT_EQ(affinity_of_vcpu(7), 7U) << "as a GICv2 numbers its interfaces";
    EXPECT_EQ(affinity_of_vcpu(15), 0xfU);
    EXPECT_EQ(affinity_of_vcpu(16), 0x100U);
    EXPECT_FALSE(vcpu_of_affinity(0x10, 64).has_value()) << "Aff0 has 16 values";
}

TEST(Affinity, ALevelLeavesTheLowerFieldsOut) {
    EXPECT_EQ(affinity_mask_from_level(0), 0xff'00ff'ffffU);
    EXPECT_EQ(affinity_mask_from_level(1), 0xff'00ff'ff00U);
    EXPECT_EQ(affinity_mask_from_level(2), 0xff'00ff'0000U);
    EXPECT_EQ(affinity_mask_from_level(3), 0xff'0000'0000U);
}

} // namespace
} // namespace sel4vm::aarch64
