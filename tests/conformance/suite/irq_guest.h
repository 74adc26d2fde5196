/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pieces of guest programs that use an interrupt controller of either version: x26 is the distributor, x27 the CPU interface of a
 * GICv2 or the redistributor of a GICv3. x1 is DEVICE.
 */
#pragma once

#include <suite/guest.h>

#define SPI 40

/* Gives a guest that is made a GIC of this version, kept in seen[5], and the registers above; 0 where the host cannot have one. */
int irq_guest_equip(test_guest_t *guest, unsigned int version);
/* guest_make() and irq_guest_equip(); nothing is left when it is 0. */
int irq_guest_make(test_guest_t *guest, conformance_t *t, unsigned int version);

/* Opens distributor and CPU interface, enables INTIDs 40 (shared) and 27 (the virtual timer), routes SPIs here, and unmasks IRQs. */
#define OPEN_V2                                                                                                   \
    A64_LOAD(4u, 1u), A64_STR_W(4u, 26u, 0u), A64_LOAD(5u, 0x08000000u), A64_STR_W(5u, 26u, 0x40u),               \
        A64_LOAD(5u, 0x100u), A64_STR_W(5u, 26u, 0x41u), A64_STRB(4u, 26u, 0x800u + SPI), A64_STR_W(4u, 27u, 0u), \
        A64_LOAD(5u, 0xf0u), A64_STR_W(5u, 27u, 1u)
#define OPEN_V3                                                                                                   \
    A64_LOAD(4u, 0x12u), A64_STR_W(4u, 26u, 0u), A64_LOAD(5u, 0x100u), A64_STR_W(5u, 26u, 0x21u),                 \
        A64_STR_W(5u, 26u, 0x41u), A64_STR_W(A64_XZR, 27u, 5u), A64_LOAD(5u, 0x10000u), A64_ADD_REG(6u, 27u, 5u), \
        A64_LOAD(5u, 0xffffffffu), A64_STR_W(5u, 6u, 0x20u), A64_LOAD(5u, 0x08000000u), A64_STR_W(5u, 6u, 0x40u), \
        A64_LOAD(4u, 0xf0u), A64_MSR(A64_ICC_PMR_EL1, 4u), A64_LOAD(4u, 1u), A64_MSR(A64_ICC_IGRPEN1_EL1, 4u), A64_ISB
#define BEGIN A64_LOAD(2u, RESULTS), A64_LOAD(3u, VECTORS), A64_MSR(A64_VBAR_EL1, 3u), A64_ISB

/* The guest's program and its interrupt handler, for each version. */
#define FOR_BOTH(name, ...)                                            \
    static const uint32_t name##_v2[] = {BEGIN, OPEN_V2, __VA_ARGS__}; \
    static const uint32_t name##_v3[] = {BEGIN, OPEN_V3, __VA_ARGS__}
#define HANDLERS(name, before, after)                                                                                \
    static const uint32_t name##_v2[] = {before, A64_LDR_W(10u, 27u, 3u), after, A64_STR_W(10u, 27u, 4u), A64_ERET}; \
    static const uint32_t name##_v3[] = {                                                                            \
        before, A64_MRS(10u, A64_ICC_IAR1_EL1), after, A64_MSR(A64_ICC_EOIR1_EL1, 10u), A64_ISB, A64_ERET}
/* After the above: enables the software-generated interrupts, too. */
#define OPEN_SGIS_V2 A64_LOAD(5u, 0xffffu), A64_STR_W(5u, 26u, 0x40u)
#define OPEN_SGIS_V3 A64_LOAD(5u, 0xffffu), A64_STR_W(5u, 6u, 0x40u)
/* Sends a software-generated interrupt to this CPU. */
#define SEND_V2(intid) A64_LOAD(4u, 0x02000000u | (intid)), A64_STR_W(4u, 26u, 0x3c0u)
#define SEND_V3(intid) A64_LOAD(4u, (intid) << 24 | 1u), A64_MSR(A64_ICC_SGI1R_EL1, 4u), A64_ISB
/* For a handler: counts in result 16 + INTID. */
#define COUNT_BY_INTID \
    A64_ADD_LSL(11u, 2u, 10u, 3u), A64_LDR_X(12u, 11u, 16u), A64_ADD(12u, 12u, 1u), A64_STR_X(12u, 11u, 16u)
/* Waits until one has come. */
#define AWAIT(intid) A64_LDR_X(4u, 2u, 16u + (intid)), A64_CBZ(4u, -1)
#define LOAD_VERSION(guest, at, name)             \
    do {                                          \
        if ((guest)->seen[5] == 2)                \
            GUEST_LOAD((guest), (at), name##_v2); \
        else                                      \
            GUEST_LOAD((guest), (at), name##_v3); \
    } while (0)
