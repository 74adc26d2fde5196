/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include <vka/vka.h>
int vka_alloc_object(vka_t *vka, seL4_Word type, seL4_Word size_bits, vka_object_t *object);
int vka_alloc_object_at(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, vka_object_t *object);
int vka_alloc_object_at_maybe_dev(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, bool device,
                                  vka_object_t *object);
void vka_free_object(vka_t *vka, vka_object_t *object);
