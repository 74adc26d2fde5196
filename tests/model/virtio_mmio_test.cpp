// SPDX-License-Identifier: BSD-2-Clause
//
// The registers of virtio over MMIO and what every virtio device has (Virtio 1.2, 2, 3 and 4.2), on the entropy device.
#include <sel4vm/dev/virtio/virtio_rng.hpp>

#include <gtest/gtest.h>
#include <support/virtio_driver.hpp>

namespace sel4vm::dev {
namespace {

using namespace test::virtio;
using namespace virtio_feature;

struct VirtioMmioTest : testing::Test {
    BusFault fault_of(u64 offset, Width width) { return rng.read(Access{offset, width, VcpuId{0}}).error(); }
    bool high() { return machine.chip.high(kIntid); }
    test::VirtioMachine machine;
    fake::Entropy entropy;
    VirtioOnMmio<VirtioRng> rng{machine.line, machine.site(), entropy};
    test::VirtioDriver driver{machine, rng};
};

TEST_F(VirtioMmioTest, SaysWhatItIs) {
    EXPECT_STREQ(rng.name(), "virtio-rng");
    EXPECT_EQ(driver.get(0x000), 0x7472'6976U);
    EXPECT_EQ(driver.get(0x004), 2U);
    EXPECT_EQ(driver.get(0x008), 4U);
    EXPECT_NE(driver.get(0x00c), 0U);
    EXPECT_EQ(driver.get(config_generation), 0U);
    for (const u64 shared_memory : {0xb0U, 0xb4U, 0xb8U, 0xbcU})
        EXPECT_EQ(driver.get(shared_memory), 0xffff'ffffU) << "there is no such region";
}

TEST_F(VirtioMmioTest, RegistersTakeWordsAndNothingElse) {
    for (const Width width : {Width::b1, Width::b2, Width::b8}) {
        EXPECT_EQ(fault_of(status & ~u64{7}, width), BusFault::width);
        EXPECT_FALSE(rng.write(Access{0x70, width, VcpuId{0}}, 1).has_value());
    }
    EXPECT_EQ(fault_of(0x71, Width::b4), BusFault::alignment);
    EXPECT_EQ(driver.get(status), 0U);
    EXPECT_EQ(driver.get(0x0f0), 0U) << "reserved: reads as zero";
    driver.set(0x0f0, 1);
}

TEST_F(VirtioMmioTest, TheConfigurationSpaceTakesUpToWordsAndReadsAsZeroBehindItsEnd) {
    for (const Width width : {Width::b1, Width::b2, Width::b4}) {
        EXPECT_EQ(*rng.read(Access{0x1fc, width, VcpuId{0}}), 0U);
        EXPECT_TRUE(rng.write(Access{0x1fc, width, VcpuId{0}}, 5).has_value());
    }
    EXPECT_EQ(fault_of(0x100, Width::b8), BusFault::width);
    EXPECT_EQ(fault_of(0x101, Width::b2), BusFault::alignment);
}

TEST_F(VirtioMmioTest, OffersFeaturesInTwoHalvesAndNoneBehind) {
    EXPECT_EQ(driver.offered(), kVersion1 | kIndirectDesc | kEventIdx | kRingReset);
    driver.set(device_features_sel, 2);
    EXPECT_EQ(driver.get(device_features), 0U);
}

TEST_F(VirtioMmioTest, AgreesOnFeaturesThatItOffersWithVersion1) {
    EXPECT_TRUE(driver.negotiate(kEventIdx));
    EXPECT_EQ(driver.get(status), 11U);
    EXPECT_FALSE(driver.negotiate(u64{1} << 5));
    EXPECT_FALSE(driver.negotiate(u64{1} << 63));
    driver.set(status, 0);
    driver.take_features(kEventIdx);
    driver.set(status, 11);
    EXPECT_EQ(driver.get(status), 3U) << "not without VERSION_1";
}

TEST_F(VirtioMmioTest, FeaturesThatAreAgreedOnStay) {
    EXPECT_TRUE(driver.negotiate(kEventIdx));
    driver.take_features(~u64{0});
    EXPECT_EQ(rng.function().driver_features(), kEventIdx | kVersion1);
    driver.set(driver_features_sel, 2);
    driver.set(driver_features, 5);
    EXPECT_EQ(rng.function().driver_features(), kEventIdx | kVersion1);
}

TEST_F(VirtioMmioTest, StatusBitsStayUntilAReset) {
    driver.set(status, 1);
    driver.set(status, 2);
    EXPECT_EQ(driver.get(status), 3U);
    driver.set(status, 0x70);
    EXPECT_EQ(driver.get(status), 3U) << "NEEDS_RESET is the device's, the others are nobody's";
    driver.set(status, 0x80);
    EXPECT_EQ(driver.get(status), 0x83U);
    driver.set(status, 0);
    EXPECT_EQ(driver.get(status), 0U);
}

TEST_F(VirtioMmioTest, AQueueThatDoesNotExistIsProbedAndNotUsed) {
    driver.negotiate(0);
    for (const u64 queue : {u64{1}, u64{7}, u64{8}, u64{32}, u64{0xffff'ffff}}) {
        driver.set(queue_sel, queue);
        EXPECT_EQ(driver.get(queue_size_max), 0U);
        EXPECT_EQ(driver.get(queue_ready), 0U);
        driver.set(queue_size, 8);
        driver.set_wide(queue_desc, kDescriptors);
        driver.set(queue_ready, 0);
        driver.set(queue_reset, 1);
        EXPECT_FALSE(driver.needs_reset()) << queue;
        driver.set(queue_ready, 1);
        EXPECT_EQ(driver.get(queue_ready), 0U);
        EXPECT_TRUE(driver.needs_reset()) << queue;
        driver.negotiate(0);
        driver.set(queue_notify, queue);
        EXPECT_TRUE(driver.needs_reset()) << queue;
        driver.negotiate(0);
    }
}

TEST_F(VirtioMmioTest, AnImpossibleQueueIsNotMadeReady) {
    const auto refused = [&](auto change) {
        driver.negotiate(0);
        driver.place_queue(16);
        change();
        driver.set(queue_ready, 1);
        return driver.needs_reset() && driver.get(queue_ready) == 0;
    };
    EXPECT_FALSE(refused([] {}));
    for (const u64 size : {u64{0}, u64{3}, u64{128}, u64{0x1'0010}, u64{0xffff'ffff}})
        EXPECT_TRUE(refused([&] { driver.set(queue_size, size); })) << size;
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_desc, kDescriptors + 8); }));
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_driver, kDriver + 1); }));
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_device, kDevice + 2); }));
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_desc, ~u64{0xff}); })) << "it wraps";
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_driver, ~u64{0x1}); }));
    EXPECT_TRUE(refused([&] { driver.set_wide(queue_device, ~u64{0x3}); }));
    driver.set(status, 0);
    driver.place_queue(16);
    driver.set(queue_ready, 1);
    EXPECT_TRUE(driver.needs_reset()) << "before features are agreed on";
}

