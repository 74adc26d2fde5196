/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of the conformance suite that is about libsel4vmmplatsupport: what each host's hooks must do. Apart from the
 * rest, so that a host can be tried without that library.
 */
#pragma once

#include <suite/conformance.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const conformance_test_t platform_support_tests[];
extern const size_t platform_support_test_count;

/* In client_tests.c. */
void test_a_platform_vcpu_leaves_its_interrupts_to_the_client(conformance_t *t);

#ifdef __cplusplus
}
#endif
