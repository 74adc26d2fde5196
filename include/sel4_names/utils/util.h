/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The few macros of seL4's utility library that clients of the C interface use everywhere, for hosts that are not seL4.
 * Included by clients only, never by this library's headers: the names are too common.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef BIT
#define BIT(n) ((uintptr_t)1 << (n))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif
#ifndef ROUND_DOWN
#define ROUND_DOWN(n, b) ((n) / (b) * (b))
#endif
#ifndef ROUND_UP
#define ROUND_UP(n, b) (((n) + (b)-1) / (b) * (b))
#endif
#ifndef IS_ALIGNED
#define IS_ALIGNED(n, b) (((n) & (BIT(b) - 1)) == 0)
#endif
#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef UNUSED
#define UNUSED __attribute__((unused))
#endif
#ifndef PAGE_SIZE_4K
#define PAGE_SIZE_4K BIT(12)
#endif
#ifndef PAGE_BITS_4K
#define PAGE_BITS_4K 12
#endif
