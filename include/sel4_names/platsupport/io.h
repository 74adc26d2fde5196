/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Access to the machine's devices, on hosts that are not seL4. vm_host_open() fills it; the mapper is NULL where the host
 * has no devices to give.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef enum ps_mem_flags { PS_MEM_NORMAL, PS_MEM_HR, PS_MEM_HW } ps_mem_flags_t;

typedef void *(*ps_io_map_fn_t)(void *cookie, uintptr_t paddr, size_t size, int cached, ps_mem_flags_t flags);
typedef void (*ps_io_unmap_fn_t)(void *cookie, void *vaddr, size_t size);

typedef struct ps_io_mapper {
    void *cookie;
    ps_io_map_fn_t io_map_fn;
    ps_io_unmap_fn_t io_unmap_fn;
} ps_io_mapper_t;

typedef struct ps_io_ops {
    ps_io_mapper_t io_mapper;
} ps_io_ops_t;

/** Where the VMM sees `size` bytes of a device at `paddr`, or NULL. */
static inline void *ps_io_map(const ps_io_mapper_t *mapper, uintptr_t paddr, size_t size, int cached,
                              ps_mem_flags_t flags) {
    return mapper == NULL || mapper->io_map_fn == NULL ? NULL
                                                       : mapper->io_map_fn(mapper->cookie, paddr, size, cached, flags);
}
static inline void ps_io_unmap(const ps_io_mapper_t *mapper, void *vaddr, size_t size) {
    if (mapper != NULL && mapper->io_unmap_fn != NULL)
        mapper->io_unmap_fn(mapper->cookie, vaddr, size);
}