TEST_F(VirtioMmioTest, AQueueThatIsReadyKeepsItsPlace) {
    driver.begin();
    driver.set(queue_size, 3);
    driver.set_wide(queue_desc, 1);
    driver.set_wide(queue_driver, 1);
    driver.set_wide(queue_device, 1);
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_EQ(driver.used().size(), 1U);
    EXPECT_FALSE(driver.needs_reset());
}

TEST_F(VirtioMmioTest, TellsByALevelUntilItIsAcknowledged) {
    driver.begin();
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_TRUE(high());
    EXPECT_EQ(driver.get(interrupt_status), 1U);
    driver.set(interrupt_ack, 2);
    EXPECT_TRUE(high());
    driver.set(interrupt_ack, 1);
    EXPECT_FALSE(high());
}

TEST_F(VirtioMmioTest, ServesWhatWasMadeAvailableBeforeDriverOkAndNothingBefore) {
    driver.negotiate(0);
    driver.place_queue(16);
    driver.set(queue_ready, 1);
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_TRUE(driver.used().empty());
    driver.set(status, 15);
    machine.work.run();
    EXPECT_EQ(driver.used().size(), 1U);
}

TEST_F(VirtioMmioTest, DriverOkWithoutFeaturesOkAsksForAReset) {
    driver.set(status, 7);
    EXPECT_TRUE(driver.needs_reset());
    EXPECT_TRUE(high()) << "and says so, since DRIVER_OK is set";
    EXPECT_EQ(driver.get(interrupt_status), 2U);
    driver.set(status, 0);
    EXPECT_FALSE(high());
}

