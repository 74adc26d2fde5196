// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/packed_system.hpp>

#include <hosts/fake/services.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <sel4vm/machine/manifest.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <gtest/gtest.h>
#include <memory>
#include <vector>

namespace sel4vm::machine {
namespace {

struct Sink final : boot::BundleSink {
    bool put(std::span<const u8> part) override {
        bytes.insert(bytes.end(), part.begin(), part.end());
        return true;
    }
    std::vector<u8> bytes;
};

test::TreeBuffer packed(std::span<const u8> manifest) {
    const std::vector<u8> kernel(64, 0xaa);
    const std::span<const u8> blobs[] = {kernel};
    Sink sink;
    EXPECT_TRUE(boot::write_bundle(sink, manifest, blobs).has_value());
    return test::TreeBuffer(sink.bytes);
}

test::TreeBuffer packed(const SystemDescription &system) {
    test::TreeBuffer buffer(kManifestBufferBytes);
    const auto manifest = encode_manifest(system, buffer.bytes());
    EXPECT_TRUE(manifest.has_value());
    return packed(*manifest);
}

struct PackedSystem : testing::Test {
    [[nodiscard]] std::optional<boot::Bundle> open(test::TreeBuffer bytes) {
        kept = std::move(bytes);
        return open_system(kept.bytes(), virt_devices(), *system, log);
    }
    test::TreeBuffer kept{std::span<const u8>{}};
    std::unique_ptr<SystemDescription> system = std::make_unique<SystemDescription>();
    fake::Log log;
};

TEST_F(PackedSystem, HasItsDescriptionAndItsBlobs) {
    SystemDescription good = test::good_system();
    good.time_slice_us = 777;
    const auto bundle = open(packed(good));
    ASSERT_TRUE(bundle.has_value());
    EXPECT_EQ(bundle->blob_count(), 1u);
    EXPECT_EQ(system->time_slice_us, 777u);
    EXPECT_EQ(system->vms.size(), 1u);
    EXPECT_TRUE(log.lines.empty());
}

TEST_F(PackedSystem, SaysWhatIsWrongWithTheFile) {
    EXPECT_FALSE(open(test::TreeBuffer(8192)).has_value());
    ASSERT_EQ(log.lines.size(), 1u);
    EXPECT_TRUE(log.lines[0].text.starts_with("the bundle cannot be read: "));
    const std::vector<u8> nonsense(64, 1);
    EXPECT_FALSE(open(packed(nonsense)).has_value());
    ASSERT_EQ(log.lines.size(), 2u);
    EXPECT_TRUE(log.lines[1].text.starts_with("the bundle's manifest is wrong: "));
}

// Whoever packed it may have been another tool than ours.
TEST_F(PackedSystem, JudgesTheDescription) {
    SystemDescription wrong = test::good_system();
    wrong.vms[0].vcpu_count = 0;
    wrong.time_slice_us = 1;
    EXPECT_FALSE(open(packed(wrong)).has_value());
    ASSERT_EQ(log.lines.size(), 2u);
    EXPECT_EQ(log.lines[0].level, LogLevel::error);
    EXPECT_NE((log.lines[0].text + log.lines[1].text).find("time_slice_us is 1, expected 100 to 1000000"),
              std::string::npos);
}

} // namespace
} // namespace sel4vm::machine
