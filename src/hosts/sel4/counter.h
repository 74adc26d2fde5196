/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter that the kernel lets user code read, if any: the physical one, or the virtual one, whose offset is that of the guest
 * that ran last (0 unless a client gives its VM another). Where both can be read the virtual one is taken, except when the kernel
 * moves its offset: QEMU 7.2 refuses the physical counter to user code unless the physical timer is exported, too, which gives it
 * to guests.
 */
#pragma once

#include <stdint.h>

#if defined(__aarch64__)

#if defined(CONFIG_EXPORT_PCNT_USER) && \
    (!defined(CONFIG_EXPORT_VCNT_USER) || defined(CONFIG_EXPORT_PTMR_USER) || defined(CONFIG_VTIMER_UPDATE_VOFFSET))
#define SEL4VM_COUNTER "cntpct_el0"
#elif defined(CONFIG_EXPORT_VCNT_USER)
#define SEL4VM_COUNTER "cntvct_el0"
#endif

/* 0 where there is none. */
static inline uint64_t sel4vm_counter(void) {
    uint64_t ticks = 0;
#ifdef SEL4VM_COUNTER
    __asm__ volatile("isb\n mrs %0, " SEL4VM_COUNTER : "=r"(ticks)::"memory");
#endif
    return ticks;
}

/* Ticks a second; 0 where there is no counter, for then its frequency cannot be read, either. */
static inline uint64_t sel4vm_counter_frequency(void) {
    uint64_t frequency = 0;
#ifdef SEL4VM_COUNTER
    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
#endif
    return frequency;
}

#else /* beside AArch64: the test double's */

#ifdef __cplusplus
extern "C" {
#endif
uint64_t sel4vm_counter(void);
uint64_t sel4vm_counter_frequency(void);
#ifdef __cplusplus
}
#endif

#endif
