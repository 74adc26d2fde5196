/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tests of what only seL4 has: the guest's vspace_t, a kernel that traps WFI, SMC capabilities, budgets, threads with VMs of their own, and
 * whether everything comes back.
 */
#pragma once

#include <suite/conformance.h>

extern const conformance_test_t sel4_vspace_tests[];
extern const size_t sel4_vspace_test_count;
extern const conformance_test_t sel4_waiting_tests[];
extern const size_t sel4_waiting_test_count;
extern const conformance_test_t sel4_smc_tests[];
extern const size_t sel4_smc_test_count;
extern const conformance_test_t sel4_budget_tests[];
extern const size_t sel4_budget_test_count;
extern const conformance_test_t sel4_threads_tests[];
extern const size_t sel4_threads_test_count;
extern const conformance_test_t sel4_accounting_tests[];
extern const size_t sel4_accounting_test_count;

#define SEL4_TEST(function) \
    { #function, function }
