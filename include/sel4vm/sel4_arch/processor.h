/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AArch64: processor modes as PSTATE.M has them, and exception classes (Arm ARM DDI 0487, ESR_ELx.EC).
 */
#pragma once

#include <sel4/sel4.h>

#include <sel4vm/arch/processor.h>

/** PSTATE.M: the exception level in bits 3:2, bit 0 set where that level uses its own stack pointer. */
typedef enum processor_mode {
    PMODE_EL0t = 0x0,
    PMODE_EL1t = 0x4,
    PMODE_EL1h = 0x5,
    PMODE_EL2t = 0x8,
    PMODE_EL2h = 0x9,
    PMODE_EL3t = 0xc,
    PMODE_EL3h = 0xd
} processor_mode_t;

#define seL4_UnknownSyscall_ARG0 seL4_UnknownSyscall_X0

#define HSR_UNKNOWN_EXCEPTION     0x00
#define HSR_WFx_EXCEPTION         0x01
#define HSR_CP15_32_EXCEPTION     0x03
#define HSR_CP15_64_EXCEPTION     0x04
#define HSR_CP14_32_EXCEPTION     0x05
#define HSR_CP14_LC_32_EXCEPTION  0x06
#define HSR_SIMD_EXCEPTION        0x07
#define HSR_CP10_EXCEPTION        0x08
#define HSR_CP14_EXCEPTION        0x0c
#define HSR_ILLEGAL_EXCEPTION     0x0e
#define HSR_SVC_32_EXCEPTION      0x11
#define HSR_HVC_32_EXCEPTION      0x12
#define HSR_SMC_32_EXCEPTION      0x13
#define HSR_SVC_64_EXCEPTION      0x15
#define HSR_HVC_64_EXCEPTION      0x16
#define HSR_SMC_64_EXCEPTION      0x17
#define HSR_SYSREG_64_EXCEPTION   0x18
#define HSR_IMPL_DEF_EXCEPTION    0x1f
#define HSR_IABT_LOW_EXCEPTION    0x20
#define HSR_IABT_CURR_EXCEPTION   0x21
#define HSR_PC_ALIGN_EXCEPTION    0x22
#define HSR_DABT_LOW_EXCEPTION    0x24
#define HSR_DABT_CUR_EXCEPTION    0x25
#define HSR_SP_ALIGN_EXCEPTION    0x26
#define HSR_FP32_EXCEPTION        0x28
#define HSR_FP64_EXCEPTION        0x2c
#define HSR_SERROR_EXCEPTION      0x2f
#define HSR_BRK_LOW_EXCEPTION     0x30
#define HSR_BRK_CUR_EXCEPTION     0x31
#define HSR_SWSTEP_LOW_EXCEPTION  0x32
#define HSR_SWSTEP_CUR_EXCEPTION  0x33
#define HSR_WATCHPT_LOW_EXCEPTION 0x34
#define HSR_WATCHPT_CUR_EXCEPTION 0x35
#define HSR_SWBRK_32_EXCEPTION    0x38
#define HSW_VECTOR_32_EXCEPTION   0x3a
#define HSR_SWBRK_64_EXCEPTION    0x3c

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The names of the classes, by number, for messages; classes without a name have a common text. In place of libsel4vm's
 * table, of which every file got its own copy.
 */
extern const char *const hsr_reasons[HSR_MAX_EXCEPTION + 1];

#ifdef __cplusplus
}
#endif
