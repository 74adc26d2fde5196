/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts that a guest's operating system uses between its CPUs, and its virtual timer's.
 */
#pragma once

#define SGI_RESCHEDULE_IRQ 0
#define SGI_FUNC_CALL      1
#define PPI_VTIMER_IRQ     27
