/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Objects with memory and a slot of their own.
 */
#pragma once

#include <vka/vka.h>

#ifdef __cplusplus
extern "C" {
#endif

int vka_alloc_object(vka_t *vka, seL4_Word type, seL4_Word size_bits, vka_object_t *object);
int vka_alloc_object_at_maybe_dev(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, bool device,
                                  vka_object_t *object);
void vka_free_object(vka_t *vka, vka_object_t *object);

/* As with allocman, device memory will do. */
static inline int vka_alloc_object_at(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr,
                                      vka_object_t *object) {
    return vka_alloc_object_at_maybe_dev(vka, type, size_bits, paddr, true, object);
}
static inline seL4_Word vka_frame_type(uint32_t size_bits) {
    return size_bits == seL4_HugePageBits    ? seL4_ARM_HugePageObject
           : size_bits == seL4_LargePageBits ? seL4_ARM_LargePageObject
                                             : seL4_ARM_SmallPageObject;
}
static inline int vka_alloc_frame(vka_t *vka, uint32_t size_bits, vka_object_t *object) {
    return vka_alloc_object(vka, vka_frame_type(size_bits), size_bits, object);
}
static inline int vka_alloc_frame_at(vka_t *vka, uint32_t size_bits, uintptr_t paddr, vka_object_t *object) {
    return vka_alloc_object_at(vka, vka_frame_type(size_bits), size_bits, paddr, object);
}
static inline int vka_alloc_endpoint(vka_t *vka, vka_object_t *object) {
    return vka_alloc_object(vka, seL4_EndpointObject, seL4_EndpointBits, object);
}
static inline int vka_alloc_notification(vka_t *vka, vka_object_t *object) {
    return vka_alloc_object(vka, seL4_NotificationObject, seL4_NotificationBits, object);
}

#ifdef __cplusplus
}
#endif
