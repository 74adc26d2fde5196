/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two VMs, each with an endpoint and a thread of its own, at the same time: on two CPUs where the kernel has them. They share the vka
 * and the heap, which the client's lock guards. With MCS both are on the first CPU: two CPUs with VMs made MCS kernels stop, each CPU
 * waiting for the kernel's own lock (August 2026).
 */
#include <suite/guest.h>

#include <sel4/sel4_tests.h>
#include <sel4utils/api.h>
#include <sel4utils/thread.h>

#define ROUNDS   50u
#define ACCESSES 200u

#if CONFIG_MAX_NUM_NODES > 1 && !defined CONFIG_KERNEL_MCS
#define LAST_CPU 1
#else
#define LAST_CPU 0
#endif

typedef struct shared {
    conformance_t *t;
    vka_object_t lock;
    vka_object_t done;
    vka_object_t never; /* signalled */
} shared_t;

typedef struct side {
    shared_t *shared;
    vm_host_t host; /* the same but for the endpoint */
    conformance_t t;
    int cpu;
    unsigned int finished;
} side_t;

static void lock(void *cookie) { seL4_Wait(((shared_t *)cookie)->lock.cptr, NULL); }
static void unlock(void *cookie) { seL4_Signal(((shared_t *)cookie)->lock.cptr); }

static memory_fault_result_t count(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    guest->calls++;
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static void run_vms(side_t *side) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE), A64_LOAD(3u, ACCESSES), A64_STR_X(3u, 1u, 0u),
                                    A64_SUB(3u, 3u, 1u),  A64_CBNZ(3u, -2),       A64_POWER_OFF};
    const vm_lock_t guarded = {lock, unlock, side->shared};
    const vm_options_t options = {.lock = &guarded};
    for (unsigned int i = 0; i < ROUNDS && side->t.failures == 0; i++) {
        test_guest_t guest;
        if (!guest_make(&guest, &side->t, &options))
            return;
        CHECK(&side->t, vm_assign_vcpu_target(guest.vcpu, side->cpu) == 0);
        CHECK(&side->t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, count, &guest) != NULL);
        GUEST_LOAD(&guest, CODE, code);
        if (guest_begin(&guest) && guest_finish(&guest))
            side->finished += CHECK(&side->t, guest.calls == ACCESSES) ? 1u : 0u;
        guest_destroy(&guest);
    }
}

static void run_other(void *cookie, void *unused, void *ipc_buffer) {
    side_t *side = cookie;
    (void)unused;
    (void)ipc_buffer;
    run_vms(side);
    seL4_Signal(side->shared->done.cptr);
    seL4_Wait(side->shared->never.cptr, NULL);
}

static int start_thread(sel4utils_thread_t *thread, side_t *side) {
    vm_host_t *host = side->shared->t->host;
    simple_t *simple = &host->simple;
    const seL4_Word skip = api_make_guard_skip_word(seL4_WordBits - simple_get_cnode_size_bits(simple));
    sel4utils_thread_config_t config =
        thread_config_default(simple, simple_get_cnode(simple), skip, seL4_CapNull, seL4_MaxPrio);
    if (sel4utils_configure_thread_config(&host->vka, &host->vspace, &host->vspace, config, thread) != 0)
        return -1;
#if LAST_CPU > 0
    if (seL4_TCB_SetAffinity(thread->tcb.cptr, (seL4_Word)side->cpu) != 0)
        return -1;
#endif
    return sel4utils_start_thread(thread, run_other, side, NULL, true);
}

static void test_two_threads_run_vms_of_their_own(conformance_t *t) {
    static shared_t shared;
    static side_t sides[2];
    vka_t *vka = &t->host->vka;
    vka_object_t endpoint;
    sel4utils_thread_t thread;
    shared.t = t;
    if (!CHECK(t, vka_alloc_notification(vka, &shared.lock) == 0 && vka_alloc_notification(vka, &shared.done) == 0 &&
                      vka_alloc_notification(vka, &shared.never) == 0 && vka_alloc_endpoint(vka, &endpoint) == 0))
        return;
    unlock(&shared);
    for (int i = 0; i < 2; i++) {
        sides[i] = (side_t){.shared = &shared, .host = *t->host, .t = *t, .cpu = i < LAST_CPU ? i : LAST_CPU};
        sides[i].t.host = &sides[i].host;
    }
    sides[1].host.endpoint = endpoint.cptr;
    if (CHECK(t, start_thread(&thread, &sides[1]) == 0)) {
        run_vms(&sides[0]);
        seL4_Wait(shared.done.cptr, NULL);
        CHECK(t, sides[0].finished == ROUNDS && sides[1].finished == ROUNDS);
        sel4utils_clean_up_thread(vka, &t->host->vspace, &thread);
    }
    vka_free_object(vka, &endpoint);
    vka_free_object(vka, &shared.never);
    vka_free_object(vka, &shared.done);
    vka_free_object(vka, &shared.lock);
}

const conformance_test_t sel4_threads_tests[] = {
    SEL4_TEST(test_two_threads_run_vms_of_their_own),
};
const size_t sel4_threads_test_count = sizeof sel4_threads_tests / sizeof sel4_threads_tests[0];
