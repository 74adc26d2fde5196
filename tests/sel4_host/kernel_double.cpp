// SPDX-License-Identifier: BSD-2-Clause
#include "kernel_double.hpp"

#include <cstdlib>

namespace sel4vm::test {

namespace {
KernelDouble *kernel = nullptr; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
}

KernelDouble::KernelDouble() { kernel = this; }
KernelDouble::~KernelDouble() {
    for (KernelObject *object : objects)
        delete object;
    kernel = nullptr;
}

void KernelDouble::violate(const char *what) {
    if (violation.empty())
        violation = what;
}

seL4_CPtr KernelDouble::make(seL4_Word type, seL4_Word size_bits) {
    auto *object = new KernelObject;
    object->type = type;
    object->size_bits = size_bits;
    objects.push_back(object);
    const seL4_CPtr cap = next_slot++;
    slots[cap] = {object, 0, ~seL4_Word{0}};
    return cap;
}

Capability *KernelDouble::slot(seL4_CPtr cap) {
    const auto found = slots.find(cap);
    return found == slots.end() ? nullptr : &found->second;
}

KernelObject *KernelDouble::find(seL4_CPtr cap, seL4_Word type) {
    Capability *const there = slot(cap);
    if (there == nullptr || there->object == nullptr || there->object->type != type) {
        violate("a call on a capability of another type, or on none");
        return nullptr;
    }
    ++calls;
    return there->object;
}

} // namespace sel4vm::test

using sel4vm::test::Capability;
using sel4vm::test::kernel;
using sel4vm::test::KernelDouble;
using sel4vm::test::KernelObject;

extern "C" {

seL4_IPCBuffer *seL4_GetIPCBuffer(void) { return &kernel->buffer; }

seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *mr0, seL4_Word *mr1,
                                    seL4_Word *mr2, seL4_Word *mr3) {
    KernelObject *const tcb = kernel->find(cap, seL4_TCBObject);
    if (tcb == nullptr)
        return seL4_MessageInfo_new(seL4_InvalidCapability, 0, 0, 0);
    if (tcb->running)
        kernel->violate("registers of a thread that runs");
    seL4_Word *const mr[4] = {mr0, mr1, mr2, mr3};
    const seL4_Word count = *mr1;
    if (seL4_MessageInfo_get_label(tag) == TCBReadRegisters) {
        for (seL4_Word i = 0; i < count && i < tcb->registers.size(); ++i)
            (i < 4 ? *mr[i] : kernel->buffer.msg[i]) = tcb->registers[i];
        return seL4_MessageInfo_new(0, 0, 0, count);
    }
    if (seL4_MessageInfo_get_length(tag) < count + 2) {
        kernel->violate("a truncated message");
        return seL4_MessageInfo_new(seL4_TruncatedMessage, 0, 0, 0);
    }
    for (seL4_Word i = 0; i < count && i < tcb->registers.size(); ++i)
        tcb->registers[i] = i < 2 ? *mr[i + 2] : kernel->buffer.msg[i + 2];
    return seL4_MessageInfo_new(0, 0, 0, 0);
}

seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr cap, seL4_Word *badge, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
                                    seL4_Word *mr3) {
    static_cast<void>(kernel->find(cap, seL4_EndpointObject));
    kernel->last_sender = 0; // its reply capability is gone
    if (kernel->queue.empty()) {
        kernel->violate("waits for ever");
        std::abort();
    }
    const KernelDouble::Message message = kernel->queue.front();
    kernel->queue.pop_front();
    seL4_Word *const mr[4] = {mr0, mr1, mr2, mr3};
    for (unsigned i = 0; i < message.words.size(); ++i)
        (i < 4 ? *mr[i] : kernel->buffer.msg[i]) = message.words[i];
    *badge = message.badge;
    kernel->last_sender = message.sender;
    if (message.sender != 0) {
        KernelObject *const tcb = kernel->slot(message.sender)->object;
        tcb->running = false;
        tcb->blocked_on_reply = true;
    }
    return seL4_MessageInfo_new(message.label, 0, 0, message.words.size());
}

seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr cap, seL4_MessageInfo_t tag, seL4_Word *badge, seL4_Word *mr0,
                                         seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3) {
    seL4_Word *const mr[4] = {mr0, mr1, mr2, mr3};
    std::vector<seL4_Word> words;
    for (seL4_Word i = 0; i < seL4_MessageInfo_get_length(tag); ++i)
        words.push_back(i < 4 ? *mr[i] : kernel->buffer.msg[i]);
    kernel->replies.push_back(words);
    if (kernel->last_sender == 0)
        kernel->violate("an answer to nobody");
    else {
        KernelObject *const tcb = kernel->slot(kernel->last_sender)->object;
        tcb->blocked_on_reply = false;
        tcb->running = true;
    }
    return seL4_RecvWithMRs(cap, badge, mr0, mr1, mr2, mr3);
}

void seL4_Send(seL4_CPtr cap, seL4_MessageInfo_t) { static_cast<void>(kernel->find(cap, seL4_EndpointObject)); }
void seL4_Yield(void) { ++kernel->calls; }

seL4_Error seL4_TCB_Suspend(seL4_TCB cap) {
    KernelObject *const tcb = kernel->find(cap, seL4_TCBObject);
    if (tcb == nullptr)
        return seL4_InvalidCapability;
    tcb->running = tcb->blocked_on_reply = false;
    if (kernel->last_sender == cap)
        kernel->last_sender = 0;
    return 0;
}

seL4_Error seL4_TCB_Resume(seL4_TCB cap) {
    KernelObject *const tcb = kernel->find(cap, seL4_TCBObject);
    if (tcb == nullptr)
        return seL4_InvalidCapability;
    tcb->running = true;
    tcb->blocked_on_reply = false;
    return 0;
}

seL4_Error seL4_Untyped_Retype(seL4_Untyped cap, seL4_Word type, seL4_Word size_bits, seL4_CNode, seL4_Word, seL4_Word,
                               seL4_Word offset, seL4_Word) {
    KernelObject *const untyped = kernel->find(cap, seL4_UntypedObject);
    if (untyped == nullptr)
        return seL4_InvalidCapability;
    Capability *const there = kernel->slot(offset);
    if (there != nullptr && there->object != nullptr) {
        kernel->violate("retype into a slot in use");
        return seL4_DeleteFirst;
    }
    const seL4_CPtr made = kernel->make(type, size_bits);
    kernel->slots[offset] = kernel->slots[made];
    kernel->slots.erase(made);
    return 0;
}

seL4_Error seL4_ARM_VCPU_SetTCB(seL4_ARM_VCPU cap, seL4_TCB tcb) {
    KernelObject *const vcpu = kernel->find(cap, seL4_ARM_VCPUObject);
    if (vcpu == nullptr || kernel->find(tcb, seL4_TCBObject) == nullptr)
        return seL4_InvalidCapability;
    vcpu->tcb = tcb;
    return 0;
}

seL4_Error seL4_ARM_VCPU_InjectIRQ(seL4_ARM_VCPU cap, seL4_Uint16 intid, seL4_Uint8 priority, seL4_Uint8 group,
                                   seL4_Uint8 index) {
    KernelObject *const vcpu = kernel->find(cap, seL4_ARM_VCPUObject);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    if (intid > 1023 || priority > 31 || group > 1 || index >= kernel->list_register_count) {
        kernel->buffer.msg[0] = 0;
        kernel->buffer.msg[1] = intid > 1023    ? 1023
                                : priority > 31 ? 31
                                : group > 1     ? 1
                                                : kernel->list_register_count - 1;
        return seL4_RangeError;
    }
    if (vcpu->list_registers.count(index) != 0)
        kernel->violate("a list register that is in use was overwritten");
    vcpu->list_registers[index] = intid;
    return 0;
}

seL4_ARM_VCPU_ReadRegs_t seL4_ARM_VCPU_ReadRegs(seL4_ARM_VCPU cap, seL4_VCPUReg which) {
    KernelObject *const vcpu = kernel->find(cap, seL4_ARM_VCPUObject);
    if (vcpu == nullptr)
        return {seL4_InvalidCapability, 0};
    return {0, vcpu->vcpu_registers[which]};
}

seL4_Error seL4_ARM_VCPU_WriteRegs(seL4_ARM_VCPU cap, seL4_VCPUReg which, seL4_Word value) {
    KernelObject *const vcpu = kernel->find(cap, seL4_ARM_VCPUObject);
    if (vcpu == nullptr)
        return seL4_InvalidCapability;
    vcpu->vcpu_registers[which] = value;
    return 0;
}

