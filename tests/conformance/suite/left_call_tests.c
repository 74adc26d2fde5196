/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Calls (HVC and SMC) that a client's callback leaves unfinished, in every way there is: PC is that of the call for as long as it is open, and the
 * guest makes the call again, as it would do again any other instruction.
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

enum way { FAIL, LEAVE_UNHANDLED, RESTART, PAUSE };

#define CALL (CODE + 6u * 4u)

/* Makes the same call twice, and stores what it got. */
static int make_guest(test_guest_t *guest, conformance_t *t, uint32_t call, unhandled_vcpu_fault_callback_fn callback) {
    const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_LOAD(5u, 2u),    A64_LOAD(0u, 0xc3001234u), call,
                             A64_STR_X(0u, 2u, 0u), A64_ADD(2u, 2u, 8u), A64_SUB(5u, 5u, 1u),       A64_CBNZ(5u, -6),
                             A64_POWER_OFF};
    if (!guest_make(guest, t, NULL))
        return 0;
    GUEST_LOAD(guest, CODE, code);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest->vcpu, callback, guest) == 0);
    return 1;
}

/* All that tells where the vCPU is says the same. */
static void is_at_the_call(test_guest_t *guest) {
    seL4_UserContext context;
    uintptr_t pc = 0;
    CHECK(guest->t, get_vcpu_fault_ip(guest->vcpu) == CALL);
    CHECK(guest->t, vm_get_thread_context_reg(guest->vcpu, 0, &pc) == 0 && pc == CALL);
    CHECK(guest->t, vm_get_thread_context(guest->vcpu, &context) == 0 && context.pc == CALL);
}

static void finish(test_guest_t *guest, seL4_Word result) {
    CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, guest_context_index(0), result) == 0);
    advance_vcpu_fault(guest->vcpu);
}

/* Leaves each call when it comes first, in the way of seen[7], and finishes it when it comes again. */
static int leave_once(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)hsr;
    guest->calls++;
    is_at_the_call(guest);
    if (guest->calls % 2 == 0) {
        finish(guest, 0x90 + guest->calls / 2);
        return 0;
    }
    switch (guest->seen[7]) {
    case FAIL: return -1;
    case LEAVE_UNHANDLED: return VM_VCPU_FAULT_UNHANDLED;
    case RESTART: restart_vcpu_fault(vcpu); return 0;
    default:
        CHECK(guest->t, vm_pause(&guest->vm) == 0);
        seL4_Signal((seL4_CPtr)guest->seen[6]);
        return 0;
    }
}

/* The call that is paused goes back to where it began. */
static int go_on(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)badge;
    (void)tag;
    is_at_the_call(guest);
    restart_vcpu_fault(guest->vcpu);
    CHECK(guest->t, vm_resume(vm) == 0);
    return 0;
}

static void leave(conformance_t *t, uint32_t call, enum way way) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!make_guest(&guest, t, call, leave_once))
        return;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    CHECK(t, vm_register_notification_callback(&guest.vm, go_on, &guest) == 0);
    CHECK(t, vm_set_fault_policy(&guest.vm, VM_FAULT_POLICY_RETURN) == 0);
    guest.seen[6] = signal;
    guest.seen[7] = way;
    if (guest_begin(&guest)) {
        for (int i = 0; i < 2 && (way == FAIL || way == LEAVE_UNHANDLED); i++) {
            CHECK(t, vm_run(&guest.vm) == -1 && guest.vm.run.exit_reason == VM_GUEST_UNKNOWN_EXIT);
            is_at_the_call(&guest);
        }
        if (guest_finish(&guest))
            CHECK(t, guest.calls == 4 && guest_result(&guest, 0) == 0x91 && guest_result(&guest, 1) == 0x92);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

void test_a_call_that_is_left_is_made_again(conformance_t *t) {
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS))
        return;
    for (enum way way = FAIL; way <= PAUSE; way++) {
        leave(t, A64_HVC, way);
        leave(t, A64_SMC, way);
    }
}

static int always_fail(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    (void)hsr;
    guest->calls++;
    return -1;
}

/* The client finishes each call after vm_run() has returned with it. */
static void finish_between(conformance_t *t, uint32_t call) {
    test_guest_t guest;
    if (!make_guest(&guest, t, call, always_fail))
        return;
    if (guest_begin(&guest)) {
        for (seL4_Word i = 0; i < 2; i++) {
            CHECK(t, vm_run(&guest.vm) == -1 && guest.calls == i + 1);
            is_at_the_call(&guest);
            finish(&guest, 0x91 + i);
        }
        if (guest_finish(&guest))
            CHECK(t, guest.calls == 2 && guest_result(&guest, 0) == 0x91 && guest_result(&guest, 1) == 0x92);
    }
    guest_destroy(&guest);
}

void test_a_call_may_be_finished_between_runs(conformance_t *t) {
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS))
        return;
    finish_between(t, A64_HVC);
    finish_between(t, A64_SMC);
}

static int step_over(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)hsr;
    guest->calls++;
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, 0, CALL + 4) == 0);
    CHECK(guest->t, get_vcpu_fault_ip(vcpu) == CALL + 4);
    return guest->calls == 1 ? 0 : -1;
}

/* The client sends the vCPU behind the call: the first time inside the callback, the second time after vm_run(). */
static void step_over_both(conformance_t *t, uint32_t call) {
    test_guest_t guest;
    if (!make_guest(&guest, t, call, step_over))
        return;
    if (guest_begin(&guest)) {
        CHECK(t, vm_run(&guest.vm) == -1 && guest.calls == 2);
        CHECK(t, vm_set_thread_context_reg(guest.vcpu, 0, CALL + 4) == 0);
        if (guest_finish(&guest)) {
            CHECK(t, guest.calls == 2 && guest_result(&guest, 0) == 0xc3001234u);
            CHECK(t, guest_result(&guest, 1) == 0xc3001234u);
        }
    }
    guest_destroy(&guest);
}

void test_a_client_may_step_over_a_call(conformance_t *t) {
    if (conformance_keeps(t, CONFORMANCE_KEEPS_CALLS))
        return;
    step_over_both(t, A64_HVC);
    step_over_both(t, A64_SMC);
}
