// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/device_tree.hpp>

#include <hosts/fake/services.hpp>
#include <sel4vm/machine/arm/device_nodes.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <unistd.h>

namespace sel4vm::machine {
namespace {

using test::TreeBuffer;
using test::TreeView;
using Cells = std::vector<u32>;

MachineDescription vm_with(GicVersion version, u32 vcpus = 1) {
    MachineDescription vm = test::good_vm();
    vm.gic.version = version;
    vm.vcpu_count = vcpus;
    return vm;
}

std::vector<u8> generated(const MachineDescription &vm, const DeviceTreeInputs &inputs = {}) {
    TreeBuffer buffer(kDeviceTreeBufferBytes);
    const auto tree = write_device_tree(vm, inputs, buffer.bytes());
    EXPECT_TRUE(tree.has_value());
    EXPECT_EQ(fdt_check_full(tree->data(), tree->size()), 0);
    return {tree->begin(), tree->end()};
}

/// A file of the test's own that goes away with it.
class TemporaryFile {
public:
    TemporaryFile() {
        const int file = mkstemp(path_.data());
        EXPECT_GE(file, 0);
        close(file);
    }
    ~TemporaryFile() { std::remove(path_.c_str()); }
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;
    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] std::vector<u8> read() const {
        std::ifstream in(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::vector<u8> &bytes) const {
        std::ofstream(path_, std::ios::binary)
            .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }

private:
    std::string path_ = "/tmp/sel4vm-test-XXXXXX";
};

bool has_program(const std::string &name) { return std::system(("command -v " + name + " >/dev/null").c_str()) == 0; }

TEST(DeviceTree, DescribesTheBoardOfTheRecords) {
    const auto bytes = generated(vm_with(GicVersion::v3));
    const TreeView tree(bytes);
    EXPECT_EQ(tree.cells("/", "#address-cells"), Cells{2});
    EXPECT_EQ(tree.cells("/", "#size-cells"), Cells{2});
    EXPECT_EQ(tree.cells("/", "interrupt-parent"), tree.cells("/intc@8000000", "phandle"));
    EXPECT_EQ(tree.texts("/memory@40000000", "device_type"), "memory|");
    EXPECT_EQ(tree.cells("/memory@40000000", "reg"), (Cells{0, 0x4000'0000, 0, 0x1000'0000}));
    EXPECT_EQ(tree.texts("/psci", "method"), "hvc|");
    EXPECT_EQ(TreeView(generated(vm_with(GicVersion::v3), {.initrd = {}, .firmware = aarch64::Conduit::smc}))
                  .texts("/psci", "method"),
              "smc|");
    EXPECT_EQ(tree.texts("/psci", "compatible"), "arm,psci-1.0|arm,psci-0.2|");
    EXPECT_EQ(tree.texts("/intc@8000000", "compatible"), "arm,gic-v3|");
    EXPECT_EQ(tree.cells("/intc@8000000", "reg"), (Cells{0, 0x800'0000, 0, 0x1'0000, 0, 0x80a'0000, 0, 0xf6'0000}));
    EXPECT_EQ(tree.cells("/timer", "interrupts"), (Cells{1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4}));
    EXPECT_TRUE(tree.bytes("/timer", "always-on").has_value());
    EXPECT_EQ(tree.cells("/pl011@9000000", "interrupts"), (Cells{0, 1, 4}));
    EXPECT_EQ(tree.cells("/pl011@9000000", "clocks").at(0), tree.cells("/apb-pclk", "phandle").at(0));
    EXPECT_EQ(tree.cells("/pl031@9010000", "interrupts"), (Cells{0, 2, 4}));
    EXPECT_EQ(tree.texts("/chosen", "bootargs"), "console=ttyAMA0|");
    EXPECT_EQ(tree.texts("/chosen", "stdout-path"), "/pl011@9000000|");
    EXPECT_EQ(tree.texts("/aliases", "serial0"), "/pl011@9000000|");
    EXPECT_FALSE(tree.bytes("/chosen", "linux,initrd-start").has_value());
    EXPECT_FALSE(tree.bytes("/chosen", "rng-seed").has_value());
}

TEST(DeviceTree, NamesPerformanceMonitorsWhereTheGuestHasThem) {
    EXPECT_FALSE(TreeView(generated(vm_with(GicVersion::v3))).bytes("/pmu", "compatible").has_value());
    const auto bytes = generated(vm_with(GicVersion::v3), {.initrd = {}, .pmu = true});
    EXPECT_EQ(TreeView(bytes).texts("/pmu", "compatible"), "arm,armv8-pmuv3|");
    EXPECT_EQ(TreeView(bytes).cells("/pmu", "interrupts"), (Cells{1, 7, 4}));
    const auto v2 = generated(vm_with(GicVersion::v2, 3), {.initrd = {}, .pmu = true});
    EXPECT_EQ(TreeView(v2).cells("/pmu", "interrupts"), (Cells{1, 7, 0x704}));
}

TEST(DeviceTree, FollowsTheRecordsWhenTheyChange) {
    MachineDescription vm = vm_with(GicVersion::v2, 3);
    vm.gic.distributor = {Gpa{0x1'0000'0000}, 0x1000};
    vm.gic.cpu_interface = {Gpa{0x1'0000'2000}, 0x2000};
    vm.timer = {1, 2, 3, 4};
    vm.devices[0].registers.base = Gpa{0x12'3456'7000};
    vm.devices[0].spi = 77;
    vm.devices[0].trigger = Trigger::edge;
    (void)vm.memory.emplace_back(MemoryRegion{Gpa{0x8'0000'0000}, 3 * kGiB, RamKind::demand});
    vm.cmdline = "";
    const auto bytes = generated(vm);
    const TreeView tree(bytes);
    EXPECT_EQ(tree.texts("/intc@100000000", "compatible"), "arm,cortex-a15-gic|");
    EXPECT_EQ(tree.cells("/intc@100000000", "reg"), (Cells{1, 0, 0, 0x1000, 1, 0x2000, 0, 0x2000}));
    EXPECT_EQ(tree.cells("/timer", "interrupts"), (Cells{1, 1, 0x704, 1, 2, 0x704, 1, 3, 0x704, 1, 4, 0x704}));
    EXPECT_EQ(tree.cells("/pl011@1234567000", "interrupts"), (Cells{0, 77, 1}));
    EXPECT_EQ(tree.texts("/chosen", "stdout-path"), "/pl011@1234567000|");
    EXPECT_EQ(tree.cells("/memory@800000000", "reg"), (Cells{8, 0, 0, 0xc000'0000}));
    EXPECT_FALSE(tree.bytes("/chosen", "bootargs").has_value());
    EXPECT_EQ(tree.cells("/cpus/cpu@2", "reg"), Cells{2});
    EXPECT_EQ(tree.texts("/cpus/cpu@2", "enable-method"), "psci|");
    EXPECT_FALSE(tree.has("/cpus/cpu@3"));
}

TEST(DeviceTree, DescribesWhatTakesMessages) {
    MachineDescription vm = vm_with(GicVersion::v2);
    EXPECT_EQ(TreeView(generated(vm)).cells("/intc@8000000", "#address-cells"), Cells{0});
    vm.gic.msi.kind = MsiKind::v2m;
    {
        const auto bytes = generated(vm);
        const TreeView tree(bytes);
        EXPECT_EQ(tree.cells("/intc@8000000", "#address-cells"), Cells{2});
        EXPECT_EQ(tree.cells("/intc@8000000", "#size-cells"), Cells{2});
        EXPECT_TRUE(tree.bytes("/intc@8000000", "ranges").has_value());
        EXPECT_EQ(tree.texts("/intc@8000000/v2m@8020000", "compatible"), "arm,gic-v2m-frame|");
        EXPECT_EQ(tree.cells("/intc@8000000/v2m@8020000", "reg"), (Cells{0, 0x802'0000, 0, 0x1000}));
        EXPECT_TRUE(tree.bytes("/intc@8000000/v2m@8020000", "msi-controller").has_value());
        EXPECT_EQ(tree.cells("/intc@8000000/v2m@8020000", "phandle"), Cells{msi_phandle(vm.gic.msi)});
    }
    vm.gic.version = GicVersion::v3;
    vm.gic.msi.kind = MsiKind::its;
    {
        const auto bytes = generated(vm);
        const TreeView tree(bytes);
        EXPECT_EQ(tree.texts("/intc@8000000/its@8080000", "compatible"), "arm,gic-v3-its|");
        EXPECT_EQ(tree.cells("/intc@8000000/its@8080000", "reg"), (Cells{0, 0x808'0000, 0, 0x2'0000}));
        EXPECT_TRUE(tree.bytes("/intc@8000000/its@8080000", "msi-controller").has_value());
        EXPECT_EQ(tree.cells("/intc@8000000/its@8080000", "#msi-cells"), Cells{1});
        EXPECT_EQ(tree.cells("/intc@8000000/its@8080000", "phandle"), Cells{msi_phandle(vm.gic.msi)});
    }
    vm.gic.msi = {MsiKind::mbi, {}, 33, 31};
    const auto bytes = generated(vm);
    const TreeView tree(bytes);
    EXPECT_TRUE(tree.bytes("/intc@8000000", "msi-controller").has_value());
    EXPECT_EQ(tree.cells("/intc@8000000", "mbi-ranges"), (Cells{65, 31}));
    EXPECT_EQ(tree.cells("/intc@8000000", "phandle"), Cells{msi_phandle(vm.gic.msi)});
    EXPECT_EQ(tree.cells("/intc@8000000", "#address-cells"), Cells{0});
}

TEST(DeviceTree, NumbersCpusByAffinity) {
    const auto bytes = generated(vm_with(GicVersion::v3, 18));
    const TreeView tree(bytes);
    EXPECT_EQ(tree.cells("/cpus/cpu@f", "reg"), Cells{15});
    EXPECT_EQ(tree.cells("/cpus/cpu@101", "reg"), Cells{0x101});
    EXPECT_FALSE(tree.has("/cpus/cpu@10"));
}

TEST(DeviceTree, PutsRedistributorsThatDoNotFitWhereTheBoardHasThem) {
    const auto fits = generated(vm_with(GicVersion::v3, 123));
    EXPECT_EQ(TreeView(fits).cells("/intc@8000000", "reg"),
              (Cells{0, 0x0800'0000, 0, 0x1'0000, 0, 0x080a'0000, 0, 0xf6'0000}));
    EXPECT_EQ(TreeView(fits).cells("/intc@8000000", "#redistributor-regions"), Cells{1});
    const auto bytes = generated(vm_with(GicVersion::v3, 124));
    const TreeView tree(bytes);
    EXPECT_EQ(tree.cells("/intc@8000000", "reg"),
              (Cells{0, 0x0800'0000, 0, 0x1'0000, 0, 0x080a'0000, 0, 0xf6'0000, 0x40, 0, 0, 0x400'0000}));
    EXPECT_EQ(tree.cells("/intc@8000000", "#redistributor-regions"), Cells{2});
    EXPECT_TRUE(TreeView(generated(vm_with(GicVersion::v3, 128))).has("/cpus/cpu@70f"));
}

TEST(DeviceTree, SaysNothingOfATopologyThatIsNotDescribed) {
    const auto bytes = generated(vm_with(GicVersion::v3, 4));
    const TreeView tree(bytes);
    EXPECT_FALSE(tree.has("/cpus/cpu-map"));
    EXPECT_FALSE(tree.bytes("/cpus/cpu@0", "phandle").has_value());
    EXPECT_FALSE(tree.bytes("/cpus/cpu@0", "next-level-cache").has_value());
}

TEST(DeviceTree, MapsCpusToSocketsClustersCoresAndThreads) {
    MachineDescription vm = vm_with(GicVersion::v3, 24);
    vm.topology = {2, 3, 2, 2};
    const auto bytes = generated(vm);
    const TreeView tree(bytes);
    u32 n = 0;
    for (const char *socket : {"socket0", "socket1"})
        for (const char *cluster : {"cluster0", "cluster1", "cluster2"})
            for (const char *core : {"core0", "core1"})
                for (const char *thread : {"thread0", "thread1"}) {
                    const std::string path =
                        std::string("/cpus/cpu-map/") + socket + '/' + cluster + '/' + core + '/' + thread;
                    char name[32];
                    std::snprintf(name, sizeof name, "/cpus/cpu@%x", n / 16 * 0x100 + n % 16);
                    EXPECT_EQ(tree.cells(path.c_str(), "cpu"), tree.cells(name, "phandle")) << path;
                    ++n;
                }
    EXPECT_EQ(n, 24u);
    EXPECT_FALSE(tree.has("/cpus/cpu-map/socket2"));
    vm.topology = {1, 1, 24, 1};
    const auto flat = generated(vm);
    EXPECT_EQ(TreeView(flat).cells("/cpus/cpu-map/socket0/cluster0/core23", "cpu"),
              TreeView(flat).cells("/cpus/cpu@107", "phandle"));
}

TEST(DeviceTree, DescribesCachesAndWhoSharesThem) {
    MachineDescription vm = vm_with(GicVersion::v3, 8);
    vm.topology = {2, 2, 2, 1};
    vm.caches = {48 * kKiB - 16 * kKiB, 64 * kKiB, 512 * kKiB, 4 * kMiB};
    const auto bytes = generated(vm);
    const TreeView tree(bytes);
    EXPECT_EQ(tree.cells("/cpus/cpu@5", "i-cache-size"), Cells{32 * kKiB});
    EXPECT_EQ(tree.cells("/cpus/cpu@5", "d-cache-size"), Cells{64 * kKiB});
    EXPECT_EQ(tree.cells("/cpus/cpu@5", "d-cache-line-size"), Cells{64});
    EXPECT_EQ(tree.cells("/cpus/cpu@5", "d-cache-sets"), Cells{256});
    EXPECT_EQ(tree.cells("/cpus/cpu@5", "next-level-cache"), tree.cells("/cpus/l2-cache2", "phandle"));
    EXPECT_EQ(tree.cells("/cpus/l2-cache2", "next-level-cache"), tree.cells("/cpus/l3-cache1", "phandle"));
    EXPECT_EQ(tree.cells("/cpus/l2-cache1", "next-level-cache"), tree.cells("/cpus/l3-cache0", "phandle"));
    EXPECT_EQ(tree.cells("/cpus/l3-cache1", "cache-level"), Cells{3});
    EXPECT_EQ(tree.cells("/cpus/l3-cache1", "cache-sets"), Cells{4096});
    EXPECT_FALSE(tree.has("/cpus/l2-cache4"));
    vm.caches.l2 = 0;
    EXPECT_EQ(TreeView(generated(vm)).cells("/cpus/cpu@0", "next-level-cache"), Cells{0x2001});
}

TEST(DeviceTree, PrefersAConsoleThatSomebodySees) {
    MachineDescription vm = vm_with(GicVersion::v3);
    vm.devices[0].console = ConsoleRoute::none;
    EXPECT_EQ(TreeView(generated(vm)).texts("/chosen", "stdout-path"), "/pl011@9000000|");
    DeviceRecord second = default_uart();
    second.name = "second";
    second.registers.base = Gpa{0x0904'0000};
    (void)vm.devices.emplace_back(second);
    const auto bytes = generated(vm);
    EXPECT_EQ(TreeView(bytes).texts("/chosen", "stdout-path"), "/pl011@9040000|");
    EXPECT_EQ(TreeView(bytes).texts("/aliases", "serial1"), "/pl011@9040000|");
    vm.devices.clear();
    const auto mute = generated(vm);
    EXPECT_FALSE(TreeView(mute).has("/aliases"));
    EXPECT_FALSE(TreeView(mute).bytes("/chosen", "stdout-path").has_value());
}

TEST(DeviceTree, TellsTheInitrdsPlaceAndSeeds) {
    fake::Entropy entropy;
    auto bytes = generated(vm_with(GicVersion::v3), {GpaRange::make(Gpa{0x4800'0000}, 0x1770), &entropy});
    const TreeView tree(bytes);
    EXPECT_EQ(tree.cells("/chosen", "linux,initrd-start"), (Cells{0, 0x4800'0000}));
    EXPECT_EQ(tree.cells("/chosen", "linux,initrd-end"), (Cells{0, 0x4800'1770}));
    EXPECT_EQ(tree.bytes("/chosen", "rng-seed")->size(), 32u);
    EXPECT_EQ(tree.bytes("/chosen", "kaslr-seed")->size(), 8u);
    EXPECT_NE(tree.cells("/chosen", "kaslr-seed")[0], tree.cells("/chosen", "rng-seed")[0]);

    TreeBuffer copy(bytes);
    const auto seeds = find_seeds(copy.bytes());
    ASSERT_EQ(seeds.size(), 2u);
    std::fill(seeds[0].begin(), seeds[0].end(), u8{0xaa});
    std::fill(seeds[1].begin(), seeds[1].end(), u8{0xbb});
    const TreeView changed(copy.bytes());
    EXPECT_EQ(*changed.bytes("/chosen", "rng-seed"), std::vector<u8>(32, 0xaa));
    EXPECT_EQ(*changed.bytes("/chosen", "kaslr-seed"), std::vector<u8>(8, 0xbb));
}

TEST(DeviceTree, LeavesSeedsOutWithoutEntropy) {
    fake::Entropy entropy;
    entropy.available = false;
    auto bytes = generated(vm_with(GicVersion::v3), {{}, &entropy});
    EXPECT_FALSE(TreeView(bytes).bytes("/chosen", "rng-seed").has_value());
    TreeBuffer copy(bytes);
    EXPECT_TRUE(find_seeds(copy.bytes()).empty());
}

TEST(DeviceTree, FindsNoSeedsInWhatIsNoTree) {
    TreeBuffer junk(std::vector<u8>(200, 0xd0));
    EXPECT_TRUE(find_seeds(junk.bytes()).empty());
    EXPECT_TRUE(find_seeds({}).empty());
}

TEST(DeviceTree, FitsItsBufferAtItsLargest) {
    MachineDescription vm = vm_with(GicVersion::v3, 32);
    const std::string cmdline(kMaxCmdlineBytes, 'x');
    vm.cmdline = cmdline;
    while (!vm.memory.full())
        (void)vm.memory.emplace_back(MemoryRegion{Gpa{kGiB * (10 + vm.memory.size())}, kMiB, RamKind::eager});
    while (!vm.devices.full()) {
        DeviceRecord device = default_uart();
        device.registers.base = Gpa{0x0a00'0000 + 0x1000 * vm.devices.size()};
        (void)vm.devices.emplace_back(device);
    }
    const auto bytes = generated(vm);
    EXPECT_EQ(TreeView(bytes).texts("/chosen", "bootargs").size(), kMaxCmdlineBytes + 1);
}

TEST(DeviceTree, TellsThatTheBufferIsTooSmall) {
    for (usize size : {usize{0}, usize{8}, usize{40}, usize{200}, usize{1000}}) {
        TreeBuffer buffer(size);
        const auto tree = write_device_tree(vm_with(GicVersion::v3), {}, buffer.bytes());
        ASSERT_FALSE(tree.has_value()) << size;
        EXPECT_EQ(tree.error(), boot::FdtError::no_space) << size;
    }
}

TEST(DeviceTree, GivesTheCompilerNothingToWarnOf) {
    ASSERT_TRUE(has_program("dtc")) << "install device-tree-compiler; ./dev test does";
    fake::Entropy entropy;
    for (const GicVersion version : {GicVersion::v2, GicVersion::v3})
        for (const u32 vcpus : {1u, 8u}) {
            const TemporaryFile tree, messages;
            tree.write(generated(vm_with(version, vcpus), {GpaRange::make(Gpa{0x4800'0000}, 10), &entropy}));
            const std::string command = "dtc -I dtb -O dts -o /dev/null " + tree.path() + " 2>" + messages.path();
            EXPECT_EQ(std::system(command.c_str()), 0);
            const auto text = messages.read();
            EXPECT_EQ(std::string(text.begin(), text.end()), "");
        }
}

/// What a guest built for QEMU's board may rely on.
TEST(DeviceTree, AgreesWithQemusOwn) {
    ASSERT_TRUE(has_program("qemu-system-aarch64")) << "install qemu-system-arm; ./dev test does";
    for (const GicVersion version : {GicVersion::v2, GicVersion::v3}) {
        const TemporaryFile file;
        const std::string command =
            "timeout 300 qemu-system-aarch64 -M virt,gic-version=" + std::to_string(static_cast<int>(version)) +
            ",dumpdtb=" + file.path() + " -cpu cortex-a57 -m 256 -smp 2 -nic none -display none >/dev/null 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0);
        TreeBuffer theirs_bytes(file.read());
        ASSERT_EQ(fdt_check_full(theirs_bytes.bytes().data(), theirs_bytes.bytes().size()), 0);
        const auto ours_bytes = generated(vm_with(version, 2));
        const TreeView theirs(theirs_bytes.bytes()), ours(ours_bytes);
        const std::pair<const char *, const char *> same[] = {
            {"/", "#address-cells"},
            {"/", "#size-cells"},
            {"/memory@40000000", "reg"},
            {"/memory@40000000", "device_type"},
            {"/timer", "interrupts"},
            {"/timer", "compatible"},
            {"/timer", "always-on"},
            {"/psci", "method"},
            {"/intc@8000000", "reg"},
            {"/intc@8000000", "compatible"},
            {"/intc@8000000", "#interrupt-cells"},
            {"/pl011@9000000", "reg"},
            {"/pl011@9000000", "interrupts"},
            {"/pl011@9000000", "compatible"},
            {"/pl011@9000000", "clock-names"},
            {"/pl031@9010000", "reg"},
            {"/pl031@9010000", "interrupts"},
            {"/pl031@9010000", "compatible"},
            {"/pl031@9010000", "clock-names"},
            {"/apb-pclk", "clock-frequency"},
            {"/cpus/cpu@1", "reg"},
            {"/cpus/cpu@1", "enable-method"},
            {"/cpus", "#address-cells"},
            {"/chosen", "stdout-path"},
        };
        for (const auto &[path, property] : same) {
            ASSERT_TRUE(theirs.bytes(path, property).has_value()) << path << ' ' << property;
            EXPECT_EQ(ours.bytes(path, property), theirs.bytes(path, property)) << path << ' ' << property;
        }
    }
}

} // namespace
} // namespace sel4vm::machine
