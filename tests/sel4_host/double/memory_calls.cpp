// SPDX-License-Identifier: BSD-2-Clause
//
// Calls on frames, page tables and ASID pools.
#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/kernel.hpp>

namespace sel4vm::sel4_double {

namespace {

constexpr u64 kUserTop = (u64{1} << VSpace::kAddressBits) - 1;

/// The space that a capability names, if it may be mapped into; the error otherwise.
seL4_Error find_space(seL4_CPtr cap, VSpace *&space, u32 &asid) {
    const Capability *const found = Kernel::current().slot(cap);
    if (found == nullptr || !found->is(ObjectKind::vspace) || found->asid == 0)
        return seL4_InvalidCapability;
    asid = found->asid;
    space = vspace_of(asid);
    if (space == nullptr)
        return seL4_FailedLookup;
    return space == found->object() ? seL4_NoError : seL4_InvalidCapability;
}

/// The message that goes with a lookup that ended `bits` above the address's end.
seL4_Error missing_table(unsigned bits) {
    seL4_Word *const message = Kernel::current().buffer.msg;
    constexpr u64 kMissingCapability = 2;
    message[0] = 0; // not the source
    message[1] = kMissingCapability;
    message[2] = bits;
    return seL4_FailedLookup;
}

} // namespace

} // namespace sel4vm::sel4_double

using namespace sel4vm;
using namespace sel4vm::sel4_double;

extern "C" {

seL4_Error seL4_ARM_Page_Map(seL4_ARM_Page cap, seL4_CPtr vspace, seL4_Word at, seL4_CapRights_t rights,
                             seL4_ARM_VMAttributes attributes) {
    Kernel &kernel = Kernel::current();
    Frame *const frame = kernel.invoked_as<Frame>(cap);
    if (frame == nullptr)
        return seL4_InvalidCapability;
    Capability &capability = *kernel.slot(cap);
    VSpace *space = nullptr;
    u32 asid = 0;
    if (const seL4_Error error = find_space(vspace, space, asid); error != 0)
        return error;
    if (at % (u64{1} << frame->size_bits) != 0)
        return seL4_AlignmentError;
    if (capability.asid != 0 && capability.asid != asid)
        return seL4_InvalidCapability;
    if (capability.asid != 0 ? capability.address != at : at > kUserTop - ((u64{1} << frame->size_bits) - 1))
        return seL4_InvalidArgument;
    const VSpace::Place place = space->find(at);
    if (place.bits != frame->size_bits)
        return missing_table(place.bits);
    if (place.entry->table != nullptr)
        kernel.violate("a frame over a page table");
    if (place.entry->frame != nullptr && place.entry->frame != frame)
        kernel.violate("a frame over another, which the kernel would replace");
    if (kernel.refusals.call())
        return seL4_InvalidCapability;
    const u8 given = capability.rights & static_cast<u8>(rights.words[0]);
    *place.entry = {nullptr, frame, static_cast<u8>(given & (kRead | kWrite)),
                    (attributes & seL4_ARM_ExecuteNever) == 0 && (attributes & seL4_ARM_PageCacheable) != 0};
    capability.asid = asid;
    capability.address = at;
    return seL4_NoError;
}

seL4_Error seL4_ARM_Page_Unmap(seL4_ARM_Page cap) {
    Kernel &kernel = Kernel::current();
    Frame *const frame = kernel.invoked_as<Frame>(cap);
    if (frame == nullptr)
        return seL4_InvalidCapability;
    Capability &capability = *kernel.slot(cap);
    if (capability.asid != 0)
        unmap_frame(*frame, capability.asid, capability.address);
    capability.asid = 0;
    return seL4_NoError;
}

static seL4_Error flush(seL4_ARM_Page cap, seL4_Word start, seL4_Word end) {
    Kernel &kernel = Kernel::current();
    const Frame *const frame = kernel.invoked_as<Frame>(cap);
    if (frame == nullptr)
        return seL4_InvalidCapability;
    const u64 size = u64{1} << frame->size_bits;
    seL4_Error error = seL4_NoError;
    if (kernel.slot(cap)->asid == 0)
        error = seL4_IllegalOperation;
    else if (vspace_of(kernel.slot(cap)->asid) == nullptr)
        error = seL4_FailedLookup;
    else if (end <= start || start >= size || end > size)
        error = seL4_InvalidArgument;
    if (error != 0)
        kernel.violate("a cache operation on what is not mapped, or beyond it");
    return error;
}

seL4_Error seL4_ARM_Page_Clean_Data(seL4_ARM_Page cap, seL4_Word start, seL4_Word end) {
    return flush(cap, start, end);
}
seL4_Error seL4_ARM_Page_Unify_Instruction(seL4_ARM_Page cap, seL4_Word start, seL4_Word end) {
    return flush(cap, start, end);
}

seL4_ARM_Page_GetAddress_t seL4_ARM_Page_GetAddress(seL4_ARM_Page cap) {
    Kernel &kernel = Kernel::current();
    const Frame *const frame = kernel.invoked_as<Frame>(cap);
    if (frame == nullptr)
        return {seL4_InvalidCapability, 0};
    return {seL4_NoError, frame->phys};
}

seL4_Error seL4_ARM_PageTable_Map(seL4_ARM_PageTable cap, seL4_CPtr vspace, seL4_Word at, seL4_ARM_VMAttributes) {
    Kernel &kernel = Kernel::current();
    PageTable *const table = kernel.invoked_as<PageTable>(cap);
    if (table == nullptr)
        return seL4_InvalidCapability;
    Capability &capability = *kernel.slot(cap);
    VSpace *space = nullptr;
    u32 asid = 0;
    if (capability.asid != 0)
        return seL4_InvalidCapability;
    const seL4_Error error = find_space(vspace, space, asid);
    if (error == seL4_InvalidCapability)
        return error;
    if (at > kUserTop)
        return seL4_InvalidArgument;
    if (error != 0)
        return error;
    const VSpace::Place place = space->find(at);
    if (place.bits == seL4_PageBits || !place.entry->empty())
        return seL4_DeleteFirst;
    if (kernel.refusals.call())
        return seL4_InvalidCapability;
    *place.entry = {};
    place.entry->table = table;
    capability.asid = asid;
    capability.address = at & ~((u64{1} << place.bits) - 1);
    return seL4_NoError;
}

seL4_Error seL4_ARM_ASIDPool_Assign(seL4_CPtr pool, seL4_CPtr vspace) {
    constexpr u32 kAsids = 512;
    Kernel &kernel = Kernel::current();
    if (kernel.invoked_as<AsidPool>(pool) == nullptr)
        return seL4_InvalidCapability;
    Capability *const space = kernel.slot(vspace);
    if (space == nullptr || !space->is(ObjectKind::vspace) || space->asid != 0)
        return seL4_InvalidCapability;
    u32 asid = 1;
    while (asid < kAsids && kernel.asids.contains(asid))
        ++asid;
    if (asid == kAsids || kernel.refusals.resource())
        return seL4_DeleteFirst;
    kernel.asids[asid] = space->as<VSpace>();
    space->as<VSpace>()->asid = asid;
    space->asid = asid;
    return seL4_NoError;
}

} // extern "C"