TEST_F(VirtioMmioTest, ADeviceThatAskedForAResetServesNothingUntilThen) {
    driver.begin();
    driver.set(queue_notify, 5);
    ASSERT_TRUE(driver.needs_reset());
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_TRUE(driver.used().empty());
    driver.begin();
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_EQ(driver.used().size(), 1U);
}

TEST_F(VirtioMmioTest, AResetOfAQueueForgetsItAndItsPlace) {
    driver.begin(kRingReset);
    driver.run(driver.chain({{kData, 8, kWrite}}));
    driver.set(queue_reset, 1);
    EXPECT_EQ(driver.get(queue_reset), 0U);
    EXPECT_EQ(driver.get(queue_ready), 0U);
    EXPECT_EQ(rng.function().state().queues[0], VirtioQueue::State{});
    driver.place_queue(8);
    driver.set(queue_ready, 1);
    driver.run(driver.chain({{kData, 8, kWrite}}));
    EXPECT_EQ(driver.used().size(), 1U);
}

TEST_F(VirtioMmioTest, AResetOfAQueueNeedsItsFeature) {
    driver.begin();
    driver.set(queue_reset, 1);
    EXPECT_EQ(driver.get(queue_ready), 1U);
}

TEST_F(VirtioMmioTest, AResetTakesBackWhatWasAskedFor) {
    driver.begin();
    driver.make_available(driver.chain({{kData, 8, kWrite}}));
    driver.notify();
    rng.reset();
    EXPECT_FALSE(machine.work.any_wanted());
    machine.work.run();
    EXPECT_TRUE(driver.used().empty());
    EXPECT_EQ(rng.function().state(), VirtioFunction::State{});
    EXPECT_EQ(rng.state(), VirtioMmio::State{});
}

TEST_F(VirtioMmioTest, ItsStateGoesOnInAnotherDevice) {
    driver.begin(kEventIdx);
    driver.run(driver.chain({{kData, 8, kWrite}}));
    driver.make_available(driver.chain({{kData + 8, 8, kWrite}}));
    VirtioOnMmio<VirtioRng> other{machine.line, machine.site(), entropy};
    const auto function = rng.function().state();
    const auto transport = rng.state();
    rng.reset();
    other.function().restore(function);
    other.restore(transport);
    EXPECT_TRUE(high());
    EXPECT_EQ(other.function().state(), function);
    machine.work.run();
    EXPECT_EQ(driver.used().size(), 2U);
}

TEST_F(VirtioMmioTest, AStateThatNoDeviceCanHaveAsksForAReset) {
    driver.begin();
    const VirtioFunction::State good = rng.function().state();
    const auto judged = [&](auto change) {
        VirtioFunction::State state = good;
        change(state);
        rng.function().restore(state);
        machine.work.run();
        return driver.needs_reset();
    };
    EXPECT_FALSE(judged([](auto &) {}));
    EXPECT_TRUE(judged([](auto &state) { state.driver_features = 0; }));
    EXPECT_TRUE(judged([](auto &state) { state.driver_features |= u64{1} << 60; }));
    EXPECT_TRUE(judged([](auto &state) { state.status = 7; }));
    EXPECT_TRUE(judged([](auto &state) { state.queues[0].size = 5; }));
    EXPECT_TRUE(judged([](auto &state) { state.queues[0].size = 0x8000; }));
    EXPECT_TRUE(judged([](auto &state) { state.queues[0].next_avail = 99; }));
    EXPECT_FALSE(judged([](auto &state) { state.queues[3] = {.size = 999, .ready = true}; })) << "it has no such queue";
    EXPECT_FALSE(rng.function().state().queues[3].ready);
}

TEST_F(VirtioMmioTest, AMachineMayHaveNoRoomForItsWork) {
    EXPECT_TRUE(rng.function().joined());
    machine.work.room = 1;
    VirtioOnMmio<VirtioRng> other{machine.line, machine.site(), entropy};
    EXPECT_FALSE(other.function().joined());
}

} // namespace
} // namespace sel4vm::dev
