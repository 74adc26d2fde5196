// SPDX-License-Identifier: BSD-2-Clause
//
// libsel4vka and libsel4simple over the environment.
#include <sel4_host/double/environment.hpp>

#include <algorithm>

using namespace sel4vm;
using namespace sel4vm::sel4_double;

namespace {
Environment &environment_of(const vka_t *vka) { return *static_cast<Environment *>(vka->data); }
Environment &environment_of(const simple_t *simple) { return *static_cast<Environment *>(simple->data); }
constexpr u64 kSpareRam = PhysicalMemory::kDeviceBase + PhysicalMemory::kDeviceBytes / 2;
seL4_Uint8 depth_of(const cspacepath_t &path) { return static_cast<seL4_Uint8>(path.capDepth); }
} // namespace

extern "C" {

int vka_cspace_alloc(vka_t *vka, seL4_CPtr *slot) {
    Environment &environment = environment_of(vka);
    const auto taken = environment.kernel.refusals.resource() ? std::nullopt : environment.take_slot();
    if (!taken)
        return -1;
    *slot = *taken;
    return 0;
}

void vka_cspace_free(vka_t *vka, seL4_CPtr slot) { environment_of(vka).give_back_slot(slot); }

void vka_cspace_make_path(vka_t *vka, seL4_CPtr slot, cspacepath_t *path) {
    environment_of(vka).make_path(slot, *path);
}

int vka_cspace_alloc_path(vka_t *vka, cspacepath_t *path) {
    seL4_CPtr slot = 0;
    if (vka_cspace_alloc(vka, &slot) != 0)
        return -1;
    vka_cspace_make_path(vka, slot, path);
    return 0;
}

int vka_cnode_copy(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights) {
    return seL4_CNode_Copy(to->root, to->capPtr, depth_of(*to), from->root, from->capPtr, depth_of(*from), rights);
}

int vka_cnode_mint(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights, seL4_Word badge) {
    return seL4_CNode_Mint(to->root, to->capPtr, depth_of(*to), from->root, from->capPtr, depth_of(*from), rights,
                           badge);
}

int vka_cnode_delete(const cspacepath_t *slot) { return seL4_CNode_Delete(slot->root, slot->capPtr, depth_of(*slot)); }

int vka_alloc_object(vka_t *vka, seL4_Word type, seL4_Word size_bits, vka_object_t *object) {
    *object = {};
    if (environment_of(vka).spare_ram_is_device_memory && type == seL4_UntypedObject)
        return -1;
    return environment_of(vka).make(type, size_bits, std::nullopt, *object) ? 0 : -1;
}

int vka_alloc_object_at_maybe_dev(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t paddr, bool device,
                                  vka_object_t *object) {
    *object = {};
    if (paddr == VKA_NO_PADDR && device && environment_of(vka).spare_ram_is_device_memory) {
        u8 *const bytes = environment_of(vka).kernel.memory.bytes(kSpareRam);
        std::fill_n(bytes, usize{1} << size_bits, u8{0xa5});
        paddr = kSpareRam;
    }
    if (paddr == VKA_NO_PADDR)
        return vka_alloc_object(vka, type, size_bits, object);
    if (!device && !PhysicalMemory::is_ram(paddr))
        return -1;
    return environment_of(vka).make(type, size_bits, paddr, *object) ? 0 : -1;
}

void vka_utspace_free(vka_t *vka, seL4_Word, seL4_Word, seL4_Word ut) { environment_of(vka).free_memory(ut); }

void vka_free_object(vka_t *vka, vka_object_t *object) { environment_of(vka).free(*object); }

seL4_Error simple_ASIDPool_assign(simple_t *simple, seL4_CPtr vspace) {
    return seL4_ARM_ASIDPool_Assign(environment_of(simple).asid_pool, vspace);
}

seL4_Error simple_get_frame_cap(simple_t *simple, void *paddr, int size_bits, cspacepath_t *path) {
    Environment &environment = environment_of(simple);
    // SAFETY: physical addresses are given as pointers.
    const seL4_CPtr frame = environment.device_frame(reinterpret_cast<u64>(paddr));
    if (frame == seL4_CapNull || size_bits != seL4_PageBits)
        return seL4_FailedLookup;
    return seL4_CNode_Copy(path->root, path->capPtr, static_cast<seL4_Uint8>(path->capDepth), environment.root_node,
                           frame, seL4_WordBits, seL4_AllRights);
}

seL4_CPtr simple_get_tcb(simple_t *simple) { return environment_of(simple).tcb; }

seL4_CPtr simple_get_sched_ctrl(simple_t *simple, int core) {
    return core < 0 || core >= CONFIG_MAX_NUM_NODES ? seL4_CapNull : environment_of(simple).sched_control[core];
}

int simple_get_core_count(simple_t *) { return CONFIG_MAX_NUM_NODES; }

} // extern "C"
