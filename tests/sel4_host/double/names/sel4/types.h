/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Types of the interface, and what libsel4 computes without the kernel.
 */
#pragma once

typedef uint64_t seL4_Word;
typedef seL4_Word seL4_CPtr, seL4_TCB, seL4_Untyped, seL4_CNode, seL4_ARM_VCPU, seL4_ARM_Page, seL4_ARM_PageTable,
    seL4_ARM_SMC, seL4_SchedControl, seL4_SchedContext, seL4_IRQHandler;
typedef uint8_t seL4_Uint8;
typedef uint16_t seL4_Uint16;
typedef uint32_t seL4_Uint32;
typedef uint64_t seL4_Uint64, seL4_Time;

typedef struct seL4_MessageInfo {
    seL4_Word words[1];
} seL4_MessageInfo_t;
typedef struct seL4_CapRights {
    seL4_Word words[1];
} seL4_CapRights_t;
typedef struct seL4_CNode_CapData {
    seL4_Word words[1];
} seL4_CNode_CapData_t;
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
typedef struct seL4_ARM_SMCContext_ {
    seL4_Word x0, x1, x2, x3, x4, x5, x6, x7;
} seL4_ARM_SMCContext;
/* In the order of the kernel's words. */
typedef struct seL4_UserContext_ {
    seL4_Word pc, sp, spsr, x0, x1, x2, x3, x4, x5, x6, x7, x8, x16, x17, x18, x29, x30;
    seL4_Word x9, x10, x11, x12, x13, x14, x15, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28;
    seL4_Word tpidr_el0, tpidrro_el0;
} seL4_UserContext;

#define seL4_CapNull UINT64_C(0)

static inline seL4_MessageInfo_t seL4_MessageInfo_new(seL4_Word label, seL4_Word unwrapped, seL4_Word caps,
                                                      seL4_Word length) {
    seL4_MessageInfo_t info = {{label << 12 | unwrapped << 9 | caps << 7 | length}};
    return info;
}
static inline seL4_Word seL4_MessageInfo_get_label(seL4_MessageInfo_t info) { return info.words[0] >> 12; }
static inline seL4_Word seL4_MessageInfo_get_length(seL4_MessageInfo_t info) { return info.words[0] & 0x7f; }

/* Bit 0 write, 1 read, 2 grant, 3 grant reply. */
static inline seL4_CapRights_t seL4_CapRights_new(seL4_Word reply, seL4_Word grant, seL4_Word read, seL4_Word write) {
    seL4_CapRights_t rights = {{reply << 3 | grant << 2 | read << 1 | write}};
    return rights;
}
static inline seL4_Word seL4_CapRights_get_capAllowWrite(seL4_CapRights_t rights) { return rights.words[0] & 1; }
static inline seL4_Word seL4_CapRights_get_capAllowRead(seL4_CapRights_t rights) { return rights.words[0] >> 1 & 1; }
#define seL4_AllRights (seL4_CapRights_new(1, 1, 1, 1))
#define seL4_ReadWrite (seL4_CapRights_new(0, 0, 1, 1))
#define seL4_CanRead   (seL4_CapRights_new(0, 0, 1, 0))
#define seL4_NoRights  (seL4_CapRights_new(0, 0, 0, 0))

/* The guard's value above, its size in the low six bits. */
static inline seL4_CNode_CapData_t seL4_CNode_CapData_new(seL4_Word guard, seL4_Word guard_bits) {
    seL4_CNode_CapData_t data = {{guard << 6 | guard_bits}};
    return data;
}
