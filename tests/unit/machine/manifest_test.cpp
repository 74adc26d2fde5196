// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/manifest.hpp>

#include <sel4vm/dev/virtio/virtio_kinds.hpp>
#include <sel4vm/machine/arm/virt_devices.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace sel4vm::machine {
namespace {

using Tree = test::TreeBuffer;

Tree encoded(const SystemDescription &system) {
    std::vector<u64> buffer(kManifestBufferBytes / 8);
    const auto tree = encode_manifest(system, {reinterpret_cast<u8 *>(buffer.data()), kManifestBufferBytes});
    EXPECT_TRUE(tree.has_value());
    return Tree(*tree);
}

template <class Vector>
void expect_same(const Vector &a, const Vector &b) {
    ASSERT_EQ(a.size(), b.size());
    for (usize i = 0; i < a.size(); ++i)
        EXPECT_EQ(a[i], b[i]) << i;
}

void expect_same(const SystemDescription &a, const SystemDescription &b) {
    EXPECT_EQ(a.exit_method, b.exit_method);
    EXPECT_EQ(a.console, b.console);
    EXPECT_EQ(a.time_slice_us, b.time_slice_us);
    EXPECT_EQ(a.log_level, b.log_level);
    EXPECT_EQ(a.bench, b.bench);
    expect_same(a.switches, b.switches);
    ASSERT_EQ(a.vms.size(), b.vms.size());
    for (usize i = 0; i < a.vms.size(); ++i) {
        const MachineDescription &x = a.vms[i], &y = b.vms[i];
        EXPECT_EQ(x.name, y.name);
        EXPECT_EQ(x.vcpu_count, y.vcpu_count);
        EXPECT_EQ(x.cpus, y.cpus);
        EXPECT_EQ(x.gic, y.gic);
        EXPECT_EQ(x.topology, y.topology);
        EXPECT_EQ(x.caches, y.caches);
        EXPECT_EQ(x.timer, y.timer);
        EXPECT_EQ(x.cmdline, y.cmdline);
        EXPECT_EQ(x.on_reset, y.on_reset);
        EXPECT_EQ(x.on_panic, y.on_panic);
        EXPECT_EQ(x.entry, y.entry);
        EXPECT_EQ(x.counter, y.counter);
        EXPECT_EQ(x.pv_time, y.pv_time);
        EXPECT_EQ(x.pmu, y.pmu);
        EXPECT_EQ(x.priority, y.priority);
        EXPECT_EQ(x.budget, y.budget);
        expect_same(x.memory, y.memory);
        expect_same(x.devices, y.devices);
        expect_same(x.passthrough, y.passthrough);
        expect_same(x.images, y.images);
        EXPECT_EQ(x.flash, y.flash);
    }
}

/// Every field differs from its default.
SystemDescription unusual_system() {
    SystemDescription system;
    system.exit_method = ExitMethod::semihosting;
    system.console = {LinePrefix::always, "b", 0x1d};
    system.time_slice_us = 1234;
    system.log_level = LogLevel::debug;
    system.bench = {true, true, true};
    (void)system.vms.emplace_back(test::good_vm("a"));
    MachineDescription &vm = *system.vms.emplace_back(test::good_vm("b"));
    vm.vcpu_count = 3;
    vm.cpus = u64{1} << 63 | 5;
    (void)vm.memory.emplace_back(MemoryRegion{Gpa{0x8000'0000}, 5 * kGiB, RamKind::demand});
    (void)vm.memory.emplace_back(MemoryRegion{Gpa{0x20'0000'0000}, kGiB, RamKind::eager, true});
    (void)vm.passthrough.emplace_back(PassthroughRecord{"/virtio_mmio@a003e00"});
    (void)vm.passthrough.emplace_back(PassthroughRecord{"/soc/rng@1000"});
    vm.gic = {GicVersion::v2,        {Gpa{0x1000}, 0x2000}, {Gpa{0x4000}, 0x3000},
              {Gpa{0x5000}, 0x4000}, {Gpa{0x9000}, 0x8000}, 64};
    vm.gic.msi = {MsiKind::v2m, {Gpa{0x9000}, 0x1000}, 3, 5};
    vm.timer = {1, 2, 3, 4};
    vm.topology = {3, 5, 7, 9};
    vm.caches = {0x1000, 0x2000, 0x4000, 0x8000};
    (void)vm.devices.emplace_back(
        DeviceRecord{&dev::kPl011, "uart2", {Gpa{0x90a0000}, 0x2000}, 9, Trigger::edge, ConsoleRoute::none});
    (void)vm.devices.emplace_back(
        DeviceRecord{&dev::kVirtioBlk, "disk", {Gpa{0xa000000}, 0x200}, 16, Trigger::level, ConsoleRoute::none, 2});
    (void)vm.devices.emplace_back(DeviceRecord{&dev::kVirtioBlk,
                                               "root",
                                               {Gpa{0xa000600}, 0x200},
                                               19,
                                               Trigger::level,
                                               ConsoleRoute::none,
                                               {},
                                               "the-machine's",
                                               true});
    (void)vm.devices.emplace_back(
        DeviceRecord{&dev::kVirtioNet,
                     "net",
                     {Gpa{0xa000200}, 0x200},
                     17,
                     Trigger::level,
                     ConsoleRoute::none,
                     {},
                     "",
                     false,
                     NetRecord{"lan", MacAddress{{0xfe, 1, 2, 3, 4, 5}}, 9000, u64{1} << 33, true, true}});
    (void)vm.devices.emplace_back(DeviceRecord{&dev::kVirtioNet,
                                               "net2",
                                               {Gpa{0xa000400}, 0x200},
                                               18,
                                               Trigger::level,
                                               ConsoleRoute::none,
                                               {},
                                               "",
                                               false,
                                               NetRecord{"wan"}});
    (void)system.switches.emplace_back(SwitchRecord{"lan"});
    (void)system.switches.emplace_back(SwitchRecord{"wan"});
    (void)vm.images.emplace_back(ImageRecord{ImageKind::disk, {}, true, 9, 512, 0, "a disk"});
    (void)vm.images.emplace_back(ImageRecord{ImageKind::rom, Gpa{0x2'0000'0000}, true, 7, 99, 4096, "a file"});
    (void)vm.images.emplace_back(ImageRecord{ImageKind::firmware, {}, false, 8, 100, 0, ""});
    vm.flash = FlashRecord{Gpa{0x1000'0000}, false, 5};
    vm.cmdline = "";
    vm.entry = Gpa{0x4000'1234};
    vm.on_reset = ResetPolicy::stop;
    vm.on_panic = PanicPolicy::restart;
    vm.counter = CounterPolicy::running;
    vm.pv_time = false;
    vm.pmu = PmuPolicy::required;
    vm.priority = 3;
    vm.budget = {2000, 0xffff'0001};
    return system;
}

TEST(Manifest, GivesBackEveryField) {
    const SystemDescription before = unusual_system();
    Tree tree = encoded(before);
    auto after = std::make_unique<SystemDescription>();
    ASSERT_TRUE(decode_manifest(tree.bytes(), virt_devices(), *after).has_value());
    expect_same(before, *after);
}

TEST(Manifest, GivesBackDefaults) {
    const SystemDescription before = test::good_system();
    Tree tree = encoded(before);
    auto after = std::make_unique<SystemDescription>();
    *after = unusual_system();
    ASSERT_TRUE(decode_manifest(tree.bytes(), virt_devices(), *after).has_value());
    expect_same(before, *after);
}

TEST(Manifest, TellsThatTheBufferIsTooSmall) {
    std::vector<u64> buffer(512);
    for (const usize size : {usize{0}, usize{16}, usize{64}, usize{1000}}) {
        const auto tree = encode_manifest(unusual_system(), {reinterpret_cast<u8 *>(buffer.data()), size});
        ASSERT_FALSE(tree.has_value()) << size;
        EXPECT_EQ(tree.error().kind, ManifestErrorKind::buffer_too_small);
    }
}

TEST(Manifest, HoldsTheLargestSystem) {
    SystemDescription system;
    const std::string cmdline(256, 'x');
    for (usize v = 0; v < kMaxVms; ++v) {
        MachineDescription &vm = *system.vms.emplace_back(test::good_vm());
        vm.cmdline = cmdline;
        while (!vm.memory.full())
            (void)vm.memory.emplace_back();
        while (!vm.devices.full())
            (void)vm.devices.emplace_back(default_uart());
        while (!vm.images.full())
            (void)vm.images.emplace_back(
                ImageRecord{ImageKind::firmware, Gpa{1}, true, 1, 1, 1,
                            "a source of some length: /home/somebody/projects/guests/build/output/images/Image.bin"});
    }
    Tree tree = encoded(system);
    auto after = std::make_unique<SystemDescription>();
    ASSERT_TRUE(decode_manifest(tree.bytes(), virt_devices(), *after).has_value());
    expect_same(system, *after);
}

TEST(Manifest, RefusesEveryTruncation) {
    Tree tree = encoded(unusual_system());
    auto into = std::make_unique<SystemDescription>();
    for (usize size = 0; size < tree.bytes().size(); ++size) {
        Tree cut(tree.bytes().first(size));
        EXPECT_FALSE(decode_manifest(cut.bytes(), virt_devices(), *into).has_value()) << size;
    }
}

TEST(Manifest, SurvivesRandomDamage) {
    Tree tree = encoded(unusual_system());
    auto into = std::make_unique<SystemDescription>();
    std::mt19937 random(1);
    for (int round = 0; round < 3000; ++round) {
        Tree damaged(tree.bytes());
        for (int i = 0; i < 4; ++i)
            damaged.bytes()[random() % damaged.bytes().size()] = static_cast<u8>(random());
        (void)decode_manifest(damaged.bytes(), virt_devices(), *into).has_value(); // must only not crash
    }
}

/// Replaces one byte sequence by another of the same length.
void replace(std::span<u8> bytes, std::string_view from, std::string_view to) {
    ASSERT_EQ(from.size(), to.size());
    const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
    ASSERT_NE(at, bytes.end());
    std::copy(to.begin(), to.end(), at);
}

TEST(Manifest, NamesThePropertyThatIsMissing) {
    Tree tree = encoded(test::good_system());
    replace(tree.bytes(), std::string_view("time-slice-us\0", 14), std::string_view("time-slice-uz\0", 14));
    auto into = std::make_unique<SystemDescription>();
    const auto result = decode_manifest(tree.bytes(), virt_devices(), *into);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ManifestErrorKind::missing_property);
    EXPECT_EQ(result.error().what, "time-slice-us");
}

TEST(Manifest, NamesThePropertyWithAnUnknownValue) {
    Tree tree = encoded(test::good_system());
    replace(tree.bytes(), "restart", "restard");
    auto into = std::make_unique<SystemDescription>();
    const auto result = decode_manifest(tree.bytes(), virt_devices(), *into);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ManifestErrorKind::bad_property);
    EXPECT_EQ(result.error().what, "on-reset");
}

TEST(Manifest, RefusesNodesItDoesNotKnow) {
    Tree tree = encoded(test::good_system());
    replace(tree.bytes(), "device@0", "devise@0");
    auto into = std::make_unique<SystemDescription>();
    const auto result = decode_manifest(tree.bytes(), virt_devices(), *into);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ManifestErrorKind::unknown_node);
}

TEST(Manifest, RefusesAMisalignedTree) {
    Tree tree = encoded(test::good_system());
    std::vector<u64> words(tree.bytes().size() / 8 + 2);
    u8 *odd = reinterpret_cast<u8 *>(words.data()) + 4;
    std::memcpy(odd, tree.bytes().data(), tree.bytes().size());
    auto into = std::make_unique<SystemDescription>();
    const auto result = decode_manifest({odd, tree.bytes().size()}, virt_devices(), *into);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, ManifestErrorKind::not_a_tree);
}

TEST(Manifest, DevicesAreOfTheKindsThatTheReaderKnows) {
    Tree tree = encoded(unusual_system());
    auto into = std::make_unique<SystemDescription>();
    const dev::DeviceKind *const only_clocks[] = {&dev::kPl031};
    const auto refused = decode_manifest(tree.bytes(), only_clocks, *into);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().what, "type");
    ASSERT_TRUE(decode_manifest(tree.bytes(), {}, *into).has_value());
    EXPECT_EQ(into->vms[0].devices[0].kind, &dev::kUnmadeKind);
}

} // namespace
} // namespace sel4vm::machine
