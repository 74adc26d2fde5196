/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tests of what only seL4 has: the guest's vspace_t.
 */
#pragma once

#include <suite/conformance.h>

extern const conformance_test_t sel4_vspace_tests[];
extern const size_t sel4_vspace_test_count;

#define SEL4_TEST(function) \
    { #function, function }
