// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/portable/gic/list_register_format.hpp>

#include <gtest/gtest.h>

namespace sel4vm::el2 {
namespace {

using aarch64::ListRegister;
using aarch64::ListRegisterState;

ListRegister sgi_from_cpu_3() {
    ListRegister lr;
    lr.state = ListRegisterState::pending;
    lr.priority = 0xa0;
    lr.source_cpu = 3;
    lr.eoi_maintenance = true;
    lr.group1 = false;
    lr.intid = 5;
    return lr;
}

ListRegister linked_timer() {
    ListRegister lr;
    lr.state = ListRegisterState::pending_and_active;
    lr.priority = 0x80;
    lr.hardware_linked = true;
    lr.physical_intid = 27;
    lr.intid = 27;
    return lr;
}

TEST(ListRegisterFormat, Gicv2BitsAreThoseOfTheManual) {
    EXPECT_EQ(to_gich(sgi_from_cpu_3()), 5u | 3u << 10 | 1u << 19 | 0x14u << 23 | 1u << 28);
    EXPECT_EQ(to_gich(linked_timer()), 27u | 27u << 10 | 0x10u << 23 | 3u << 28 | 1u << 30 | 1u << 31);
}

TEST(ListRegisterFormat, Gicv3BitsAreThoseOfTheManual) {
    EXPECT_EQ(to_ich(sgi_from_cpu_3()), u64{5} | u64{1} << 41 | u64{0xa0} << 48 | u64{1} << 62);
    EXPECT_EQ(to_ich(linked_timer()),
              u64{27} | u64{27} << 32 | u64{0x80} << 48 | u64{1} << 60 | u64{1} << 61 | u64{3} << 62);
}

TEST(ListRegisterFormat, WhatIsWrittenReadsBack) {
    EXPECT_EQ(from_gich(to_gich(sgi_from_cpu_3())), sgi_from_cpu_3());
    EXPECT_EQ(from_gich(to_gich(linked_timer())), linked_timer());
    EXPECT_EQ(from_ich(to_ich(linked_timer())), linked_timer());
    ListRegister without_source = sgi_from_cpu_3();
    without_source.source_cpu = 0;
    EXPECT_EQ(from_ich(to_ich(sgi_from_cpu_3())), without_source) << "GICv3 has no source CPU in a list register";
}

TEST(ListRegisterFormat, AnEmptyRegisterIsZeroApartFromItsGroup) {
    ListRegister empty;
    empty.group1 = false;
    EXPECT_EQ(to_gich(empty), 0u);
    EXPECT_EQ(to_ich(empty), 0u);
    EXPECT_EQ(from_ich(0), empty);
}

} // namespace
} // namespace sel4vm::el2
