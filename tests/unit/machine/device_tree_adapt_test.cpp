// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/machine/arm/device_tree.hpp>

#include <hosts/fake/services.hpp>
#include <support/descriptions.hpp>
#include <support/device_tree.hpp>

#include <gtest/gtest.h>
#include <random>
#include <string>

namespace sel4vm::machine {
namespace {

using boot::FdtError;
using boot::FdtWriter;
using test::TreeBuffer;
using test::TreeView;
using Cells = std::vector<u32>;

struct UserTree {
    u32 address_cells = 2;
    u32 size_cells = 2;
    bool memory = true;
    bool chosen = true;
    const char *psci = nullptr; ///< its method
};

TreeBuffer make(const UserTree &what) {
    TreeBuffer buffer(8192);
    FdtWriter out(buffer.bytes());
    out.begin_node("");
    out.cell("#address-cells", what.address_cells).cell("#size-cells", what.size_cells).text("model", "mine");
    if (what.memory) {
        out.begin_node("memory", 0x1000).text("device_type", "memory").cells("reg", {1, 2, 3, 4}).end_node();
        out.begin_node("memory").text("device_type", "memory").end_node();
        out.begin_node("memory-controller", 5).text("keep", "this").end_node();
    }
    if (what.chosen) {
        out.begin_node("chosen").text("bootargs", "old").text("other", "kept").cell("linux,initrd-start", 1).end_node();
    }
    if (what.psci != nullptr)
        out.begin_node("psci").text("method", what.psci).end_node();
    out.begin_node("soc").begin_node("memory", 7).text("keep", "this").end_node().end_node();
    out.end_node();
    const auto tree = out.finish();
    EXPECT_TRUE(tree.has_value());
    return TreeBuffer(*tree);
}

struct Adapted {
    TreeBuffer buffer;
    Result<std::span<u8>, FdtError> tree;
    TreeView view() const { return TreeView(*tree); }
};

Adapted adapt(TreeBuffer user, const MachineDescription &vm = test::good_vm(), const DeviceTreeInputs &inputs = {}) {
    Adapted adapted{TreeBuffer(user.bytes().size() + kDeviceTreeBufferBytes), Err{FdtError::malformed}};
    adapted.tree = adapt_device_tree(user.bytes(), vm, inputs, adapted.buffer.bytes());
    if (adapted.tree) {
        EXPECT_EQ(fdt_check_full(adapted.tree->data(), adapted.tree->size()), 0);
    }
    return adapted;
}

TEST(OwnDeviceTree, GetsTheMachinesMemoryOnly) {
    const Adapted adapted = adapt(make({}));
    ASSERT_TRUE(adapted.tree.has_value());
    const TreeView tree = adapted.view();
    EXPECT_EQ(tree.cells("/memory@40000000", "reg"), (Cells{0, 0x4000'0000, 0, 0x1000'0000}));
    EXPECT_EQ(tree.texts("/memory@40000000", "device_type"), "memory|");
    usize memory_nodes = 0;
    int node = 0;
    fdt_for_each_subnode(node, adapted.tree->data(), 0) {
        const std::string_view name = fdt_get_name(adapted.tree->data(), node, nullptr);
        memory_nodes += name == "memory" || name.starts_with("memory@");
    }
    EXPECT_EQ(memory_nodes, 1u);
    EXPECT_EQ(tree.texts("/memory-controller@5", "keep"), "this|");
    EXPECT_EQ(tree.texts("/soc/memory@7", "keep"), "this|");
    EXPECT_EQ(tree.texts("/", "model"), "mine|");
}

TEST(OwnDeviceTree, GetsEveryMemoryRegion) {
    MachineDescription vm = test::good_vm();
    (void)vm.memory.emplace_back(MemoryRegion{Gpa{0x1'0000'0000}, kGiB, RamKind::eager});
    const Adapted adapted = adapt(make({}), vm);
    ASSERT_TRUE(adapted.tree.has_value());
    EXPECT_EQ(adapted.view().cells("/memory@100000000", "reg"), (Cells{1, 0, 0, 0x4000'0000}));
    EXPECT_EQ(adapted.view().cells("/memory@40000000", "reg"), (Cells{0, 0x4000'0000, 0, 0x1000'0000}));
}

TEST(OwnDeviceTree, KeepsItsOwnChosenUnlessThereIsSomethingToSay) {
    MachineDescription vm = test::good_vm();
    vm.cmdline = "";
    const Adapted adapted = adapt(make({}), vm);
    ASSERT_TRUE(adapted.tree.has_value());
    EXPECT_EQ(adapted.view().texts("/chosen", "bootargs"), "old|");
    EXPECT_EQ(adapted.view().texts("/chosen", "other"), "kept|");
    EXPECT_EQ(adapted.view().cells("/chosen", "linux,initrd-start"), Cells{1});
}

TEST(OwnDeviceTree, GetsCommandLineInitrdAndSeeds) {
    for (const bool chosen : {true, false}) {
        fake::Entropy entropy;
        UserTree user;
        user.chosen = chosen;
        const Adapted adapted = adapt(make(user), test::good_vm(), {GpaRange::make(Gpa{0x4800'0000}, 6000), &entropy});
        ASSERT_TRUE(adapted.tree.has_value());
        const TreeView tree = adapted.view();
        EXPECT_EQ(tree.texts("/chosen", "bootargs"), "console=ttyAMA0|");
        EXPECT_EQ(tree.cells("/chosen", "linux,initrd-start"), (Cells{0, 0x4800'0000}));
        EXPECT_EQ(tree.cells("/chosen", "linux,initrd-end"), (Cells{0, 0x4800'1770}));
        EXPECT_EQ(find_seeds(*adapted.tree).size(), 2u);
    }
}

TEST(OwnDeviceTree, IsWrittenInItsOwnCells) {
    const Adapted adapted = adapt(make({1, 1}), test::good_vm(), {GpaRange::make(Gpa{0x4800'0000}, 6000)});
    ASSERT_TRUE(adapted.tree.has_value());
    EXPECT_EQ(adapted.view().cells("/memory@40000000", "reg"), (Cells{0x4000'0000, 0x1000'0000}));
    EXPECT_EQ(adapted.view().cells("/chosen", "linux,initrd-start"), Cells{0x4800'0000});
}

TEST(OwnDeviceTree, IsRefusedWhenItsCellsAreTooNarrowOrOdd) {
    MachineDescription high = test::good_vm();
    high.memory[0].base = Gpa{0x1'0000'0000};
    EXPECT_EQ(adapt(make({1, 2}), high).tree.error(), FdtError::bad_cells);
    MachineDescription large = test::good_vm();
    large.memory[0].size_bytes = 4 * kGiB;
    EXPECT_EQ(adapt(make({2, 1}), large).tree.error(), FdtError::bad_cells);
    for (const u32 cells : {0u, 3u, 4u, 0x8000'0000u, ~0u}) {
        EXPECT_EQ(adapt(make({cells, 2})).tree.error(), FdtError::bad_cells) << cells;
        EXPECT_EQ(adapt(make({2, cells})).tree.error(), FdtError::bad_cells) << cells;
    }
}

TEST(OwnDeviceTree, GetsAPsciNodeUnlessItHasOne) {
    EXPECT_EQ(adapt(make({})).view().texts("/psci", "method"), "hvc|");
    UserTree user;
    user.psci = "smc";
    const Adapted adapted = adapt(make(user));
    EXPECT_EQ(adapted.view().texts("/psci", "method"), "smc|");
    EXPECT_FALSE(adapted.view().bytes("/psci", "compatible").has_value());
}

TEST(OwnDeviceTree, CallsFirmwareBySmcWhereAnHvcMayBeTheHosts) {
    DeviceTreeInputs inputs;
    inputs.firmware = aarch64::Conduit::smc;
    EXPECT_EQ(adapt(make({}), test::good_vm(), inputs).view().texts("/psci", "method"), "smc|");
    UserTree user;
    user.psci = "hvc";
    EXPECT_EQ(adapt(make(user), test::good_vm(), inputs).view().texts("/psci", "method"), "smc|");
    EXPECT_EQ(adapt(make(user)).view().texts("/psci", "method"), "hvc|");
}

TEST(OwnDeviceTree, MayBeAGeneratedOne) {
    TreeBuffer buffer(kDeviceTreeBufferBytes);
    const auto tree = write_device_tree(test::good_vm(), {}, buffer.bytes());
    ASSERT_TRUE(tree.has_value());
    const Adapted adapted = adapt(TreeBuffer(*tree));
    ASSERT_TRUE(adapted.tree.has_value());
    EXPECT_EQ(adapted.view().texts("/chosen", "bootargs"), "console=ttyAMA0|");
    EXPECT_EQ(adapted.view().texts("/psci", "compatible"), "arm,psci-1.0|arm,psci-0.2|");
}

TEST(OwnDeviceTree, IsRefusedWhenTruncatedOrNoTree) {
    TreeBuffer whole = make({});
    for (usize size = 0; size < whole.bytes().size(); size += 3)
        EXPECT_FALSE(adapt(TreeBuffer(whole.bytes().first(size))).tree.has_value()) << size;
    EXPECT_EQ(adapt(TreeBuffer(std::vector<u8>(1000, 0x55))).tree.error(), FdtError::malformed);
}

TEST(OwnDeviceTree, TellsThatTheBufferIsTooSmall) {
    TreeBuffer user = make({});
    for (usize size = 0; size < user.bytes().size() + 80; size += 5) {
        TreeBuffer buffer(size);
        const auto tree = adapt_device_tree(user.bytes(), test::good_vm(), {}, buffer.bytes());
        ASSERT_FALSE(tree.has_value()) << size;
        EXPECT_EQ(tree.error(), FdtError::no_space) << size;
    }
}

TEST(OwnDeviceTree, SurvivesRandomDamage) {
    TreeBuffer user = make({});
    std::mt19937 random(7);
    for (int round = 0; round < 3000; ++round) {
        TreeBuffer damaged(user.bytes());
        for (int i = 0; i < 4; ++i)
            damaged.bytes()[random() % damaged.bytes().size()] = static_cast<u8>(random());
        TreeBuffer buffer(damaged.bytes().size() + 4096);
        (void)adapt_device_tree(damaged.bytes(), test::good_vm(), {}, buffer.bytes()).has_value();
    }
}

} // namespace
} // namespace sel4vm::machine
