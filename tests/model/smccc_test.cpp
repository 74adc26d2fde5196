// SPDX-License-Identifier: BSD-2-Clause
//
// The architecture calls of SMCCC and the TRNG interface.
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/dev/arm/pv_time.hpp>
#include <sel4vm/dev/arm/smccc.hpp>
#include <sel4vm/dev/arm/trng.hpp>
#include <support/firmware_fixture.hpp>

namespace sel4vm::dev {
namespace {

namespace smccc = aarch64::smccc;
namespace trng = aarch64::trng;

struct SmcccTest : testing::Test, test::FirmwareFixture {
    void use() {
        ASSERT_TRUE(service.register_all(f.vm.hypercalls()));
        ASSERT_TRUE(f.vm.start());
    }
    i64 feature(u32 id) { return result(smccc::kArchFeatures, {.x1 = id}); }
    PvTime pv_time;
    Smccc service{pv_time};
};

TEST_F(SmcccTest, VersionIsOnePointTwo) {
    use();
    EXPECT_EQ(result(smccc::kVersion), 0x1'0002);
    EXPECT_EQ(result(smccc::kVersion, {.conduit = aarch64::Conduit::smc}), 0x1'0002);
    EXPECT_EQ(feature(smccc::kVersion), 0);
    EXPECT_EQ(feature(smccc::kArchFeatures), 0);
}

TEST_F(SmcccTest, NoMitigationIsPromised) {
    use();
    for (const u32 id : {smccc::kArchWorkaround1, smccc::kArchWorkaround2, smccc::kArchWorkaround3}) {
        EXPECT_EQ(feature(id), smccc::kNotSupported);
        EXPECT_EQ(result(id), smccc::kNotSupported);
    }
}

TEST_F(SmcccTest, EverythingElseIsNotSupported) {
    use();
    for (const u32 id : {smccc::kArchSocId, u32{0x8400'0000}, u32{0x8000'4000}, u32{0}})
        EXPECT_EQ(feature(id), smccc::kNotSupported);
    for (const u32 id : {smccc::kArchSocId, smccc::kArchSocId64, u32{0x8000'ff01}, u32{0x8600'ff01}, u32{0}}) {
        EXPECT_EQ(result(id), smccc::kNotSupported);
        EXPECT_EQ(x(0), ~u64{0});
    }
    EXPECT_EQ(result(smccc::kVersion, {.immediate = 7}), smccc::kNotSupported);
}

struct TrngTest : testing::Test, test::FirmwareFixture {
    void use() {
        ASSERT_TRUE(service.register_all(f.vm.hypercalls()));
        ASSERT_TRUE(f.vm.start());
    }
    fake::Entropy entropy;
    Trng service{entropy};
};

TEST_F(TrngTest, IsAbsentWithoutEntropy) {
    entropy.available = false;
    use();
    for (const u32 id : {trng::kVersion, trng::kFeatures, trng::kGetUuid, trng::kRnd32, trng::kRnd64})
        EXPECT_EQ(result(id, {.x1 = 32}), trng::kNotSupported);
}

TEST_F(TrngTest, TellsVersionFeaturesAndUuid) {
    use();
    EXPECT_EQ(result(trng::kVersion), 0x1'0000);
    for (const u32 id : {trng::kVersion, trng::kFeatures, trng::kGetUuid, trng::kRnd32, trng::kRnd64})
        EXPECT_EQ(result(trng::kFeatures, {.x1 = id}), 0);
    EXPECT_EQ(result(trng::kFeatures, {.x1 = 0xc400'0050}), trng::kNotSupported);
    EXPECT_EQ(result(trng::kFeatures, {.x1 = 0x8400'0000}), trng::kNotSupported);
    EXPECT_EQ(result(trng::kGetUuid), 0x1d3c'0f6b);
    EXPECT_EQ(x(1), 0x974e'a852u);
    EXPECT_EQ(x(2), 0x0ac1'249du);
    EXPECT_EQ(x(3), 0x65f3'e87bu);
}

TEST_F(TrngTest, RandomBitsComeRightAlignedAndTheRestIsZero) {
    use(); // the probe took bytes 1 to 8
    EXPECT_EQ(result(trng::kRnd32, {.x1 = 96, .x2 = 7, .x3 = 7}), 0);
    EXPECT_EQ(x(3), 0x0c0b'0a09u);
    EXPECT_EQ(x(2), 0x100f'0e0du);
    EXPECT_EQ(x(1), 0x1413'1211u);
    EXPECT_EQ(result(trng::kRnd32, {.x1 = 36, .x2 = 7, .x3 = 7}), 0);
    EXPECT_EQ(x(3), 0x1817'1615u);
    EXPECT_EQ(x(2), 0x9u) << "four bits of 0x19";
    EXPECT_EQ(x(1), 0u);
    EXPECT_EQ(result(trng::kRnd64, {.x1 = 1, .x2 = 7, .x3 = 7}), 0);
    EXPECT_EQ(x(3), 0u) << "one bit of 0x1a";
    EXPECT_EQ(x(2), 0u);
    EXPECT_EQ(result(trng::kRnd64, {.x1 = 128}), 0);
    EXPECT_EQ(x(3), 0x2221'201f'1e1d'1c1bu);
    EXPECT_EQ(x(2), 0x2a29'2827'2625'2423u);
    EXPECT_EQ(x(1), 0u);
    EXPECT_EQ(result(trng::kRnd64, {.x1 = 192}), 0);
    EXPECT_NE(x(1), 0u);
}

TEST_F(TrngTest, WrongSizesAreRefusedWithZeroResults) {
    use();
    for (const u64 bits : {u64{0}, u64{97}, u64{0xffff'ffff}}) {
        EXPECT_EQ(result(trng::kRnd32, {.x1 = bits, .x2 = 7, .x3 = 7}), trng::kInvalidParameters);
        EXPECT_EQ(x(1) | x(2) | x(3), 0u);
    }
    EXPECT_EQ(result(trng::kRnd64, {.x1 = 193}), trng::kInvalidParameters);
    EXPECT_EQ(result(trng::kRnd64, {.x1 = u64{1} << 32 | 8}), trng::kInvalidParameters);
    EXPECT_EQ(result(trng::kRnd32, {.x1 = u64{1} << 32 | 8}), trng::kSuccess) << "32-bit calls have 32-bit arguments";
}

TEST_F(TrngTest, ASourceThatRunsDrySaysSo) {
    use();
    entropy.available = false;
    EXPECT_EQ(result(trng::kRnd64, {.x1 = 64, .x2 = 7, .x3 = 7}), trng::kNoEntropy);
    EXPECT_EQ(x(1) | x(2) | x(3), 0u);
}

} // namespace
} // namespace sel4vm::dev
