/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What growth.c and its guest agree on: where reservations are, and how many.
 */
#pragma once

#define RAM      0x40000000
#define RAM_SIZE 0x1000000
#define REPORT   0x10000000
#define FIRST    0x80000000 /* reservations */
#define STEP     0x2000
#define SIZE     0x1000

#define FEW    248   /* while the guest runs */
#define MANY   10000 /* at most */
#define ROUNDS 10
