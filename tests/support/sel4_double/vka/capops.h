/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls on slots that are named by paths.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int vka_cnode_copy(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights) {
    return seL4_CNode_Copy(to->root, to->capPtr, (seL4_Uint8)to->capDepth, from->root, from->capPtr,
                           (seL4_Uint8)from->capDepth, rights);
}
static inline int vka_cnode_mint(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights,
                                 seL4_Word badge) {
    return seL4_CNode_Mint(to->root, to->capPtr, (seL4_Uint8)to->capDepth, from->root, from->capPtr,
                           (seL4_Uint8)from->capDepth, rights, badge);
}
static inline int vka_cnode_delete(const cspacepath_t *slot) {
    return seL4_CNode_Delete(slot->root, slot->capPtr, (seL4_Uint8)slot->capDepth);
}

#ifdef __cplusplus
}
#endif
