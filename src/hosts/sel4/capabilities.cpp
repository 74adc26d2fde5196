// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/sel4/capabilities.hpp>

namespace sel4vm::sel4 {

bool CapSlot::allocate(vka_t &vka) {
    reset();
    seL4_CPtr slot = 0;
    if (vka_cspace_alloc(&vka, &slot) != 0)
        return false;
    vka_ = &vka;
    cap_ = slot;
    return true;
}

cspacepath_t CapSlot::path() const {
    cspacepath_t path{};
    vka_cspace_make_path(vka_, cap_, &path);
    return path;
}

Status<HostError> CapSlot::copy_of(vka_t &vka, seL4_CPtr source, seL4_CapRights_t rights) {
    if (!allocate(vka))
        return Err{out_of_memory()};
    cspacepath_t from{};
    vka_cspace_make_path(&vka, source, &from);
    const cspacepath_t to = path();
    if (const int error = vka_cnode_copy(&to, &from, rights); error != 0) {
        reset();
        return Err{host_error(error)};
    }
    return Ok{};
}

Status<HostError> CapSlot::retype(const vka_object_t &untyped, seL4_Word type, unsigned size_bits) {
    const cspacepath_t to = path();
    const int error = seL4_Untyped_Retype(untyped.cptr, type, size_bits, to.root, to.dest, to.destDepth, to.offset, 1);
    if (error != 0)
        return Err{host_error(error)};
    return Ok{};
}

void CapSlot::clear() {
    if (vka_ == nullptr)
        return;
    const cspacepath_t slot = path();
    static_cast<void>(vka_cnode_delete(&slot)); // an empty slot may be deleted
}

void CapSlot::reset() {
    if (vka_ == nullptr)
        return;
    clear();
    vka_cspace_free(vka_, cap_);
    vka_ = nullptr;
    cap_ = 0;
}

Status<HostError> OwnedObject::allocate(vka_t &vka, seL4_Word type, unsigned size_bits) {
    reset();
    if (const int error = vka_alloc_object(&vka, type, size_bits, &object_); error != 0)
        return Err{out_of_memory(error)};
    vka_ = &vka;
    return Ok{};
}

Status<HostError> OwnedObject::allocate_anywhere(vka_t &vka, seL4_Word type, unsigned size_bits) {
    reset();
    constexpr bool kMayBeDevice = true;
    if (const int error = vka_alloc_object_at_maybe_dev(&vka, type, size_bits, VKA_NO_PADDR, kMayBeDevice, &object_);
        error != 0)
        return Err{out_of_memory(error)};
    vka_ = &vka;
    return Ok{};
}

Status<HostError> OwnedObject::allocate_at(vka_t &vka, seL4_Word type, unsigned size_bits, HostPhys phys, Kind kind) {
    reset();
    const int error = kind == Kind::device
                          ? vka_alloc_object_at_maybe_dev(&vka, type, size_bits, phys.value(), true, &object_)
                          : vka_alloc_object_at(&vka, type, size_bits, phys.value(), &object_);
    if (error != 0)
        return Err{out_of_memory(error)};
    vka_ = &vka;
    return Ok{};
}

void OwnedObject::reset() {
    if (vka_ == nullptr)
        return;
    vka_free_object(vka_, &object_);
    vka_ = nullptr;
    object_ = vka_object_t{};
}

seL4_Word frame_type(unsigned size_bits) {
    if (size_bits == seL4_HugePageBits)
        return seL4_ARM_HugePageObject;
    if (size_bits == seL4_LargePageBits)
        return seL4_ARM_LargePageObject;
    return seL4_ARM_SmallPageObject;
}

} // namespace sel4vm::sel4
