/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers of the interface.
 */
#pragma once

typedef int seL4_Error;
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

enum {
    TCBReadRegisters = 2,
    TCBWriteRegisters = 3,
    CNodeDelete = 20,
    ARMVCPUInjectIRQ = 40,
    ARMVCPUReadReg = 41,
    ARMVCPUWriteReg = 42,
    ARMVCPUAckVPPI = 43
};

#ifdef CONFIG_KERNEL_MCS
typedef enum { seL4_SysCall = -1, seL4_SysSend = -5, seL4_SysWait = -9 } seL4_Syscall_ID;
#else
typedef enum { seL4_SysCall = -1, seL4_SysSend = -3, seL4_SysRecv = -5 } seL4_Syscall_ID;
#endif

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
    seL4_UnknownSyscall_X0,
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
    seL4_SchedContextObject,
    seL4_ReplyObject,
    seL4_ARM_HugePageObject,
    seL4_ARM_VSpaceObject,
    seL4_ARM_SmallPageObject,
    seL4_ARM_LargePageObject,
    seL4_ARM_PageTableObject,
    seL4_ARM_VCPUObject,
    seL4_ObjectTypeCount
};

enum {
    seL4_WordBits = 64,
    seL4_SlotBits = 5,
    seL4_MinUntypedBits = 4,
    seL4_MaxUntypedBits = 47,
    seL4_EndpointBits = 4,
    seL4_NotificationBits = 6,
    seL4_ReplyBits = 5,
    seL4_MinSchedContextBits = 8,
    seL4_TCBBits = 11,
    seL4_PageBits = 12,
    seL4_LargePageBits = 21,
    seL4_HugePageBits = 30,
    seL4_PageTableBits = 12,
    seL4_VSpaceBits = 13,
    seL4_VCPUBits = 12
};

typedef enum {
    seL4_ARM_PageCacheable = 1,
    seL4_ARM_ParityEnabled = 2,
    seL4_ARM_Default_VMAttributes = 3,
    seL4_ARM_ExecuteNever = 4
} seL4_ARM_VMAttributes;
