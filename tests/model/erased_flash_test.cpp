// SPDX-License-Identifier: BSD-2-Clause
//
// A flash bank without an image.
#include <gtest/gtest.h>
#include <sel4vm/dev/erased_flash.hpp>

namespace sel4vm::dev {
namespace {

TEST(ErasedFlashTest, ReadsAsErasedWhateverIsWritten) {
    ErasedFlash flash;
    EXPECT_TRUE(flash.write({0x20, Width::b4, VcpuId{0}}, 0x98)); // the query command of a flash chip
    EXPECT_EQ(*flash.read({0x20, Width::b1, VcpuId{0}}), 0xffu);
    EXPECT_EQ(*flash.read({0x20, Width::b4, VcpuId{0}}), 0xffff'ffffu);
    EXPECT_EQ(*flash.read({0x20, Width::b8, VcpuId{0}}), ~u64{0});
}

} // namespace
} // namespace sel4vm::dev
