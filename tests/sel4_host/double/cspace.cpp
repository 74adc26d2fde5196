// SPDX-License-Identifier: BSD-2-Clause
//
// Calls on CNodes.
#include <sel4_host/double/kernel.hpp>
#include <sel4_host/double/untyped.hpp>

namespace sel4vm::sel4_double {

Capability *resolve(const Capability &root, u64 index, unsigned depth) {
    CNode *const node = root.as<CNode>();
    if (node == nullptr || depth > seL4_WordBits || root.guard_bits + node->radix != depth)
        return nullptr;
    const u64 guarded = depth == 64 ? index : index & ((u64{1} << depth) - 1);
    if (guarded >> node->radix != 0)
        return nullptr; // the guard is 0
    return &node->slots[guarded];
}

namespace {

u8 rights_of(seL4_CapRights_t rights) { return static_cast<u8>(rights.words[0] & kAllRights); }

/// A copy as the kernel derives it; none where it derives nothing.
Capability derive(const Capability &from, u8 rights) {
    switch (from.object()->kind) {
    case ObjectKind::page_table:
    case ObjectKind::vspace:
        if (from.asid == 0)
            return {};
        break;
    case ObjectKind::sched_control:
    case ObjectKind::asid_pool: rights = kAllRights; break;
    default: break;
    }
    Capability to(*from.object(), from.rights & rights, from.badge);
    to.guard_bits = from.guard_bits;
    if (to.is(ObjectKind::page_table) || to.is(ObjectKind::vspace)) {
        to.asid = from.asid;
        to.address = from.address;
    }
    return to;
}

/// The slots of a copy, or the kernel's error.
seL4_Error find_both(seL4_CNode to_root, u64 to_index, u8 to_depth, seL4_CNode from_root, u64 from_index, u8 from_depth,
                     Capability *&to, Capability *&from) {
    Kernel &kernel = Kernel::current();
    Capability *const node = kernel.invoked(to_root);
    if (node == nullptr || !node->is(ObjectKind::cnode)) {
        kernel.violate("a copy into what is no CNode");
        return seL4_InvalidCapability;
    }
    to = resolve(*node, to_index, to_depth);
    if (to == nullptr)
        return seL4_FailedLookup;
    if (*to)
        return seL4_DeleteFirst;
    const Capability *const source = kernel.slot(from_root);
    from = source == nullptr ? nullptr : resolve(*source, from_index, from_depth);
    if (from == nullptr || !*from)
        return seL4_FailedLookup;
    const Untyped *const memory = from->as<Untyped>();
    if (memory != nullptr && memory->children != 0)
        return seL4_RevokeFirst;
    return kernel.refusals.call() ? seL4_InvalidCapability : seL4_NoError;
}

} // namespace

} // namespace sel4vm::sel4_double

using namespace sel4vm;
using namespace sel4vm::sel4_double;

extern "C" {

seL4_Error seL4_CNode_Copy(seL4_CNode node, seL4_Word index, seL4_Uint8 depth, seL4_CNode from_root,
                           seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights) {
    Capability *to = nullptr;
    Capability *from = nullptr;
    if (const seL4_Error error = find_both(node, index, depth, from_root, from_index, from_depth, to, from); error != 0)
        return error;
    Capability made = derive(*from, rights_of(rights));
    if (!made)
        return seL4_IllegalOperation;
    *to = std::move(made);
    return seL4_NoError;
}

seL4_Error seL4_CNode_Mint(seL4_CNode node, seL4_Word index, seL4_Uint8 depth, seL4_CNode from_root,
                           seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights, seL4_Word badge) {
    Capability *to = nullptr;
    Capability *from = nullptr;
    if (const seL4_Error error = find_both(node, index, depth, from_root, from_index, from_depth, to, from); error != 0)
        return error;
    Capability made = derive(*from, rights_of(rights));
    const bool badged = made.is(ObjectKind::endpoint) || made.is(ObjectKind::notification);
    if (!made || (badged && made.badge != 0)) // a badge is for good
        return seL4_IllegalOperation;
    if (badged)
        made.badge = badge;
    if (made.is(ObjectKind::cnode) && badge != 0)
        made.guard_bits = static_cast<unsigned>(badge & 63);
    *to = std::move(made);
    return seL4_NoError;
}

seL4_Error seL4_CNode_Delete(seL4_CNode node, seL4_Word index, seL4_Uint8 depth) {
    Kernel &kernel = Kernel::current();
    Capability *const root = kernel.invoked(node);
    if (root == nullptr || !root->is(ObjectKind::cnode)) {
        kernel.violate("a deletion in what is no CNode");
        return seL4_InvalidCapability;
    }
    Capability *const slot = resolve(*root, index, depth);
    if (slot == nullptr)
        return seL4_FailedLookup;
    slot->clear();
    return seL4_NoError;
}

} // extern "C"
