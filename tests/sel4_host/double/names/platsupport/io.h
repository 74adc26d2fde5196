/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Access to devices: not used by the seL4 host, which only passes it on.
 */
#pragma once

typedef struct ps_io_ops {
    void *data;
} ps_io_ops_t;
