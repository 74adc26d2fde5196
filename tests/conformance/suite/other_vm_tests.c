/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What one VM's callbacks may do with another VM of the endpoint while both run: make, start, pause, reset and destroy it; and what they may not do
 * with their own.
 */
#include <suite/tests.h>

#include <sel4vm/statistics.h>

#include <string.h>

#define ROUNDS 100u

/* Reads the device until it says something else than 0. */
static const uint32_t ask[] = {A64_LOAD(1u, DEVICE), A64_LDR_W(4u, 1u, 0u), A64_CBZ(4u, -1), A64_POWER_OFF};
/* Counts its rounds in RAM. */
static const uint32_t count[] = {A64_LOAD(2u, RESULTS), A64_LDR_X(4u, 2u, 0u), A64_ADD(4u, 4u, 1u),
                                 A64_STR_X(4u, 2u, 0u), A64_B(-3)};
static const uint32_t power_off[] = {A64_POWER_OFF};

typedef struct pair {
    test_guest_t first;
    test_guest_t second;
    int exists;
    unsigned int made;
    size_t live; /* before the second was made */
    unsigned int step;
    uint64_t counted;
    unsigned int rounds; /* since the step began */
} pair_t;

static size_t live(conformance_t *t) { return t->live != NULL ? t->live(t) : 0; }

static int make_second(pair_t *pair, const uint32_t *code, size_t words) {
    const vm_options_t options = {.peer = &pair->first.vm};
    pair->live = live(pair->first.t);
    if (!guest_make(&pair->second, pair->first.t, &options))
        return 0;
    guest_load(&pair->second, CODE, code, words);
    pair->exists = 1;
    pair->made++;
    return guest_begin(&pair->second);
}
#define MAKE_SECOND(pair, code) make_second((pair), (code), sizeof(code) / sizeof((code)[0]))

static void destroy_second(pair_t *pair) {
    guest_destroy(&pair->second);
    pair->exists = 0;
    CHECK(pair->first.t, live(pair->first.t) == pair->live);
}

