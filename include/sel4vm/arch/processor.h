/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fields of the syndrome that a vCPU fault callback gets (ESR_EL2, Arm ARM DDI 0487): exception class in bits 31:26,
 * instruction length in bit 25 (1: 32 bits), instruction-specific syndrome in bits 24:0.
 */
#pragma once

#define HSR_MAX_EXCEPTION 0x3f

#define HSR_EXCEPTION_CLASS_SHIFT 26
#define HSR_EXCEPTION_CLASS_MASK  0xfc000000U
#define HSR_EXCEPTION_CLASS(hsr)  (((hsr)&HSR_EXCEPTION_CLASS_MASK) >> HSR_EXCEPTION_CLASS_SHIFT)

#define HSR_IL_SHIFT 25
#define HSR_IL_MASK  0x02000000U
#define HSR_IL(hsr)  (((hsr)&HSR_IL_MASK) >> HSR_IL_SHIFT)

#define HSR_ISS_MASK 0x01ffffffU
