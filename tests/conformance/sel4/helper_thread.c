/* SPDX-License-Identifier: BSD-2-Clause */
#include <sel4/helper_thread.h>

#include <hosts/sel4/counter.h>

#include <sel4utils/api.h>

#define TURN_MICROSECONDS 10000

#ifdef CONFIG_DISABLE_WFI_WFE_TRAPS
#define PRIORITY(host) (seL4_Word)(host)->priority
#else
#define PRIORITY(host) 1
#endif

uint64_t helper_now(void) { return sel4vm_counter(); }

uint64_t helper_rate(void) { return sel4vm_counter_frequency(); }

static void watch(uint64_t until, seL4_CPtr signal, seL4_CPtr self) {
    while (helper_now() < until)
        ;
    seL4_Signal(signal);
    seL4_TCB_Suspend(self);
}

int helper_open(helper_thread_t *helper, vm_host_t *host, seL4_Word badge) {
    simple_t *simple = &host->simple;
    const seL4_CPtr root = simple_get_cnode(simple);
    const seL4_Word skip = api_make_guard_skip_word(seL4_WordBits - simple_get_cnode_size_bits(simple));
    *helper = (helper_thread_t){.host = host};
    if (vm_host_make_signal(host, badge, &helper->signal) != 0 || vka_alloc_tcb(&host->vka, &helper->tcb) != 0)
        return -1;
#ifdef CONFIG_KERNEL_MCS
    if (vka_alloc_sched_context(&host->vka, &helper->context) != 0 ||
        seL4_SchedControl_Configure(simple_get_sched_ctrl(simple, 0), helper->context.cptr, TURN_MICROSECONDS,
                                    TURN_MICROSECONDS, 0, 0) != 0 ||
        seL4_TCB_Configure(helper->tcb.cptr, root, skip, simple_get_pd(simple), 0, 0, 0) != 0)
        return -1;
    return seL4_TCB_SetSchedParams(helper->tcb.cptr, simple_get_tcb(simple), 0, PRIORITY(host), helper->context.cptr,
                                   0);
#else
    if (seL4_TCB_Configure(helper->tcb.cptr, 0, root, skip, simple_get_pd(simple), 0, 0, 0) != 0)
        return -1;
    return seL4_TCB_SetSchedParams(helper->tcb.cptr, simple_get_tcb(simple), 0, PRIORITY(host));
#endif
}

void helper_close(helper_thread_t *helper) {
    if (helper->tcb.cptr != 0)
        vka_free_object(&helper->host->vka, &helper->tcb);
    if (helper->context.cptr != 0)
        vka_free_object(&helper->host->vka, &helper->context);
    if (helper->signal != 0)
        vm_host_free_signal(helper->host, helper->signal);
}

int helper_set(void *cookie, uint64_t ticks) {
    helper_thread_t *helper = cookie;
    seL4_UserContext registers = {0};
    registers.pc = (seL4_Word)watch;
    registers.sp = (seL4_Word)(helper->stack + sizeof helper->stack);
    registers.x0 = ticks;
    registers.x1 = helper->signal;
    registers.x2 = helper->tcb.cptr;
    seL4_TCB_Suspend(helper->tcb.cptr);
    return seL4_TCB_WriteRegisters(helper->tcb.cptr, true, 0, sizeof registers / sizeof(seL4_Word), &registers);
}

void helper_cancel(void *cookie) { seL4_TCB_Suspend(((helper_thread_t *)cookie)->tcb.cptr); }
