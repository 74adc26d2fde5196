// SPDX-License-Identifier: BSD-2-Clause
#include <sel4_host/double/untyped.hpp>

#include <sel4_host/double/address_space.hpp>
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/vcpu.hpp>

namespace sel4vm::sel4_double {

namespace {

struct FixedSize {
    seL4_Word type;
    unsigned bits;
};
constexpr FixedSize kFixedSizes[] = {
    {seL4_TCBObject, seL4_TCBBits},
    {seL4_EndpointObject, seL4_EndpointBits},
    {seL4_NotificationObject, seL4_NotificationBits},
    {seL4_ReplyObject, seL4_ReplyBits},
    {seL4_ARM_SmallPageObject, seL4_PageBits},
    {seL4_ARM_LargePageObject, seL4_LargePageBits},
    {seL4_ARM_HugePageObject, seL4_HugePageBits},
    {seL4_ARM_VSpaceObject, seL4_VSpaceBits},
    {seL4_ARM_PageTableObject, seL4_PageTableBits},
    {seL4_ARM_VCPUObject, seL4_VCPUBits},
};

Object *construct(seL4_Word type, unsigned bits, seL4_Word size_bits, u64 phys, Untyped::Memory memory) {
    Kernel &kernel = Kernel::current();
    switch (type) {
    case seL4_UntypedObject: return new Untyped(phys, bits, memory);
    case seL4_TCBObject: {
        auto *const thread = new Tcb;
        kernel.threads.push_back(thread);
        return thread;
    }
    case seL4_EndpointObject: return new Endpoint;
    case seL4_NotificationObject: return new Notification;
    case seL4_CapTableObject: return new CNode(static_cast<unsigned>(size_bits));
    case seL4_SchedContextObject: return new SchedContext(bits);
    case seL4_ReplyObject: return new Reply;
    case seL4_ARM_VSpaceObject: return new VSpace;
    case seL4_ARM_PageTableObject: return new PageTable;
    case seL4_ARM_VCPUObject: return new Vcpu(kernel.clock);
    default: break;
    }
    return new Frame(bits, memory == Untyped::Memory::device ? Frame::Memory::device : Frame::Memory::ram);
}

} // namespace

unsigned object_bits(seL4_Word type, seL4_Word size_bits) {
    for (const FixedSize &fixed : kFixedSizes) {
        if (fixed.type == type)
            return fixed.bits;
    }
    if (type == seL4_CapTableObject)
        return static_cast<unsigned>(size_bits) + seL4_SlotBits;
    return type == seL4_UntypedObject || type == seL4_SchedContextObject ? static_cast<unsigned>(size_bits) : 0;
}

seL4_Error retype(Untyped &source, seL4_Word type, seL4_Word size_bits, Capability &to) {
    Kernel &kernel = Kernel::current();
    if (type >= seL4_ObjectTypeCount)
        return seL4_InvalidArgument;
    if (size_bits > seL4_MaxUntypedBits)
        return seL4_RangeError;
    const unsigned bits = object_bits(type, size_bits);
    if ((type == seL4_CapTableObject && size_bits == 0) ||
        (type == seL4_UntypedObject && size_bits < seL4_MinUntypedBits) ||
        (type == seL4_SchedContextObject && size_bits < seL4_MinSchedContextBits))
        return seL4_InvalidArgument;
    if (to)
        return seL4_DeleteFirst;
    const bool frame =
        type == seL4_ARM_SmallPageObject || type == seL4_ARM_LargePageObject || type == seL4_ARM_HugePageObject;
    if (source.what == Untyped::Memory::device && !frame && type != seL4_UntypedObject)
        return seL4_InvalidArgument;
    if (source.children == 0)
        source.used = 0;
    const u64 size = u64{1} << bits;
    const u64 at = (source.used + size - 1) & ~(size - 1);
    if (size > u64{1} << source.size_bits || at > (u64{1} << source.size_bits) - size)
        return seL4_NotEnoughMemory;
    source.used = at + size;
    const u64 phys = source.phys + at;
    if (frame && source.what == Untyped::Memory::ram)
        kernel.memory.clear(phys, size);
    Object *const made = construct(type, bits, size_bits, phys, source.what);
    made->phys = phys;
    made->memory = &source;
    ++source.children;
    ++source.retypes;
    to = Capability(*made);
    return seL4_NoError;
}

} // namespace sel4vm::sel4_double

using namespace sel4vm;
using namespace sel4vm::sel4_double;

// What was cut from this memory before can be cut from it again: such a call is not refused.
extern "C" seL4_Error seL4_Untyped_Retype(seL4_Untyped cap, seL4_Word type, seL4_Word size_bits, seL4_CNode root,
                                          seL4_Word index, seL4_Word depth, seL4_Word offset, seL4_Word count) {
    Kernel &kernel = Kernel::current();
    auto *const source = kernel.invoked_as<Untyped>(cap);
    if (source == nullptr)
        return seL4_InvalidCapability;
    if (count != 1)
        kernel.violate("a retype of several objects at once");
    const Capability *const top = kernel.slot(root);
    const Capability *const node =
        top == nullptr || depth == 0 ? top : resolve(*top, index, static_cast<unsigned>(depth));
    if (node == nullptr || !node->is(ObjectKind::cnode))
        return seL4_FailedLookup;
    auto &slots = node->as<CNode>()->slots;
    if (offset >= slots.size())
        return seL4_RangeError;
    if (source->retypes == 0 && kernel.refusals.call())
        return seL4_NotEnoughMemory;
    return retype(*source, type, size_bits, slots[offset]);
}