static memory_fault_result_t answer(vm_vcpu_t *vcpu, seL4_Word value) {
    set_vcpu_fault_data(vcpu, value);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int is_state(vm_t *vm, const char *state) { return strcmp(vm_state_name(vm), state) == 0; }

static void run_first(pair_t *pair, conformance_t *t, memory_fault_callback_fn callback) {
    memset(pair, 0, sizeof(*pair));
    if (!guest_make(&pair->first, t, NULL))
        return;
    GUEST_LOAD(&pair->first, CODE, ask);
    CHECK(t, vm_reserve_memory_at(&pair->first.vm, DEVICE, 0x1000, callback, pair) != NULL);
    if (guest_begin(&pair->first))
        guest_finish(&pair->first);
    if (pair->exists)
        destroy_second(pair);
    guest_destroy(&pair->first);
}

/* Every second one is destroyed while it runs, the others when they have turned themselves off. */
static memory_fault_result_t come_and_go(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    pair_t *pair = cookie;
    (void)addr;
    (void)length;
    CHECK(pair->first.t, vm == &pair->first.vm);
    if (pair->exists) {
        if (pair->made % 2 == 0 || is_state(&pair->second.vm, "stopped"))
            destroy_second(pair);
    } else if (pair->made == ROUNDS) {
        return answer(vcpu, 1);
    } else if (!(pair->made % 2 == 0 ? MAKE_SECOND(pair, power_off) : MAKE_SECOND(pair, count))) {
        return answer(vcpu, 1);
    }
    return answer(vcpu, 0);
}

void test_vms_come_and_go_while_another_runs(conformance_t *t) {
    pair_t pair;
    run_first(&pair, t, come_and_go);
    CHECK(t, pair.made == ROUNDS);
}

static uint64_t rounds_of_second(pair_t *pair) { return guest_result(&pair->second, 0); }

/* One step at each access, or none while the second is not as the step wants it. */
static memory_fault_result_t control(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    pair_t *pair = cookie;
    conformance_t *t = pair->first.t;
    vm_t *other = &pair->second.vm;
    vm_vcpu_statistics_t statistics;
    uint64_t zero = 0;
    (void)vm;
    (void)addr;
    (void)length;
    switch (pair->step) {
    case 0:
        if (!MAKE_SECOND(pair, count))
            return answer(vcpu, 1);
        break;
    case 1: /* it runs beside the first */
        if (rounds_of_second(pair) < 2)
            return answer(vcpu, 0);
        CHECK(t, vm_pause(other) == 0);
        break;
    case 2:
        if (!is_state(other, "paused"))
            return answer(vcpu, 0);
        CHECK(t, vm_pause(other) == -1);
        pair->counted = rounds_of_second(pair);
        pair->rounds = 0;
        break;
    case 3: /* and stands while the first runs */
        if (pair->rounds++ < 20)
            return answer(vcpu, 0);
        CHECK(t, is_state(other, "paused") && rounds_of_second(pair) == pair->counted);
        CHECK(t, vm_resume(other) == 0);
        break;
    case 4:
        if (rounds_of_second(pair) == pair->counted)
            return answer(vcpu, 0);
        CHECK(t, vm_pause(other) == 0);
        break;
    case 5:
        if (!is_state(other, "paused"))
            return answer(vcpu, 0);
        CHECK(t, vm_stop(other) == 0); /* nothing of it runs */
        break;
    case 6:
        if (!is_state(other, "stopped"))
            return answer(vcpu, 0);
        CHECK(t, vm_stop(other) == -1);
        CHECK(t, vm_ram_touch(other, RESULTS, sizeof(zero), vm_guest_ram_write_callback, &zero) == 0);
        CHECK(t, vm_get_vcpu_statistics(pair->second.vcpu, &statistics) == 0);
        CHECK(t, statistics.kicks >= statistics.exits[VM_EXIT_KICKED] && statistics.kicks != 0);
        CHECK(t, statistics.interrupts == 0);
        CHECK(t, guest_begin(&pair->second)); /* anew */
        break;
    case 7:
        if (rounds_of_second(pair) < 2)
            return answer(vcpu, 0);
        CHECK(t, is_state(other, "running"));
        destroy_second(pair);
        return answer(vcpu, 1);
    default: CHECK(t, pair->step <= 7); return answer(vcpu, 1);
    }
    pair->step++;
    return answer(vcpu, 0);
}

void test_another_vm_is_paused_stopped_and_started_anew(conformance_t *t) {
    pair_t pair;
    run_first(&pair, t, control);
    CHECK(t, pair.step == 7 && pair.made == 1);
}

/* The second's own callback, while vm_run() of the first is active. */
static memory_fault_result_t destroy_both(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    pair_t *pair = cookie;
    (void)addr;
    (void)length;
    CHECK(pair->first.t, vm == &pair->second.vm);
    CHECK(pair->first.t, vm_destroy(&pair->first.vm) == -1); /* its vm_run() is active */
    CHECK(pair->first.t, vm_destroy(&pair->second.vm) == -1);
    CHECK(pair->first.t, vm_stop(&pair->second.vm) == 0);
    pair->step = 1;
    return answer(vcpu, 0);
}

static memory_fault_result_t watch_it_stop(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    pair_t *pair = cookie;
    const vm_options_t options = {.peer = vm};
    (void)addr;
    (void)length;
    if (!pair->exists) {
        pair->live = live(pair->first.t);
        if (!guest_make(&pair->second, pair->first.t, &options))
            return answer(vcpu, 1);
        pair->exists = 1;
        GUEST_LOAD(&pair->second, CODE, ask);
        CHECK(pair->first.t, vm_reserve_memory_at(&pair->second.vm, DEVICE, 0x1000, destroy_both, pair) != NULL);
        return answer(vcpu, !guest_begin(&pair->second));
    }
    if (!is_state(&pair->second.vm, "stopped"))
        return answer(vcpu, 0);
    destroy_second(pair);
    return answer(vcpu, 1);
}

void test_a_vm_is_not_destroyed_from_its_own_callbacks(conformance_t *t) {
    pair_t pair;
    run_first(&pair, t, watch_it_stop);
    CHECK(t, pair.step == 1 && !pair.exists);
}

static int destroy_when_told(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t message, void *cookie) {
    pair_t *pair = cookie;
    (void)message;
    CHECK(pair->first.t, badge == 0x10 && vm_destroy(vm) == -1);
    if (pair->exists)
        destroy_second(pair);
    pair->step++;
    return 0;
}

static memory_fault_result_t tell(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    pair_t *pair = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    if (pair->exists) /* until the signal is heard */
        return answer(vcpu, 0);
    if (pair->made == 5 || !MAKE_SECOND(pair, count))
        return answer(vcpu, 1);
    seL4_Signal(pair->first.seen[0]);
    return answer(vcpu, 0);
}

void test_a_signals_callback_may_destroy_another_vm(conformance_t *t) {
    pair_t pair;
    seL4_CPtr signal = seL4_CapNull;
    memset(&pair, 0, sizeof(pair));
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    if (guest_make(&pair.first, t, NULL)) {
        pair.first.seen[0] = signal;
        GUEST_LOAD(&pair.first, CODE, ask);
        CHECK(t, vm_reserve_memory_at(&pair.first.vm, DEVICE, 0x1000, tell, &pair) != NULL);
        CHECK(t, vm_register_notification_callback(&pair.first.vm, destroy_when_told, &pair) == 0);
        if (guest_begin(&pair.first))
            guest_finish(&pair.first);
        CHECK(t, pair.made == 5 && pair.step == 5 && !pair.exists);
        guest_destroy(&pair.first);
    }
    vm_host_free_signal(t->host, signal);
}
