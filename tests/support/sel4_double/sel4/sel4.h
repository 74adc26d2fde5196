/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stand-in for libsel4 in tests: the names and numbers that the seL4 host uses, and calls that end in the kernel of
 * kernel_double.hpp, which checks capability types and object states. Nothing else of seL4 is here.
 */
#pragma once

#include <stdint.h>

typedef uint64_t seL4_Word;
typedef seL4_Word seL4_CPtr, seL4_TCB, seL4_Untyped, seL4_CNode, seL4_ARM_VCPU, seL4_ARM_Page, seL4_ARM_PageTable;
typedef uint8_t seL4_Uint8;
typedef uint16_t seL4_Uint16;
typedef struct seL4_MessageInfo {
    seL4_Word words[1];
} seL4_MessageInfo_t;
typedef struct seL4_CapRights {
    seL4_Word words[1];
} seL4_CapRights_t;
typedef struct seL4_IPCBuffer_ {
    seL4_Word msg[120];
} seL4_IPCBuffer;
typedef struct {
    int error;
    seL4_Word value;
} seL4_ARM_VCPU_ReadRegs_t;
typedef struct {
    int error;
    seL4_Word paddr;
} seL4_ARM_Page_GetAddress_t;

enum {
    seL4_NoError,
    seL4_InvalidArgument,
    seL4_InvalidCapability,
    seL4_IllegalOperation,
    seL4_RangeError,
    seL4_AlignmentError,
    seL4_FailedLookup,
    seL4_TruncatedMessage,
    seL4_DeleteFirst,
    seL4_RevokeFirst,
    seL4_NotEnoughMemory
};
typedef int seL4_Error;
enum { TCBReadRegisters = 2, TCBWriteRegisters = 3 };
enum {
    seL4_Fault_CapFault = 1,
    seL4_Fault_UnknownSyscall,
    seL4_Fault_UserException,
    seL4_Fault_VMFault = 5,
    seL4_Fault_VGICMaintenance,
    seL4_Fault_VCPUFault,
    seL4_Fault_VPPIEvent
};
enum {
    seL4_UnknownSyscall_FaultIP = 8,
    seL4_UnknownSyscall_SP,
    seL4_UnknownSyscall_LR,
    seL4_UnknownSyscall_SPSR,
    seL4_UnknownSyscall_Syscall,
    seL4_UnknownSyscall_Length
};
enum { seL4_VMFault_IP, seL4_VMFault_Addr, seL4_VMFault_PrefetchFault, seL4_VMFault_FSR, seL4_VMFault_Length };
enum { seL4_VGICMaintenance_IDX, seL4_VGICMaintenance_Length };
enum { seL4_VPPIEvent_IRQ, seL4_VPPIEvent_Length };
enum { seL4_VCPUFault_HSR, seL4_VCPUFault_Length };
typedef enum {
    seL4_VCPUReg_SCTLR,
    seL4_VCPUReg_CPACR,
    seL4_VCPUReg_TTBR0,
    seL4_VCPUReg_TTBR1,
    seL4_VCPUReg_TCR,
    seL4_VCPUReg_MAIR,
    seL4_VCPUReg_AMAIR,
    seL4_VCPUReg_CIDR,
    seL4_VCPUReg_ACTLR,
    seL4_VCPUReg_AFSR0,
    seL4_VCPUReg_AFSR1,
    seL4_VCPUReg_ESR,
    seL4_VCPUReg_FAR,
    seL4_VCPUReg_PAR,
    seL4_VCPUReg_VBAR,
    seL4_VCPUReg_TPIDR_EL1,
    seL4_VCPUReg_VMPIDR_EL2,
    seL4_VCPUReg_SP_EL1,
    seL4_VCPUReg_ELR_EL1,
    seL4_VCPUReg_SPSR_EL1,
    seL4_VCPUReg_CNTV_CTL,
    seL4_VCPUReg_CNTV_CVAL,
    seL4_VCPUReg_CNTVOFF,
    seL4_VCPUReg_CNTKCTL_EL1,
    seL4_VCPUReg_Num
} seL4_VCPUReg;
enum {
    seL4_UntypedObject,
    seL4_TCBObject,
    seL4_EndpointObject,
    seL4_NotificationObject,
    seL4_CapTableObject,
    seL4_ARM_HugePageObject,
    seL4_ARM_VSpaceObject,
    seL4_ARM_SmallPageObject,
    seL4_ARM_LargePageObject,
    seL4_ARM_PageTableObject,
    seL4_ARM_VCPUObject
};
enum {
    seL4_PageBits = 12,
    seL4_LargePageBits = 21,
    seL4_HugePageBits = 30,
    seL4_PageTableBits = 12,
    seL4_VSpaceBits = 13,
    seL4_VCPUBits = 12,
    seL4_TCBBits = 11
};
typedef enum {
    seL4_ARM_PageCacheable = 1,
    seL4_ARM_ParityEnabled = 2,
    seL4_ARM_Default_VMAttributes = 3,
    seL4_ARM_ExecuteNever = 4
} seL4_ARM_VMAttributes;

