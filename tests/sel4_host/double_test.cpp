// SPDX-License-Identifier: BSD-2-Clause
//
// The double itself: what the kernel refuses, it refuses with the same error, and what can never be right is remembered.
#include <sel4_host/double/environment.hpp>
#include <sel4_host/double/vcpu.hpp>

#include <gtest/gtest.h>

namespace sel4vm::sel4_double {
namespace {

class Sel4Double : public testing::Test {
protected:
    vka_object_t make(seL4_Word type, seL4_Word size_bits = 0) {
        vka_object_t object;
        EXPECT_EQ(vka_alloc_object(&environment.vka, type, size_bits, &object), 0);
        return object;
    }
    seL4_CPtr slot() {
        seL4_CPtr made = 0;
        EXPECT_EQ(vka_cspace_alloc(&environment.vka, &made), 0);
        return made;
    }
    cspacepath_t path(seL4_CPtr of) {
        cspacepath_t made;
        vka_cspace_make_path(&environment.vka, of, &made);
        return made;
    }
    int mint(seL4_CPtr to, seL4_CPtr from, seL4_CapRights_t rights, seL4_Word badge) {
        const cspacepath_t destination = path(to);
        const cspacepath_t source = path(from);
        return badge == 0 ? vka_cnode_copy(&destination, &source, rights)
                          : vka_cnode_mint(&destination, &source, rights, badge);
    }
    seL4_CPtr copy(seL4_CPtr from, seL4_CapRights_t rights = seL4_AllRights, seL4_Word badge = 0) {
        const seL4_CPtr to = slot();
        EXPECT_EQ(mint(to, from, rights, badge), seL4_NoError);
        return to;
    }
    seL4_CPtr make_space() {
        const seL4_CPtr space = make(seL4_ARM_VSpaceObject).cptr;
        EXPECT_EQ(seL4_ARM_ASIDPool_Assign(environment.asid_pool, space), seL4_NoError);
        return space;
    }
    int map(seL4_CPtr frame, seL4_CPtr space, u64 at) {
        return seL4_ARM_Page_Map(frame, space, at, seL4_AllRights, seL4_ARM_Default_VMAttributes);
    }
    int map_table(seL4_CPtr table, seL4_CPtr space, u64 at) {
        return seL4_ARM_PageTable_Map(table, space, at, seL4_ARM_Default_VMAttributes);
    }
    void map_tables(seL4_CPtr space, u64 at) {
        while (kernel.slot(space)->as<VSpace>()->find(at).bits > seL4_PageBits)
            ASSERT_EQ(map_table(make(seL4_ARM_PageTableObject).cptr, space, at), seL4_NoError);
    }

