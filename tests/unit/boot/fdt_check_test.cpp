// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/boot/fdt_check.hpp>
#include <sel4vm/boot/fdt_writer.hpp>

#include <support/device_tree.hpp>

#include <gtest/gtest.h>
#include <string>

namespace sel4vm::boot {
namespace {

test::TreeBuffer small_tree() {
    test::TreeBuffer buffer(1024);
    FdtWriter out(buffer.bytes());
    out.begin_node("").text("model", "m").begin_node("a", 0x10).cell("x", 7).end_node().end_node();
    const auto tree = out.finish();
    EXPECT_TRUE(tree.has_value());
    return test::TreeBuffer(*tree);
}

TEST(FdtCheck, AcceptsAWellFormedTreeAndWhatFollowsIt) {
    test::TreeBuffer tree = small_tree();
    EXPECT_TRUE(is_well_formed_fdt(tree.bytes()));
    test::TreeBuffer longer(tree.bytes().size() + 100);
    std::copy(tree.bytes().begin(), tree.bytes().end(), longer.bytes().begin());
    EXPECT_TRUE(is_well_formed_fdt(longer.bytes()));
}

TEST(FdtCheck, RefusesTruncationAndMisalignment) {
    test::TreeBuffer tree = small_tree();
    for (usize size = 0; size < tree.bytes().size(); ++size)
        EXPECT_FALSE(is_well_formed_fdt(tree.bytes().first(size))) << size;
    test::TreeBuffer longer(tree.bytes().size() + 4);
    std::copy(tree.bytes().begin(), tree.bytes().end(), longer.bytes().begin() + 4);
    EXPECT_FALSE(is_well_formed_fdt(longer.bytes().subspan(4)));
}

TEST(FdtCheck, RefusesFormatsWithPathsForNames) {
    // libfdt 1.6.1's own check crashes on this one (found by the fuzz target device_tree).
    for (const u8 version : {u8{2}, u8{3}, u8{15}}) {
        test::TreeBuffer tree = small_tree();
        tree.bytes()[23] = version;
        tree.bytes()[27] = 2; // the oldest version that it says to be compatible with
        EXPECT_FALSE(is_well_formed_fdt(tree.bytes())) << int{version};
    }
}

TEST(FdtWriter, RefusesNamesThatAreTooLong) {
    test::TreeBuffer buffer(1024);
    FdtWriter out(buffer.bytes());
    out.begin_node("").begin_node(std::string(64, 'x')).end_node().end_node();
    EXPECT_EQ(out.finish().error(), FdtError::bad_name);
}

TEST(FdtWriter, WritesEveryKindOfValue) {
    test::TreeBuffer buffer(1024);
    FdtWriter out(buffer.bytes());
    const u8 raw[] = {1, 2, 3};
    out.begin_node("").begin_node("a", 0x1'0000'0000);
    out.empty("empty").cells("cells", {1, 2}).wide_cells("wide", {0x1'0000'0002}).texts("texts", {"x", "", "yz"});
    out.bytes("bytes", raw).end_node().end_node();
    const auto tree = out.finish();
    ASSERT_TRUE(tree.has_value());
    const test::TreeView view(*tree);
    EXPECT_EQ(view.bytes("/a@100000000", "empty")->size(), 0u);
    EXPECT_EQ(view.cells("/a@100000000", "cells"), (std::vector<u32>{1, 2}));
    EXPECT_EQ(view.cells("/a@100000000", "wide"), (std::vector<u32>{1, 2}));
    EXPECT_EQ(view.texts("/a@100000000", "texts"), "x||yz|");
    EXPECT_EQ(*view.bytes("/a@100000000", "bytes"), (std::vector<u8>{1, 2, 3}));
}

} // namespace
} // namespace sel4vm::boot
