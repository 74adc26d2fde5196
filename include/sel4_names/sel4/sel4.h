/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of sel4/sel4.h that a client of the C interface uses, for hosts that are not seL4. A capability pointer is a
 * handle of the host: made by vka_alloc_* and vm_host_*, opaque, 0 for none. Types have seL4's sizes and field names, so
 * that one program compiles for both. Deliberately no system calls beyond seL4_Signal: what is not here does not link.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many vCPUs a vm_t can hold. */
#ifndef CONFIG_MAX_NUM_NODES
#define CONFIG_MAX_NUM_NODES 8
#endif
#ifndef CONFIG_ARCH_AARCH64
#define CONFIG_ARCH_AARCH64 1
#endif
#ifndef CONFIG_ARCH_ARM
#define CONFIG_ARCH_ARM 1
#endif

typedef uint64_t seL4_Word;
typedef uint64_t seL4_Uint64;
typedef uint32_t seL4_Uint32;
typedef uint16_t seL4_Uint16;
typedef uint8_t seL4_Uint8;
typedef int64_t seL4_Int64;
typedef int32_t seL4_Int32;
typedef seL4_Word seL4_CPtr;
typedef seL4_CPtr seL4_CNode;
typedef seL4_CPtr seL4_IRQHandler;
typedef seL4_CPtr seL4_ARM_SMC;

#define seL4_CapNull UINT64_C(0)

typedef enum seL4_Error {
    seL4_NoError = 0,
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
} seL4_Error;

#define seL4_PageBits         12
#define seL4_LargePageBits    21
#define seL4_HugePageBits     30
#define seL4_EndpointBits     4
#define seL4_NotificationBits 6

/** Object types that vka_alloc_object takes on these hosts. */
typedef enum seL4_ObjectType {
    seL4_EndpointObject = 2,
    seL4_NotificationObject = 3,
    seL4_ARM_SmallPageObject = 8, /* 4 KiB */
    seL4_ARM_LargePageObject = 9, /* 2 MiB */
    seL4_ARM_HugePageObject = 10  /* 1 GiB */
} seL4_ObjectType;

/** Rights on a capability or mapping: bit 0 write, 1 read, 2 grant, 3 grant reply. */
typedef struct seL4_CapRights {
    uint64_t words[1];
} seL4_CapRights_t;

static inline seL4_CapRights_t seL4_CapRights_new(uint64_t grant_reply, uint64_t grant, uint64_t read, uint64_t write) {
    seL4_CapRights_t rights;
    rights.words[0] = (grant_reply & 1U) << 3 | (grant & 1U) << 2 | (read & 1U) << 1 | (write & 1U);
    return rights;
}
static inline uint64_t seL4_CapRights_get_capAllowWrite(seL4_CapRights_t rights) { return rights.words[0] & 1U; }
static inline uint64_t seL4_CapRights_get_capAllowRead(seL4_CapRights_t rights) { return rights.words[0] >> 1 & 1U; }
static inline uint64_t seL4_CapRights_get_capAllowGrant(seL4_CapRights_t rights) { return rights.words[0] >> 2 & 1U; }
static inline uint64_t seL4_CapRights_get_capAllowGrantReply(seL4_CapRights_t rights) {
    return rights.words[0] >> 3 & 1U;
}

#define seL4_ReadWrite     seL4_CapRights_new(0, 0, 1, 1)
#define seL4_AllRights     seL4_CapRights_new(1, 1, 1, 1)
#define seL4_CanRead       seL4_CapRights_new(0, 0, 1, 0)
#define seL4_CanWrite      seL4_CapRights_new(0, 0, 0, 1)
#define seL4_CanGrant      seL4_CapRights_new(0, 1, 0, 0)
#define seL4_CanGrantReply seL4_CapRights_new(1, 0, 0, 0)
#define seL4_NoWrite       seL4_CapRights_new(1, 1, 1, 0)
#define seL4_NoRead        seL4_CapRights_new(1, 1, 0, 1)
#define seL4_NoRights      seL4_CapRights_new(0, 0, 0, 0)

/** What came with an event: bits 0-6 length in words, 7-8 capabilities, 9-11 unwrapped, 12 and up the label. */
typedef struct seL4_MessageInfo {
    uint64_t words[1];
} seL4_MessageInfo_t;

static inline seL4_MessageInfo_t seL4_MessageInfo_new(uint64_t label, uint64_t caps_unwrapped, uint64_t extra_caps,
                                                      uint64_t length) {
    seL4_MessageInfo_t info;
    info.words[0] = label << 12 | (caps_unwrapped & 7U) << 9 | (extra_caps & 3U) << 7 | (length & 0x7fU);
    return info;
}
static inline uint64_t seL4_MessageInfo_get_label(seL4_MessageInfo_t info) { return info.words[0] >> 12; }
static inline uint64_t seL4_MessageInfo_get_capsUnwrapped(seL4_MessageInfo_t info) { return info.words[0] >> 9 & 7U; }
static inline uint64_t seL4_MessageInfo_get_extraCaps(seL4_MessageInfo_t info) { return info.words[0] >> 7 & 3U; }
static inline uint64_t seL4_MessageInfo_get_length(seL4_MessageInfo_t info) { return info.words[0] & 0x7fU; }

/** A vCPU's registers as its thread has them. `sp` is SP_EL0, `spsr` the PSTATE it runs with. */
typedef struct seL4_UserContext_ {
    seL4_Word pc, sp, spsr, x0, x1, x2, x3, x4, x5, x6, x7, x8, x16, x17, x18, x29, x30;
    seL4_Word x9, x10, x11, x12, x13, x14, x15, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28;
    seL4_Word tpidr_el0, tpidrro_el0;
} seL4_UserContext;

/** Registers of a vCPU that are not in seL4_UserContext. */
typedef enum seL4_VCPUReg {
    seL4_VCPUReg_SCTLR = 0,
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

/** Arguments and results of an SMC. */
typedef struct seL4_ARM_SMCContext_ {
    seL4_Word x0, x1, x2, x3, x4, x5, x6, x7;
} seL4_ARM_SMCContext;

#define seL4_UnknownSyscall_X0 0

/** Signals a notification made by vka_alloc_notification or vm_host_make_signal; from any thread. */
void seL4_Signal(seL4_CPtr dest);

#ifdef __cplusplus
}
#endif
