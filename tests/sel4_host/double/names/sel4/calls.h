/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The calls.
 */
#pragma once

seL4_IPCBuffer *seL4_GetIPCBuffer(void);
static inline seL4_Word seL4_GetMR(int i) { return seL4_GetIPCBuffer()->msg[i]; }
static inline void seL4_SetMR(int i, seL4_Word value) { seL4_GetIPCBuffer()->msg[i] = value; }

/* ---- Messages */
seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *);
void seL4_NBSendWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *);
#ifdef CONFIG_KERNEL_MCS
seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr, seL4_Word *, seL4_CPtr reply, seL4_Word *, seL4_Word *, seL4_Word *,
                                    seL4_Word *);
seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *,
                                         seL4_Word *, seL4_Word *, seL4_CPtr reply);
seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr, seL4_Word *, seL4_CPtr reply);
#else
seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *);
seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *,
                                         seL4_Word *, seL4_Word *);
seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr, seL4_Word *);
#endif
void seL4_Send(seL4_CPtr, seL4_MessageInfo_t);
void seL4_Signal(seL4_CPtr);
void seL4_Wait(seL4_CPtr notification, seL4_Word *badge);
void seL4_Yield(void);

/* ---- Capabilities and objects */
seL4_Error seL4_CNode_Copy(seL4_CNode, seL4_Word index, seL4_Uint8 depth, seL4_CNode from_root, seL4_Word from_index,
                           seL4_Uint8 from_depth, seL4_CapRights_t);
seL4_Error seL4_CNode_Mint(seL4_CNode, seL4_Word index, seL4_Uint8 depth, seL4_CNode from_root, seL4_Word from_index,
                           seL4_Uint8 from_depth, seL4_CapRights_t, seL4_Word badge);
seL4_Error seL4_CNode_Delete(seL4_CNode, seL4_Word index, seL4_Uint8 depth);
seL4_Error seL4_Untyped_Retype(seL4_Untyped, seL4_Word type, seL4_Word size_bits, seL4_CNode root, seL4_Word index,
                               seL4_Word depth, seL4_Word offset, seL4_Word count);

/* ---- Threads */
#ifdef CONFIG_KERNEL_MCS
seL4_Error seL4_TCB_Configure(seL4_TCB, seL4_CNode cspace, seL4_Word cspace_data, seL4_CPtr vspace,
                              seL4_Word vspace_data, seL4_Word buffer, seL4_CPtr buffer_frame);
seL4_Error seL4_TCB_SetSchedParams(seL4_TCB, seL4_TCB authority, seL4_Word mcp, seL4_Word priority, seL4_CPtr context,
                                   seL4_CPtr fault_endpoint);
seL4_Error seL4_SchedControl_Configure(seL4_SchedControl, seL4_SchedContext, seL4_Time budget, seL4_Time period,
                                       seL4_Word refills, seL4_Word badge);
#else
seL4_Error seL4_TCB_Configure(seL4_TCB, seL4_CPtr fault_endpoint, seL4_CNode cspace, seL4_Word cspace_data,
                              seL4_CPtr vspace, seL4_Word vspace_data, seL4_Word buffer, seL4_CPtr buffer_frame);
seL4_Error seL4_TCB_SetSchedParams(seL4_TCB, seL4_TCB authority, seL4_Word mcp, seL4_Word priority);
seL4_Error seL4_TCB_SetAffinity(seL4_TCB, seL4_Word node);
#endif
seL4_Error seL4_TCB_Suspend(seL4_TCB);
seL4_Error seL4_TCB_Resume(seL4_TCB);
seL4_Error seL4_TCB_BindNotification(seL4_TCB, seL4_CPtr notification);

/* ---- vCPUs */
seL4_Error seL4_ARM_VCPU_SetTCB(seL4_ARM_VCPU, seL4_TCB);
seL4_Error seL4_ARM_VCPU_InjectIRQ(seL4_ARM_VCPU, seL4_Uint16 intid, seL4_Uint8 priority, seL4_Uint8 group,
                                   seL4_Uint8 index);
seL4_ARM_VCPU_ReadRegs_t seL4_ARM_VCPU_ReadRegs(seL4_ARM_VCPU, seL4_VCPUReg);
seL4_Error seL4_ARM_VCPU_WriteRegs(seL4_ARM_VCPU, seL4_VCPUReg, seL4_Word);
seL4_Error seL4_ARM_VCPU_AckVPPI(seL4_ARM_VCPU, seL4_Word);
#ifdef CONFIG_ALLOW_SMC_CALLS
seL4_Error seL4_ARM_SMC_Call(seL4_ARM_SMC, seL4_ARM_SMCContext *arguments, seL4_ARM_SMCContext *results);
#endif

/* ---- Memory */
seL4_Error seL4_ARM_Page_Map(seL4_ARM_Page, seL4_CPtr vspace, seL4_Word at, seL4_CapRights_t, seL4_ARM_VMAttributes);
seL4_Error seL4_ARM_Page_Unmap(seL4_ARM_Page);
seL4_Error seL4_ARM_Page_Clean_Data(seL4_ARM_Page, seL4_Word start, seL4_Word end);
seL4_Error seL4_ARM_Page_Unify_Instruction(seL4_ARM_Page, seL4_Word start, seL4_Word end);
seL4_ARM_Page_GetAddress_t seL4_ARM_Page_GetAddress(seL4_ARM_Page);
seL4_Error seL4_ARM_PageTable_Map(seL4_ARM_PageTable, seL4_CPtr vspace, seL4_Word at, seL4_ARM_VMAttributes);
seL4_Error seL4_ARM_ASIDPool_Assign(seL4_CPtr pool, seL4_CPtr vspace);