static inline seL4_MessageInfo_t seL4_MessageInfo_new(seL4_Word label, seL4_Word unwrapped, seL4_Word caps,
                                                      seL4_Word length) {
    seL4_MessageInfo_t info = {{label << 12 | unwrapped << 9 | caps << 7 | length}};
    return info;
}
static inline seL4_Word seL4_MessageInfo_get_label(seL4_MessageInfo_t info) { return info.words[0] >> 12; }
static inline seL4_Word seL4_MessageInfo_get_length(seL4_MessageInfo_t info) { return info.words[0] & 0x7f; }
static inline seL4_CapRights_t seL4_CapRights_new(seL4_Word reply, seL4_Word grant, seL4_Word read, seL4_Word write) {
    seL4_CapRights_t rights = {{reply << 3 | grant << 2 | read << 1 | write}};
    return rights;
}
#define seL4_AllRights (seL4_CapRights_new(1, 1, 1, 1))
#define seL4_ReadWrite (seL4_CapRights_new(0, 0, 1, 1))
#define seL4_CapNull   0

seL4_IPCBuffer *seL4_GetIPCBuffer(void);
static inline seL4_Word seL4_GetMR(int i) { return seL4_GetIPCBuffer()->msg[i]; }
static inline void seL4_SetMR(int i, seL4_Word value) { seL4_GetIPCBuffer()->msg[i] = value; }
seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *);
seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *, seL4_Word *);
seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr, seL4_MessageInfo_t, seL4_Word *, seL4_Word *, seL4_Word *,
                                         seL4_Word *, seL4_Word *);
void seL4_Send(seL4_CPtr, seL4_MessageInfo_t);
void seL4_Yield(void);
seL4_Error seL4_TCB_Suspend(seL4_TCB);
seL4_Error seL4_TCB_Resume(seL4_TCB);
seL4_Error seL4_Untyped_Retype(seL4_Untyped, seL4_Word, seL4_Word, seL4_CNode, seL4_Word, seL4_Word, seL4_Word,
                               seL4_Word);
seL4_Error seL4_ARM_VCPU_SetTCB(seL4_ARM_VCPU, seL4_TCB);
seL4_Error seL4_ARM_VCPU_InjectIRQ(seL4_ARM_VCPU, seL4_Uint16, seL4_Uint8, seL4_Uint8, seL4_Uint8);
seL4_ARM_VCPU_ReadRegs_t seL4_ARM_VCPU_ReadRegs(seL4_ARM_VCPU, seL4_VCPUReg);
seL4_Error seL4_ARM_VCPU_WriteRegs(seL4_ARM_VCPU, seL4_VCPUReg, seL4_Word);
seL4_Error seL4_ARM_VCPU_AckVPPI(seL4_ARM_VCPU, seL4_Word);
seL4_Error seL4_ARM_Page_Map(seL4_ARM_Page, seL4_CPtr, seL4_Word, seL4_CapRights_t, seL4_ARM_VMAttributes);
seL4_Error seL4_ARM_Page_Unmap(seL4_ARM_Page);
seL4_Error seL4_ARM_Page_Clean_Data(seL4_ARM_Page, seL4_Word, seL4_Word);
seL4_Error seL4_ARM_Page_Unify_Instruction(seL4_ARM_Page, seL4_Word, seL4_Word);
seL4_ARM_Page_GetAddress_t seL4_ARM_Page_GetAddress(seL4_ARM_Page);
seL4_Error seL4_ARM_PageTable_Map(seL4_ARM_PageTable, seL4_CPtr, seL4_Word, seL4_ARM_VMAttributes);
