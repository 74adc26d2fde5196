/* SPDX-License-Identifier: BSD-2-Clause */
#include <suite/list.h>
#include <suite/tests.h>

#define TEST(function) {#function, function},

const conformance_test_t conformance_tests[] = {CONFORMANCE_C_TESTS(TEST) CONFORMANCE_CXX_TESTS(TEST)};

const size_t conformance_test_count = sizeof(conformance_tests) / sizeof(conformance_tests[0]);
