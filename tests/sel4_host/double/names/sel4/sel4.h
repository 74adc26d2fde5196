/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stand-in for libsel4 in tests: the names that the seL4 host and the conformance suite use, and calls that end in the kernel of
 * tests/sel4_host/double. Nothing else of seL4 is here. The configuration is the build's: CONFIG_KERNEL_MCS and
 * CONFIG_ARM_GIC_V3_SUPPORT choose the variant. Object types have the same numbers in both, unlike the kernel's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CONFIG_MAX_NUM_NODES
#define CONFIG_MAX_NUM_NODES 4
#endif
#define CONFIG_ARCH_AARCH64 1
#define CONFIG_ARCH_ARM     1

#include <sel4/constants.h>
#include <sel4/types.h>

#include <sel4/calls.h>

#ifdef __cplusplus
}
#endif
