/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A64 instructions as numbers, for the small guests of the suite (Arm ARM DDI 0487, "A64 Instruction Set Encoding").
 * Offsets of loads and stores are in units of their size, those of branches in instructions.
 */
#pragma once

#include <stdint.h>

#define A64_XZR 31u

#define A64_MOVZ(rd, value, half) (0xd2800000u | (half) << 21 | ((value)&0xffffu) << 5 | (rd))
#define A64_MOVK(rd, value, half) (0xf2800000u | (half) << 21 | ((value)&0xffffu) << 5 | (rd))
/* Two instructions: any 32-bit value. */
#define A64_LOAD(rd, value)            A64_MOVZ(rd, (value)&0xffffu, 0u), A64_MOVK(rd, (value) >> 16, 1u)
#define A64_MOV(rd, rm)                (0xaa0003e0u | (rm) << 16 | (rd))
#define A64_ADD(rd, rn, value)         (0x91000000u | (value) << 10 | (rn) << 5 | (rd))
#define A64_ADD_REG(rd, rn, rm)        (0x8b000000u | (rm) << 16 | (rn) << 5 | (rd))
#define A64_ADD_LSL(rd, rn, rm, shift) (0x8b000000u | (rm) << 16 | (shift) << 10 | (rn) << 5 | (rd))
#define A64_SUB(rd, rn, value)         (0xd1000000u | (value) << 10 | (rn) << 5 | (rd))

#define A64_LDR_X(rt, rn, offset)   (0xf9400000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_LDR_W(rt, rn, offset)   (0xb9400000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_LDRH(rt, rn, offset)    (0x79400000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_LDRB(rt, rn, offset)    (0x39400000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_LDRSB_X(rt, rn, offset) (0x39800000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_STR_X(rt, rn, offset)   (0xf9000000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_STR_W(rt, rn, offset)   (0xb9000000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_STRH(rt, rn, offset)    (0x79000000u | (offset) << 10 | (rn) << 5 | (rt))
#define A64_STRB(rt, rn, offset)    (0x39000000u | (offset) << 10 | (rn) << 5 | (rt))

#define A64_B(offset)        (0x14000000u | ((offset)&0x3ffffff))
#define A64_CBZ(rt, offset)  (0xb4000000u | ((offset)&0x7ffff) << 5 | (rt))
#define A64_CBNZ(rt, offset) (0xb5000000u | ((offset)&0x7ffff) << 5 | (rt))
#define A64_ERET             0xd69f03e0u
#define A64_NOP              0xd503201fu
#define A64_WFI              0xd503207fu
#define A64_ISB              0xd5033fdfu
#define A64_HVC              0xd4000002u
#define A64_SMC              0xd4000003u
#define A64_SMC_WITH(value)  (0xd4000003u | (value) << 5)
#define A64_MASK_IRQ         0xd50342dfu
#define A64_UNMASK_IRQ       0xd50342ffu

#define A64_SYSREG(op0, op1, crn, crm, op2) ((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define A64_MRS(rt, sysreg)                 (0xd5200000u | (sysreg) | (rt))
#define A64_MSR(sysreg, rt)                 (0xd5000000u | (sysreg) | (rt))
#define A64_SCTLR_EL1                       A64_SYSREG(3u, 0u, 1u, 0u, 0u)
#define A64_VBAR_EL1                        A64_SYSREG(3u, 0u, 12u, 0u, 0u)
#define A64_ESR_EL1                         A64_SYSREG(3u, 0u, 5u, 2u, 0u)
#define A64_ELR_EL1                         A64_SYSREG(3u, 0u, 4u, 0u, 1u)
#define A64_SP_EL0                          A64_SYSREG(3u, 0u, 4u, 1u, 0u)
#define A64_TPIDR_EL1                       A64_SYSREG(3u, 0u, 13u, 0u, 4u)
#define A64_MPIDR_EL1                       A64_SYSREG(3u, 0u, 0u, 0u, 5u)
#define A64_CNTVCT_EL0                      A64_SYSREG(3u, 3u, 14u, 0u, 2u)
#define A64_CNTV_CTL_EL0                    A64_SYSREG(3u, 3u, 14u, 3u, 1u)
#define A64_CNTV_CVAL_EL0                   A64_SYSREG(3u, 3u, 14u, 3u, 2u)
/* A register that no host passes through and the library does not know: the first of the PMU. */
#define A64_PMCR_EL0 A64_SYSREG(3u, 3u, 9u, 12u, 0u)
/* GICv3's CPU interface. */
#define A64_ICC_IAR1_EL1    A64_SYSREG(3u, 0u, 12u, 12u, 0u)
#define A64_ICC_EOIR1_EL1   A64_SYSREG(3u, 0u, 12u, 12u, 1u)
#define A64_ICC_PMR_EL1     A64_SYSREG(3u, 0u, 4u, 6u, 0u)
#define A64_ICC_IGRPEN1_EL1 A64_SYSREG(3u, 0u, 12u, 12u, 7u)
#define A64_ICC_SGI1R_EL1   A64_SYSREG(3u, 0u, 12u, 11u, 5u)
#define A64_ICC_SRE_EL1     A64_SYSREG(3u, 0u, 12u, 12u, 5u)

#define PSCI_VERSION      0x84000000u
#define PSCI_CPU_OFF      0x84000002u
#define PSCI_CPU_ON       0xc4000003u
#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

/* Three instructions: a firmware call without arguments. */
#define A64_CALL(function) A64_LOAD(0u, function), A64_SMC
#define A64_POWER_OFF      A64_CALL(PSCI_SYSTEM_OFF), A64_B(0)
