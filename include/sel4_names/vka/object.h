/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocating and freeing objects on hosts that are not seL4: frames of 4 KiB, 2 MiB and 1 GiB, endpoints, notifications.
 * Every function gives 0 for success and -1 for failure, as in seL4's libraries.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int vka_alloc_object_at(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr,
                                      vka_object_t *result) {
    if (vka == NULL || result == NULL || vka->alloc_object == NULL)
        return -1;
    return vka->alloc_object(vka->data, type, size_bits, paddr, result);
}
static inline int vka_alloc_object(vka_t *vka, seL4_Word type, seL4_Word size_bits, vka_object_t *result) {
    return vka_alloc_object_at(vka, type, size_bits, VKA_NO_PADDR, result);
}
static inline void vka_free_object(vka_t *vka, vka_object_t *object) {
    if (vka != NULL && object != NULL && vka->free_object != NULL)
        vka->free_object(vka->data, object);
}
static inline uintptr_t vka_object_paddr(vka_t *vka, vka_object_t *object) {
    if (vka == NULL || object == NULL || vka->object_paddr == NULL)
        return VKA_NO_PADDR;
    return vka->object_paddr(vka->data, object);
}

static inline int vka_alloc_endpoint(vka_t *vka, vka_object_t *result) {
    return vka_alloc_object(vka, seL4_EndpointObject, seL4_EndpointBits, result);
}
static inline int vka_alloc_notification(vka_t *vka, vka_object_t *result) {
    return vka_alloc_object(vka, seL4_NotificationObject, seL4_NotificationBits, result);
}

static inline seL4_Word vka_frame_type(uint32_t size_bits) {
    return size_bits == seL4_HugePageBits    ? seL4_ARM_HugePageObject
           : size_bits == seL4_LargePageBits ? seL4_ARM_LargePageObject
                                             : seL4_ARM_SmallPageObject;
}
/** `size_bits` 12, 21 or 30. */
static inline int vka_alloc_frame(vka_t *vka, uint32_t size_bits, vka_object_t *result) {
    return vka_alloc_object(vka, vka_frame_type(size_bits), size_bits, result);
}
static inline int vka_alloc_frame_at(vka_t *vka, uint32_t size_bits, uintptr_t paddr, vka_object_t *result) {
    return vka_alloc_object_at(vka, vka_frame_type(size_bits), size_bits, paddr, result);
}

#ifdef __cplusplus
}
#endif
