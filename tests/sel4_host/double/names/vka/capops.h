/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls on slots that are named by paths.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

int vka_cnode_copy(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights);
int vka_cnode_mint(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights, seL4_Word badge);
int vka_cnode_delete(const cspacepath_t *slot);

#ifdef __cplusplus
}
#endif