    Environment environment;
    Kernel &kernel = environment.kernel;
};

// ---------------------------------------------------------------- Capabilities

TEST_F(Sel4Double, ACopyNeverHasMoreRights) {
    const seL4_CPtr endpoint = make(seL4_EndpointObject).cptr;
    const seL4_CPtr reads = copy(endpoint, seL4_CanRead);
    EXPECT_EQ(kernel.slot(copy(reads))->rights, kRead);
}

TEST_F(Sel4Double, ABadgeIsForGood) {
    const seL4_CPtr badged = copy(make(seL4_EndpointObject).cptr, seL4_AllRights, 5);
    EXPECT_EQ(mint(slot(), badged, seL4_AllRights, 6), seL4_IllegalOperation);
    EXPECT_EQ(kernel.slot(copy(badged))->badge, 5U);
}

TEST_F(Sel4Double, SlotsAreFilledOnceAndOnlyFromWhatIsThere) {
    const seL4_CPtr endpoint = make(seL4_EndpointObject).cptr;
    EXPECT_EQ(mint(endpoint, endpoint, seL4_AllRights, 0), seL4_DeleteFirst);
    EXPECT_EQ(mint(slot(), slot(), seL4_AllRights, 0), seL4_FailedLookup);
    EXPECT_EQ(kernel.violation, "");
}

TEST_F(Sel4Double, AnObjectLivesWhileACapabilityToItDoes) {
    vka_object_t endpoint = make(seL4_EndpointObject);
    static_cast<void>(copy(endpoint.cptr));
    vka_free_object(&environment.vka, &endpoint);
    EXPECT_EQ(kernel.violation, "an object is given back while there is a capability to it");
}

TEST_F(Sel4Double, ACallOnAnotherTypeIsAViolation) {
    EXPECT_EQ(seL4_TCB_Resume(make(seL4_EndpointObject).cptr), seL4_InvalidCapability);
    EXPECT_NE(kernel.violation, "");
}

// ---------------------------------------------------------------- Untyped memory

TEST_F(Sel4Double, RetypeNeedsRoomAndAnEmptySlot) {
    const seL4_CPtr memory = make(seL4_UntypedObject, 13).cptr;
    const auto retype_to = [&](seL4_CPtr to) {
        return seL4_Untyped_Retype(memory, seL4_ARM_SmallPageObject, 0, environment.root_node, 0, 0, to, 1);
    };
    const seL4_CPtr first = slot();
    EXPECT_EQ(retype_to(first), seL4_NoError);
    EXPECT_EQ(retype_to(first), seL4_DeleteFirst);
    const seL4_CPtr second = slot();
    EXPECT_EQ(retype_to(second), seL4_NoError);
    EXPECT_EQ(retype_to(slot()), seL4_NotEnoughMemory);
    // All of it is there again when nothing is made of it, and not before.
    cspacepath_t gone = path(first);
    EXPECT_EQ(vka_cnode_delete(&gone), seL4_NoError);
    EXPECT_EQ(retype_to(first), seL4_NotEnoughMemory);
    gone = path(second);
    EXPECT_EQ(vka_cnode_delete(&gone), seL4_NoError);
    EXPECT_EQ(retype_to(first), seL4_NoError);
}

TEST_F(Sel4Double, MemoryWithObjectsIsNotCopied) {
    const seL4_CPtr memory = make(seL4_UntypedObject, 12).cptr;
    ASSERT_EQ(seL4_Untyped_Retype(memory, seL4_ARM_SmallPageObject, 0, environment.root_node, 0, 0, slot(), 1), 0);
    EXPECT_EQ(mint(slot(), memory, seL4_AllRights, 0), seL4_RevokeFirst);
}

TEST_F(Sel4Double, FramesAreClearedWhenTheyAreMade) {
    vka_object_t frame = make(seL4_ARM_SmallPageObject);
    u8 *const bytes = kernel.memory.bytes(kernel.slot(frame.cptr)->object()->phys);
    *bytes = 1;
    vka_free_object(&environment.vka, &frame);
    frame = make(seL4_ARM_SmallPageObject);
    EXPECT_EQ(*kernel.memory.bytes(kernel.slot(frame.cptr)->object()->phys), 0);
}

// ---------------------------------------------------------------- Address spaces

TEST_F(Sel4Double, ASpaceNeedsAnAsidFirst) {
    const seL4_CPtr space = make(seL4_ARM_VSpaceObject).cptr;
    EXPECT_EQ(map(make(seL4_ARM_SmallPageObject).cptr, space, 0x1000), seL4_InvalidCapability);
    EXPECT_EQ(seL4_ARM_ASIDPool_Assign(environment.asid_pool, space), seL4_NoError);
    EXPECT_EQ(seL4_ARM_ASIDPool_Assign(environment.asid_pool, space), seL4_InvalidCapability);
}

TEST_F(Sel4Double, AMissingTableIsNamedByItsLevel) {
    const seL4_CPtr space = make_space();
    const seL4_CPtr frame = make(seL4_ARM_SmallPageObject).cptr;
    unsigned bits = VSpace::kRootShift;
    for (; bits > seL4_PageBits; bits -= 9) {
        ASSERT_EQ(map(frame, space, 0x4000'1000), seL4_FailedLookup);
        EXPECT_EQ(seL4_GetMR(2), bits);
        ASSERT_EQ(map_table(make(seL4_ARM_PageTableObject).cptr, space, 0x4000'1000), seL4_NoError);
    }
    EXPECT_EQ(map_table(make(seL4_ARM_PageTableObject).cptr, space, 0x4000'1000), seL4_DeleteFirst);
    EXPECT_EQ(map(frame, space, 0x4000'1000), seL4_NoError);
    EXPECT_EQ(map(make(seL4_ARM_LargePageObject).cptr, space, 0x4000'0000), seL4_FailedLookup)
        << "a table of small pages is in the way";
}

TEST_F(Sel4Double, AFrameCapabilityIsMappedInOnePlace) {
    const seL4_CPtr space = make_space();
    const seL4_CPtr other = make_space();
    const seL4_CPtr frame = make(seL4_ARM_SmallPageObject).cptr;
    map_tables(space, 0x1000);
    map_tables(other, 0x1000);
    EXPECT_EQ(map(frame, space, 0x1800), seL4_AlignmentError);
    ASSERT_EQ(map(frame, space, 0x1000), seL4_NoError);
    EXPECT_EQ(map(frame, space, 0x1000), seL4_NoError) << "again, with other rights";
    EXPECT_EQ(map(frame, space, 0x2000), seL4_InvalidArgument);
    EXPECT_EQ(map(frame, other, 0x1000), seL4_InvalidCapability);
    EXPECT_EQ(map(copy(frame), other, 0x1000), seL4_NoError) << "a copy is not mapped";
    EXPECT_EQ(kernel.violation, "");
    EXPECT_EQ(map(make(seL4_ARM_SmallPageObject).cptr, space, 0x1000), seL4_NoError);
    EXPECT_NE(kernel.violation, "") << "the kernel replaces what is there, which nobody wants";
}

TEST_F(Sel4Double, DeletingTheCapabilityOfAMappedFrameUnmapsIt) {
    const seL4_CPtr space = make_space();
    const seL4_CPtr mapped = copy(make(seL4_ARM_SmallPageObject).cptr);
    map_tables(space, 0x1000);
    ASSERT_EQ(map(mapped, space, 0x1000), seL4_NoError);
    VSpace &tables = *kernel.slot(space)->as<VSpace>();
    ASSERT_TRUE(page_of(tables, Gpa{0x1000}));
    const cspacepath_t gone = path(mapped);
    EXPECT_EQ(vka_cnode_delete(&gone), seL4_NoError);
    EXPECT_FALSE(page_of(tables, Gpa{0x1000}));
}

TEST_F(Sel4Double, AMappingHasTheRightsThatCapabilityAndCallerBothGive) {
    const seL4_CPtr space = make_space();
    map_tables(space, 0x1000);
    ASSERT_EQ(map(copy(make(seL4_ARM_SmallPageObject).cptr, seL4_CanRead), space, 0x1000), seL4_NoError);
    EXPECT_EQ(page_of(*kernel.slot(space)->as<VSpace>(), Gpa{0x1000})->protection, Protection::read_execute);
}

TEST_F(Sel4Double, CacheOperationsNeedAMapping) {
    EXPECT_EQ(seL4_ARM_Page_Clean_Data(make(seL4_ARM_SmallPageObject).cptr, 0, 64), seL4_IllegalOperation);
    EXPECT_NE(kernel.violation, "");
}

// ---------------------------------------------------------------- Threads and messages

TEST_F(Sel4Double, OnlyAThreadWithAVcpuRunsAtEl1) {
    const seL4_CPtr thread = make(seL4_TCBObject).cptr;
    const seL4_CPtr vcpu = make(seL4_ARM_VCPUObject).cptr;
    Tcb &tcb = *kernel.slot(thread)->as<Tcb>();
    tcb.set_pstate(0x3c5);
    EXPECT_EQ(tcb.registers[Tcb::kPstate] & 0xf, 0U);
    ASSERT_EQ(seL4_ARM_VCPU_SetTCB(vcpu, thread), seL4_NoError);
    tcb.set_pstate(0x3c5);
    EXPECT_EQ(tcb.registers[Tcb::kPstate], 0x3c5U);
    const cspacepath_t gone = path(vcpu);
    EXPECT_EQ(vka_cnode_delete(&gone), seL4_NoError);
    EXPECT_EQ(tcb.registers[Tcb::kPstate] & 0xf, 0U);
}

TEST_F(Sel4Double, AFaultNeedsAnEndpointToWhichItMaySendAndGrantAReply) {
    constexpr unsigned kRadix = 4;
    for (const auto &[rights, heard] : {std::pair{seL4_CapRights_new(1, 0, 0, 1), true},
                                        {seL4_CapRights_new(0, 1, 0, 1), true},
                                        {seL4_CapRights_new(0, 0, 1, 1), false},
                                        {seL4_CapRights_new(1, 1, 1, 0), false}}) {
        kernel.violation.clear();
        const seL4_CPtr endpoint = make(seL4_EndpointObject).cptr;
        Tcb &tcb = *kernel.slot(make(seL4_TCBObject).cptr)->as<Tcb>();
#ifdef CONFIG_KERNEL_MCS
        static_cast<void>(kRadix);
        tcb.fault_endpoint = Capability(*kernel.slot(endpoint)->object(), static_cast<u8>(rights.words[0]), 9);
#else
        const seL4_CPtr node = make(seL4_CapTableObject, kRadix).cptr;
        ASSERT_EQ(seL4_CNode_Mint(node, 1, kRadix, environment.root_node, endpoint, seL4_WordBits, rights, 9), 0);
        tcb.cspace = Capability(*kernel.slot(node)->object());
        tcb.cspace.guard_bits = seL4_WordBits - kRadix;
        tcb.fault_handler = 1;
#endif
        raise_fault(tcb, seL4_Fault_VCPUFault, {0});
        EXPECT_EQ(kernel.violation.empty(), heard);
        EXPECT_EQ(kernel.slot(endpoint)->as<Endpoint>()->queue.size(), heard ? 1U : 0U);
        tcb.cancel_ipc();
    }
}

TEST_F(Sel4Double, ANotificationLeavesTheTagAsItWas) {
    const seL4_CPtr endpoint = make(seL4_EndpointObject).cptr;
    const seL4_CPtr notification = make(seL4_NotificationObject).cptr;
    ASSERT_EQ(seL4_TCB_BindNotification(environment.tcb, notification), seL4_NoError);
    EXPECT_EQ(seL4_TCB_BindNotification(environment.tcb, notification), seL4_IllegalOperation);
    seL4_Signal(copy(notification, seL4_AllRights, 4));
    seL4_Signal(copy(notification, seL4_AllRights, 8));
    seL4_Word badge = 0;
    seL4_Word mr[4];
#ifdef CONFIG_KERNEL_MCS
    const seL4_CPtr reply = make(seL4_ReplyObject).cptr;
    const auto tag = seL4_RecvWithMRs(endpoint, &badge, reply, &mr[0], &mr[1], &mr[2], &mr[3]);
#else
    const auto tag = seL4_RecvWithMRs(endpoint, &badge, &mr[0], &mr[1], &mr[2], &mr[3]);
#endif
    EXPECT_EQ(badge, 12U);
    EXPECT_NE(tag.words[0], 0U) << "rubbish, as nobody wrote it";
}

TEST_F(Sel4Double, PrioritiesHaveALimit) {
    const seL4_CPtr low = make(seL4_TCBObject).cptr;
    const seL4_CPtr thread = make(seL4_TCBObject).cptr;
#ifdef CONFIG_KERNEL_MCS
    const seL4_CPtr context = make(seL4_SchedContextObject, seL4_MinSchedContextBits).cptr;
    const seL4_CPtr endpoint = make(seL4_EndpointObject).cptr;
    EXPECT_EQ(seL4_TCB_SetSchedParams(thread, low, 1, 1, context, endpoint), seL4_RangeError);
    EXPECT_EQ(seL4_TCB_SetSchedParams(thread, environment.tcb, 1, 1, context, endpoint), seL4_NoError);
    EXPECT_EQ(seL4_TCB_SetSchedParams(low, environment.tcb, 1, 1, context, endpoint), seL4_IllegalOperation);
#else
    EXPECT_EQ(seL4_TCB_SetSchedParams(thread, low, 0, 1), seL4_RangeError);
    EXPECT_EQ(seL4_TCB_SetSchedParams(thread, environment.tcb, 0, 255), seL4_NoError);
    EXPECT_EQ(seL4_TCB_SetAffinity(thread, CONFIG_MAX_NUM_NODES), seL4_IllegalOperation);
#endif
}

// ---------------------------------------------------------------- vCPUs

TEST_F(Sel4Double, AnInterruptThatIsOutOfRangeIsRefusedWithTheLimits) {
    const seL4_CPtr vcpu = make(seL4_ARM_VCPUObject).cptr;
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 0, 0, 0, 200), seL4_RangeError);
    EXPECT_EQ(seL4_GetMR(1), kernel.options.list_registers - 1);
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 1024, 0, 0, 0), seL4_RangeError);
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 40, 32, 0, 0), seL4_RangeError);
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 40, 0, 2, 0), seL4_RangeError);
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 40, 20, 1, 0), seL4_NoError);
    EXPECT_EQ(kernel.violation, "");
    EXPECT_EQ(seL4_ARM_VCPU_InjectIRQ(vcpu, 41, 20, 1, 0), seL4_NoError);
    EXPECT_NE(kernel.violation, "") << "the kernel overwrites one that is pending";
}

} // namespace
} // namespace sel4vm::sel4_double
