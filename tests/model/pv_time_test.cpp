// SPDX-License-Identifier: BSD-2-Clause
//
// Paravirtualized time: the calls, and where a whole machine puts the numbers.
#include <gtest/gtest.h>
#include <sel4vm/arch/aarch64/smccc.hpp>
#include <sel4vm/dev/arm/pv_time.hpp>
#include <sel4vm/dev/arm/smccc.hpp>
#include <support/firmware_fixture.hpp>

namespace sel4vm::dev {
namespace {

namespace pv_time = aarch64::pv_time;
constexpr i64 kNotSupported = aarch64::smccc::kNotSupported;
constexpr Gpa kPlace{0x90a'0000};

struct PvTimeTest : testing::Test, test::FirmwareFixture {
    PvTimeTest() : FirmwareFixture(3) {}
    void use() {
        ASSERT_TRUE(times.register_all(f.vm.hypercalls()));
        ASSERT_TRUE(calls.register_all(f.vm.hypercalls()));
        ASSERT_TRUE(f.vm.start());
    }
    PvTime times;
    Smccc calls{times};
};

TEST_F(PvTimeTest, IsFoundTheWayThatTheDocumentSays) {
    times.set_place(kPlace);
    use();
    EXPECT_EQ(result(aarch64::smccc::kArchFeatures, {.x1 = pv_time::kFeatures}), 0);
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = pv_time::kFeatures}), 0);
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = pv_time::kStolenTime}), 0);
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = pv_time::kStolenTime, .conduit = aarch64::Conduit::smc}), 0);
    EXPECT_EQ(result(pv_time::kStolenTime), 0x90a'0000);
    EXPECT_EQ(result(pv_time::kStolenTime, {.vcpu = 2}), 0x90a'0080) << "each vCPU's own";
}

TEST_F(PvTimeTest, NothingElseIsSupported) {
    times.set_place(kPlace);
    use();
    // Live physical time, 32-bit forms, and neighbours.
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = 0xc500'0022}), kNotSupported);
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = 0x8500'0021}), kNotSupported);
    for (const u32 id : {0xc500'001fu, 0xc500'0022u, 0x8500'0020u, 0x8500'0021u})
        EXPECT_EQ(result(id), kNotSupported);
    for (const u32 id : {0xc500'0021u, 0x8500'0020u})
        EXPECT_EQ(result(aarch64::smccc::kArchFeatures, {.x1 = id}), kNotSupported);
    EXPECT_EQ(result(pv_time::kStolenTime, {.immediate = 1}), kNotSupported);
}

TEST_F(PvTimeTest, IsAbsentWithoutAPlace) {
    use();
    EXPECT_EQ(result(aarch64::smccc::kArchFeatures, {.x1 = pv_time::kFeatures}), kNotSupported);
    EXPECT_EQ(result(pv_time::kFeatures, {.x1 = pv_time::kStolenTime}), kNotSupported);
    EXPECT_EQ(result(pv_time::kStolenTime), kNotSupported);
}

} // namespace
} // namespace sel4vm::dev
