/* SPDX-License-Identifier: BSD-2-Clause */
#include <sel4/accounting.h>

#include <stddef.h>

static accounts_t now;
static vka_t vka;       /* as it was */
static vspace_t vspace; /* likewise */

/* ---- the heap, which the linker's --wrap sends here */

void *__real_malloc(size_t size);
void __real_free(void *block);
void *__real_calloc(size_t count, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void __wrap_free(void *block);
void *__wrap_calloc(size_t count, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);

void *__wrap_malloc(size_t size) {
    void *block = __real_malloc(size);
    now.blocks += block != NULL;
    return block;
}

void *__wrap_calloc(size_t count, size_t size) {
    const long before = now.blocks;
    void *block = __real_calloc(count, size);
    now.blocks = before + (block != NULL);
    return block;
}

void __wrap_free(void *block) {
    now.blocks -= block != NULL;
    __real_free(block);
}

/* Whether it calls malloc(), and free() for what it cuts off, is its business; so is it with calloc(). */
int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
    const long before = now.blocks;
    const int error = __real_posix_memalign(block, alignment, size);
    now.blocks = before + (error == 0);
    return error;
}

/* ---- vka */

static int slot(void *data, seL4_CPtr *cptr) {
    const int error = vka.cspace_alloc(data, cptr);
    now.slots += error == 0;
    return error;
}

static void free_slot(void *data, seL4_CPtr cptr) {
    now.slots--;
    vka.cspace_free(data, cptr);
}

static int count_object(int error, seL4_Word size_bits) {
    if (error == 0) {
        now.objects++;
        now.object_bytes += 1L << size_bits;
    }
    return error;
}

static int object(void *data, const cspacepath_t *dest, seL4_Word type, seL4_Word size_bits, seL4_Word *cookie) {
    return count_object(vka.utspace_alloc(data, dest, type, size_bits, cookie), size_bits);
}

static int object_maybe_device(void *data, const cspacepath_t *dest, seL4_Word type, seL4_Word size_bits, bool device,
                               seL4_Word *cookie) {
    return count_object(vka.utspace_alloc_maybe_device(data, dest, type, size_bits, device, cookie), size_bits);
}

static int object_at(void *data, const cspacepath_t *dest, seL4_Word type, seL4_Word size_bits, uintptr_t paddr,
                     seL4_Word *cookie) {
    return count_object(vka.utspace_alloc_at(data, dest, type, size_bits, paddr, cookie), size_bits);
}

static void free_object(void *data, seL4_Word type, seL4_Word size_bits, seL4_Word cookie) {
    now.objects--;
    now.object_bytes -= 1L << size_bits;
    vka.utspace_free(data, type, size_bits, cookie);
}

/* ---- vspace */

static reservation_t reserve(vspace_t *v, size_t bytes, size_t bits, seL4_CapRights_t rights, int cacheable,
                             void **at) {
    const reservation_t result = vspace.reserve_range_aligned(v, bytes, bits, rights, cacheable, at);
    now.reservations += result.res != NULL;
    return result;
}

static reservation_t reserve_at(vspace_t *v, void *at, size_t bytes, seL4_CapRights_t rights, int cacheable) {
    const reservation_t result = vspace.reserve_range_at(v, at, bytes, rights, cacheable);
    now.reservations += result.res != NULL;
    return result;
}

static void free_reservation(vspace_t *v, reservation_t reservation) {
    now.reservations--;
    vspace.free_reservation(v, reservation);
}

static void *new_pages(vspace_t *v, seL4_CapRights_t rights, size_t count, size_t bits) {
    void *at = vspace.new_pages(v, rights, count, bits);
    now.pages += at != NULL ? (long)count : 0;
    return at;
}

static void *map_pages(vspace_t *v, seL4_CPtr caps[], uintptr_t cookies[], seL4_CapRights_t rights, size_t count,
                       size_t bits, int cacheable) {
    void *at = vspace.map_pages(v, caps, cookies, rights, count, bits, cacheable);
    now.pages += at != NULL ? (long)count : 0;
    return at;
}

static int map_pages_at(vspace_t *v, seL4_CPtr caps[], uintptr_t cookies[], void *at, size_t count, size_t bits,
                        reservation_t reservation) {
    const int error = vspace.map_pages_at_vaddr(v, caps, cookies, at, count, bits, reservation);
    now.pages += error == 0 ? (long)count : 0;
    return error;
}

static void unmap_pages(vspace_t *v, void *at, size_t count, size_t bits, vka_t *free) {
    now.pages -= (long)count;
    vspace.unmap_pages(v, at, count, bits, free);
}

void accounting_begin(vm_host_t *host) {
    vka = host->vka;
    host->vka.cspace_alloc = slot;
    host->vka.cspace_free = free_slot;
    host->vka.utspace_alloc = object;
    host->vka.utspace_alloc_maybe_device = object_maybe_device;
    host->vka.utspace_alloc_at = object_at;
    host->vka.utspace_free = free_object;
    vspace = host->vspace;
    host->vspace.reserve_range_aligned = reserve;
    host->vspace.reserve_range_at = reserve_at;
    host->vspace.free_reservation = free_reservation;
    host->vspace.new_pages = new_pages;
    host->vspace.map_pages = map_pages;
    host->vspace.map_pages_at_vaddr = map_pages_at;
    host->vspace.unmap_pages = unmap_pages;
}

void accounting_end(vm_host_t *host) {
    host->vka = vka;
    host->vspace = vspace;
}

accounts_t accounting_now(void) { return now; }

unsigned long accounting_free_bytes(vm_host_t *host) {
    enum { MAX_BLOCKS = 256, LARGEST = 33 };
    static vka_object_t blocks[MAX_BLOCKS];
    size_t count = 0;
    unsigned long bytes = 0;
    for (unsigned int bits = LARGEST; bits >= seL4_PageBits; bits--) {
        while (count < MAX_BLOCKS && vka_alloc_untyped(&host->vka, bits, &blocks[count]) == 0) {
            count++;
            bytes += 1ul << bits;
        }
    }
    while (count > 0)
        vka_free_object(&host->vka, &blocks[--count]);
    return bytes;
}