seL4_Error seL4_ARM_VCPU_AckVPPI(seL4_ARM_VCPU cap, seL4_Word irq) {
    KernelObject *const vcpu = kernel->find(cap, seL4_ARM_VCPUObject);
    if (vcpu == nullptr || irq != 27)
        return seL4_InvalidArgument;
    vcpu->timer_masked = false;
    return 0;
}

// Frames and tables: no test of this program maps any, so the kernel has none.
seL4_Error seL4_ARM_Page_Map(seL4_ARM_Page, seL4_CPtr, seL4_Word, seL4_CapRights_t, seL4_ARM_VMAttributes) {
    return seL4_InvalidCapability;
}
seL4_Error seL4_ARM_Page_Unmap(seL4_ARM_Page) { return seL4_InvalidCapability; }
seL4_Error seL4_ARM_Page_Clean_Data(seL4_ARM_Page, seL4_Word, seL4_Word) { return seL4_InvalidCapability; }
seL4_Error seL4_ARM_Page_Unify_Instruction(seL4_ARM_Page, seL4_Word, seL4_Word) { return seL4_InvalidCapability; }
seL4_ARM_Page_GetAddress_t seL4_ARM_Page_GetAddress(seL4_ARM_Page) { return {seL4_InvalidCapability, 0}; }
seL4_Error seL4_ARM_PageTable_Map(seL4_ARM_PageTable, seL4_CPtr, seL4_Word, seL4_ARM_VMAttributes) {
    return seL4_InvalidCapability;
}
seL4_Error simple_ASIDPool_assign(simple_t *, seL4_CPtr) { return 0; }
seL4_Error simple_get_frame_cap(simple_t *, void *, int, cspacepath_t *) { return seL4_FailedLookup; }
reservation_t vspace_reserve_range_aligned(vspace_t *, size_t, size_t, seL4_CapRights_t, int, void **) {
    return {nullptr};
}
int vspace_map_pages_at_vaddr(vspace_t *, seL4_CPtr[], uintptr_t[], void *, size_t, size_t, reservation_t) {
    return -1;
}
void vspace_unmap_pages(vspace_t *, void *, size_t, size_t, vka_t *) {}
void vspace_free_reservation(vspace_t *, reservation_t) {}

int vka_cspace_alloc(vka_t *, seL4_CPtr *slot) {
    *slot = kernel->next_slot++;
    kernel->slots[*slot] = {};
    return 0;
}
void vka_cspace_free(vka_t *, seL4_CPtr slot) {
    if (kernel->slots[slot].object != nullptr)
        kernel->violate("a slot in use was given back");
    kernel->slots.erase(slot);
}
void vka_cspace_make_path(vka_t *, seL4_CPtr slot, cspacepath_t *path) {
    *path = {};
    path->capPtr = path->offset = slot;
}
int vka_alloc_object(vka_t *, seL4_Word type, seL4_Word size_bits, vka_object_t *object) {
    *object = {kernel->make(type, size_bits), 1, type, size_bits};
    return 0;
}
int vka_alloc_object_at(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t, vka_object_t *object) {
    return vka_alloc_object(vka, type, size_bits, object);
}
int vka_alloc_object_at_maybe_dev(vka_t *vka, seL4_Word type, seL4_Word size_bits, uintptr_t, bool,
                                  vka_object_t *object) {
    return vka_alloc_object(vka, type, size_bits, object);
}
void vka_free_object(vka_t *, vka_object_t *object) { kernel->slots.erase(object->cptr); }
int vka_cnode_copy(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t) {
    kernel->slots[to->capPtr] = kernel->slots[from->capPtr];
    return 0;
}
int vka_cnode_mint(const cspacepath_t *to, const cspacepath_t *from, seL4_CapRights_t rights, seL4_Word badge) {
    vka_cnode_copy(to, from, rights);
    kernel->slots[to->capPtr].badge = badge;
    return 0;
}
int vka_cnode_delete(const cspacepath_t *slot) {
    kernel->slots[slot->capPtr] = {};
    return 0;
}

} // extern "C"
