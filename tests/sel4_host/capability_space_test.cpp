// SPDX-License-Identifier: BSD-2-Clause
//
// The guest's capability space has room for as many vCPUs as there can be, and for services besides, whatever kernel it is built for.
#include <hosts/sel4/guest_capabilities.hpp>

#include <gtest/gtest.h>

namespace sel4vm::sel4_double {
namespace {

using sel4::guest_cspace_bits;
using sel4::kFaultEndpointSlot;

constexpr usize kServices = 6;

TEST(Sel4CapabilitySpace, HasASlotForEachVcpuAndSixForServices) {
    for (usize vcpus = 1; vcpus <= 128; ++vcpus) {
        const usize slots = usize{1} << guest_cspace_bits(vcpus);
        const usize first_service = kFaultEndpointSlot + vcpus + 1; // as vmm_install_service() has it
        EXPECT_LE(first_service + kServices, slots) << vcpus;
        EXPECT_LT(slots, 2 * (first_service + kServices) + 16) << vcpus << ": far more than that";
    }
}

TEST(Sel4CapabilitySpace, HasTheSixteenSlotsOfOldWhereTheyAreEnough) {
    EXPECT_EQ(guest_cspace_bits(1), 4U);
    EXPECT_EQ(guest_cspace_bits(8), 4U);
    EXPECT_EQ(guest_cspace_bits(9), 5U);
}

} // namespace
} // namespace sel4vm::sel4_double
