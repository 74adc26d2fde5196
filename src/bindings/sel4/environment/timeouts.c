/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_host_timeout_source() of sel4vm/host.h. The kernel has no timeouts for user code, and the timers that libplatsupport drives on
 * some platforms are those that a guest can write. With MCS there is one way without a device: a thread that has used up its budget
 * runs again when its period is over, and the period is the timeout.
 */
#include <bindings/sel4/environment/environment.h>
#include <bindings/sel4/environment/timeouts.h>
#include <hosts/sel4/counter.h>

#include <stdio.h>

#include <sel4utils/api.h>

#if defined(CONFIG_KERNEL_MCS) && defined(SEL4VM_COUNTER)

#define MICROSECONDS_PER_SECOND 1000000u
#define LONGEST_SLEEP           (60u * MICROSECONDS_PER_SECOND)
/* A budget that is lost before the thread has done anything (the machine is an emulator, and somebody else had the processor)
   costs one turn: long sleeps are several turns. */
#define LONGEST_TURN 100000u
/* Enough for what the thread does; no platform's least budget is above the second. */
#define FIRST_BUDGET   200u
#define LARGEST_BUDGET 2000u

/* Rounded up, so that the signal is not early. A long one ends early: the library then asks for the rest. */
static uint64_t microseconds_until(uint64_t ticks) {
    const uint64_t now = sel4vm_counter();
    const uint64_t frequency = sel4vm_counter_frequency();
    if (ticks <= now)
        return 0;
    if (ticks - now >= frequency * (LONGEST_SLEEP / MICROSECONDS_PER_SECOND))
        return LONGEST_SLEEP;
    return ((ticks - now) * MICROSECONDS_PER_SECOND + frequency - 1) / frequency;
}

/* The thread, started anew for each timeout. It has no IPC buffer and needs none. */
static void sleep_and_signal(uint64_t until, uint64_t close, seL4_CPtr signal, seL4_CPtr self) {
    while (sel4vm_counter() + close < until)
        seL4_Yield(); /* gives the rest of its budget up: goes on in the next turn */
    while (sel4vm_counter() < until)
        ;
    seL4_Signal(signal);
    seL4_TCB_Suspend(self);
}

static int set_context(const struct timeouts *timeouts, uint64_t period) {
    const seL4_CPtr control = simple_get_sched_ctrl(&timeouts->host->simple, 0);
    return seL4_SchedControl_Configure(control, timeouts->context.cptr, timeouts->budget, period, 0, 0);
}

/* While the thread is suspended, its context begins anew at the time of the call. What is nearer than a turn is watched for. */
static int set_timeout(void *cookie, uint64_t ticks) {
    struct timeouts *timeouts = cookie;
    const uint64_t least = timeouts->budget * 2; /* a context without a gap would not wait */
    const uint64_t sleep = microseconds_until(ticks);
    const uint64_t turns = sleep / LONGEST_TURN + 1;
    const uint64_t turn = (sleep + turns - 1) / turns;
    const uint64_t close = turn < least ? least : turn / 2;
    seL4_UserContext registers = {0};
    registers.pc = (seL4_Word)sleep_and_signal;
    registers.sp = (seL4_Word)(timeouts->stack + TIMEOUT_STACK_BYTES);
    registers.x0 = sleep < LONGEST_SLEEP
                       ? ticks
                       : sel4vm_counter() + LONGEST_SLEEP / MICROSECONDS_PER_SECOND * sel4vm_counter_frequency();
    registers.x1 = close * sel4vm_counter_frequency() / MICROSECONDS_PER_SECOND;
    registers.x2 = timeouts->signal;
    registers.x3 = timeouts->tcb.cptr;
    seL4_TCB_Suspend(timeouts->tcb.cptr);
    if (set_context(timeouts, turn < least ? least : turn) != seL4_NoError)
        return -1;
    return seL4_TCB_WriteRegisters(timeouts->tcb.cptr, true, 0, sizeof registers / sizeof(seL4_Word), &registers) ==
                   seL4_NoError
               ? 0
               : -1;
}

static void cancel_timeout(void *cookie) { seL4_TCB_Suspend(((struct timeouts *)cookie)->tcb.cptr); }

static const char *open_timeouts(struct timeouts *timeouts, vm_host_t *host, seL4_Word badge) {
    simple_t *simple = &host->simple;
    timeouts->host = host;
    if (vm_host_make_signal(host, badge, &timeouts->signal) != 0)
        return "the badge is 0, or a notification cannot be had";
    if (vka_alloc_tcb(&host->vka, &timeouts->tcb) != 0 || vka_alloc_sched_context(&host->vka, &timeouts->context) != 0)
        return "out of memory";
    timeouts->budget = FIRST_BUDGET;
    while (timeouts->budget < LARGEST_BUDGET && set_context(timeouts, timeouts->budget * 2) != seL4_NoError)
        timeouts->budget *= 2;
    if (seL4_TCB_Configure(timeouts->tcb.cptr, simple_get_cnode(simple),
                           api_make_guard_skip_word(seL4_WordBits - simple_get_cnode_size_bits(simple)),
                           simple_get_pd(simple), 0, 0, seL4_CapNull) != seL4_NoError ||
        seL4_TCB_SetSchedParams(timeouts->tcb.cptr, simple_get_tcb(simple), 0, seL4_MaxPrio, timeouts->context.cptr,
                                seL4_CapNull) != seL4_NoError)
        return "the kernel refused the thread";
    return NULL;
}

int vm_host_timeout_source(vm_host_t *host, seL4_Word badge, vm_timeout_source_t *source) {
    struct timeouts *timeouts = &((struct environment *)host->impl)->timeouts;
    const char *why = NULL;
    if (source == NULL)
        why = "source is NULL";
    else if (timeouts->signal != seL4_CapNull)
        why = "there is one already";
    if (why == NULL) {
        why = open_timeouts(timeouts, host, badge);
        if (why != NULL)
            timeouts_close(timeouts);
    }
    if (why != NULL) {
        printf("sel4vm: host: error: vm_host_timeout_source: %s\n", why);
        return -1;
    }
    *source = (vm_timeout_source_t){set_timeout, cancel_timeout, timeouts, badge};
    return 0;
}

#else

int vm_host_timeout_source(vm_host_t *host, seL4_Word badge, vm_timeout_source_t *source) {
    (void)host;
    (void)badge;
    (void)source;
    printf("sel4vm: host: error: vm_host_timeout_source: this kernel is not MCS, or exports no counter\n");
    return -1;
}

#endif

void timeouts_close(struct timeouts *timeouts) {
    vm_host_t *host = timeouts->host;
    if (timeouts->tcb.cptr != seL4_CapNull)
        vka_free_object(&host->vka, &timeouts->tcb);
    if (timeouts->context.cptr != seL4_CapNull)
        vka_free_object(&host->vka, &timeouts->context);
    if (timeouts->signal != seL4_CapNull)
        vm_host_free_signal(host, timeouts->signal);
    *timeouts = (struct timeouts){0};
}
