/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a callback may do: everything but vm_run() and vm_destroy() of its own VM. Each kind of callback, called for the same guest, does each of
 * four things; the guest then goes on as if nothing unusual had happened.
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

#define OTHER_SPI  (SPI + 1) /* nobody registers it before the callback */
#define WIRE_SPI   (SPI + 2)
#define UNOWNED    0x11000000u
#define CLIENT_SMC 0x83000001u
#define SIGNAL     0x10u

/* Where the callback comes from. */
enum kind { AT_IRQ_END, IN_RESERVATION, IN_UNHANDLED_FAULT, IN_VCPU_FAULT, IN_SMC, AT_A_SIGNAL, AT_A_RESET };
/* What it does. */
enum action { USE_EVERYTHING, FREE_THE_RESERVATION, PAUSE, STOP };

typedef struct caller {
    test_guest_t guest; /* first, so that a callback without a cookie finds it */
    enum kind kind;
    enum action action;
    vm_vcpu_t *other; /* a second vCPU, where the host has two */
    vm_memory_reservation_t *reservation;
    seL4_CPtr signal;
    unsigned int done;  /* actions */
    unsigned int ended; /* interrupts */
} caller_t;

/* Results: 0 and 1 as of irq_tests.c, 2 from the second vCPU, 6: the callback was there. */
#define SECOND_VCPU \
    { A64_LOAD(2u, RESULTS), A64_STR_X(0u, 2u, 2u), A64_CALL(PSCI_CPU_OFF), A64_B(0) }
/* Waits for the callback, for x21 != 0 also for the second vCPU, and for -x22 interrupts. */
#define EPILOGUE                                                                                               \
    {                                                                                                          \
        A64_LOAD(2u, RESULTS), A64_LDR_X(4u, 2u, 6u), A64_CBZ(4u, -1), A64_CBZ(21u, 3), A64_LDR_X(4u, 2u, 2u), \
            A64_CBZ(4u, -1), A64_LDR_X(4u, 2u, 1u), A64_ADD_REG(4u, 4u, 22u), A64_CBNZ(4u, -2), A64_POWER_OFF  \
    }

/* All interrupts of these tests, and the last steps of the prologue; x1 is DEVICE. */
#define OPEN_OTHERS \
    A64_LOAD(4u, 1u), A64_LOAD(5u, 0x700u), A64_STR_W(5u, 26u, 0x41u), A64_LOAD(1u, DEVICE), A64_UNMASK_IRQ
static const uint32_t prologue_v2[] = {BEGIN, OPEN_V2, A64_LOAD(4u, 1u), A64_STRB(4u, 26u, 0x800u + OTHER_SPI),
                                       OPEN_OTHERS};
static const uint32_t prologue_v3[] = {BEGIN, OPEN_V3, A64_LOAD(5u, 0x700u), A64_STR_W(5u, 26u, 0x21u), OPEN_OTHERS};

/* Ends the interrupt by the distributor, so that its end is known inside an access to that; then as everybody does. */
#define RECORD                                                                                     \
    A64_STR_X(10u, 2u, 0u), A64_LDR_X(11u, 2u, 1u), A64_ADD(11u, 11u, 1u), A64_STR_X(11u, 2u, 1u), \
        A64_LOAD(12u, 0x700u), A64_STR_W(12u, 26u, 0xe1u)
HANDLERS(ended_twice, A64_NOP, RECORD);

static void other_ended(vm_vcpu_t *vcpu, int irq, void *cookie) {
    caller_t *caller = cookie;
    (void)vcpu;
    CHECK(caller->guest.t, irq == OTHER_SPI);
    caller->ended++;
}

static memory_fault_result_t never(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    caller_t *caller = cookie;
    (void)vm, (void)vcpu, (void)addr, (void)length;
    CHECK(caller->guest.t, 0);
    return FAULT_ERROR;
}

static void use_everything(caller_t *caller) {
    conformance_t *t = caller->guest.t;
    vm_t *vm = &caller->guest.vm;
    vm_vcpu_t *vcpu = caller->guest.vcpu;
    uint32_t code[] = SECOND_VCPU;
    vm_memory_reservation_t *more = vm_reserve_memory_at(vm, DEVICE + 0x10000, 0x1000, never, caller);
    CHECK(t, more != NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE - 0x1000, 0x1000, never, caller) != NULL);
    CHECK(t, vm_free_reserved_memory(vm, more) == 0);
    CHECK(t, vm_register_irq(vcpu, OTHER_SPI, other_ended, caller) == 0);
    /* After a reset it is disabled. */
    CHECK(t, vm_inject_irq(vcpu, OTHER_SPI) == (caller->kind == AT_A_RESET ? -1 : 0));
    CHECK(t, vm_set_irq_level(vcpu, WIRE_SPI, 1) == 0);
    CHECK(t, vm_set_irq_level(vcpu, WIRE_SPI, 0) == 0);
    CHECK(t, vcpu_start(vcpu) == -1);
    guest_load(&caller->guest, SECOND_CODE, code, sizeof(code) / sizeof(code[0]));
    if (caller->other != NULL) {
        CHECK(t, vm_set_thread_context_reg(caller->other, 0, SECOND_CODE) == 0);
        CHECK(t, vm_set_thread_context_reg(caller->other, 3, 0x99) == 0); /* x0 */
        CHECK(t, vcpu_start(caller->other) == 0);
    }
}

/* Once; a callback that is called again does nothing. */
static void act(caller_t *caller) {
    conformance_t *t = caller->guest.t;
    vm_t *vm = &caller->guest.vm;
    uint64_t there = 1;
    if (caller->done++ != 0)
        return;
    switch (caller->action) {
    case USE_EVERYTHING: use_everything(caller); break;
    case FREE_THE_RESERVATION: CHECK(t, vm_free_reserved_memory(vm, caller->reservation) == 0); break;
    case PAUSE:
        CHECK(t, vm_resume(vm) == -1);
        /* A VM that is being reset does not run. */
        CHECK(t, vm_pause(vm) == (caller->kind == AT_A_RESET ? -1 : 0));
        seL4_Signal(caller->signal);
        break;
    case STOP: CHECK(t, vm_stop(vm) == 0); break;
    }
    CHECK(t, vm_ram_touch(vm, RESULTS + 6 * 8, sizeof(there), vm_guest_ram_write_callback, &there) == 0);
}

static void irq_ended(vm_vcpu_t *vcpu, int irq, void *cookie) {
    caller_t *caller = cookie;
    CHECK(caller->guest.t, vcpu == caller->guest.vcpu && irq == SPI);
    caller->ended++;
    act(caller);
}

static memory_fault_result_t accessed(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    caller_t *caller = cookie;
    (void)vm, (void)length;
    if (addr == DEVICE + 16) {
        if (caller->kind == AT_IRQ_END)
            CHECK(caller->guest.t, vm_inject_irq(vcpu, SPI) == 0);
        else
            seL4_Signal(caller->signal);
    } else {
        act(caller);
    }
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int vcpu_fault(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    (void)hsr;
    act(cookie);
    advance_vcpu_fault(vcpu);
    return 0;
}

static int smc(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    caller_t *caller = (caller_t *)(void *)((char *)vcpu->vm - offsetof(test_guest_t, vm));
    if (regs->x0 != CLIENT_SMC)
        return vm_serve_smc(vcpu, regs);
    act(caller);
    return 0;
}

/* The signal of this test, or the one that act() sent after a pause. */
static int signalled(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    caller_t *caller = cookie;
    (void)tag;
    CHECK(caller->guest.t, badge == SIGNAL);
    if (caller->done == 0)
        act(caller);
    else if (caller->kind != AT_A_RESET && vm_resume(vm) != 0)
        seL4_Signal(caller->signal); /* a vCPU was not held yet */
    return 0;
}

static int set_start(caller_t *caller, uintptr_t at) {
    seL4_UserContext context = {0};
    vm_vgic_config_t config;
    const int uses = caller->action == USE_EVERYTHING;
    /* Its own, and the one that the callback injects. */
    const uint64_t interrupts = (caller->kind == AT_IRQ_END ? 1u : 0u) + (uses && caller->kind != AT_A_RESET ? 1u : 0u);
    CHECK(caller->guest.t, vm_get_vgic(&caller->guest.vm, &config) == 0);
    context.pc = at;
    context.x21 = uses && caller->other != NULL ? 1 : 0;
    context.x22 = 0 - interrupts;
    context.x26 = config.distributor;
    context.x27 = config.version == 2 ? config.cpu_interface : config.redistributor;
    return CHECK(caller->guest.t, vm_set_thread_context(caller->guest.vcpu, context) == 0);
}

static int being_reset(vm_t *vm, void *cookie) {
    caller_t *caller = cookie;
    static const uint32_t epilogue[] = EPILOGUE;
    CHECK(caller->guest.t, vm == &caller->guest.vm);
    act(caller);
    GUEST_LOAD(&caller->guest, CODE, epilogue);
    return set_start(caller, CODE) ? 0 : -1;
}

/* What makes the callback come. */
static size_t trigger(enum kind kind, uint32_t *code) {
    static const uint32_t ready[] = {A64_STR_W(A64_XZR, 1u, 4u)};
    static const uint32_t reserved[] = {A64_LDR_W(4u, 1u, 0u)};
    static const uint32_t unowned[] = {A64_LOAD(4u, UNOWNED), A64_LDR_W(5u, 4u, 0u)};
    static const uint32_t unknown[] = {A64_MRS(4u, A64_PMCR_EL0)};
    static const uint32_t call[] = {A64_CALL(CLIENT_SMC)};
    static const uint32_t reset[] = {A64_CALL(PSCI_SYSTEM_RESET), A64_B(0)};
    const uint32_t *from = ready;
    size_t count = 1;
    switch (kind) {
    case AT_IRQ_END:
    case AT_A_SIGNAL: break;
    case IN_RESERVATION: from = reserved; break;
    case IN_UNHANDLED_FAULT:
        from = unowned;
        count = sizeof(unowned) / sizeof(unowned[0]);
        break;
    case IN_VCPU_FAULT: from = unknown; break;
    case IN_SMC:
        from = call;
        count = sizeof(call) / sizeof(call[0]);
        break;
    case AT_A_RESET:
        from = reset;
        count = sizeof(reset) / sizeof(reset[0]);
        break;
    }
    for (size_t i = 0; i < count; i++)
        code[i] = from[i];
    return count;
}

static void load_guest(caller_t *caller, unsigned int version) {
    static const uint32_t epilogue[] = EPILOGUE;
    uint32_t code[8];
    const size_t triggers = trigger(caller->kind, code);
    uintptr_t at = CODE;
    test_guest_t *guest = &caller->guest;
    if (version == 2) {
        GUEST_LOAD(guest, at, prologue_v2);
        GUEST_LOAD(guest, VECTORS + 0x280, ended_twice_v2);
        at += sizeof(prologue_v2);
    } else {
        GUEST_LOAD(guest, at, prologue_v3);
        GUEST_LOAD(guest, VECTORS + 0x280, ended_twice_v3);
        at += sizeof(prologue_v3);
    }
    guest_load(guest, at, code, triggers);
    GUEST_LOAD(guest, at + triggers * sizeof(code[0]), epilogue);
}

static void run_caller(caller_t *caller) {
    conformance_t *t = caller->guest.t;
    test_guest_t *guest = &caller->guest;
    if (!set_start(caller, CODE) || !CHECK(t, vcpu_start(guest->vcpu) == 0))
        return;
    if (caller->action == STOP) {
        CHECK(t, vm_run(&guest->vm) == 0 && guest->vm.run.exit_reason == VM_GUEST_STOPPED_EXIT);
        CHECK(t, vm_run(&guest->vm) == -1);
    } else if (guest_finish(guest) && caller->action == USE_EVERYTHING) {
        CHECK(t, caller->other == NULL || guest_result(guest, 2) == 0x99);
        CHECK(t, caller->kind == AT_A_RESET || guest_result(guest, 0) == OTHER_SPI);
    }
    CHECK(t, caller->done >= 1);
}

static void call_from(conformance_t *t, enum kind kind, enum action action, unsigned int version) {
    const vm_vgic_config_t wanted = {.version = version};
    caller_t caller = {.kind = kind, .action = action};
    test_guest_t *guest = &caller.guest;
    if (!guest_make(guest, t, NULL))
        return;
    if (vm_install_vgic_with(&guest->vm, &wanted) == 0) {
        if (CONFIG_MAX_NUM_NODES > 1)
            caller.other = vm_create_vcpu(&guest->vm, t->host->priority);
        CHECK(t, vm_host_make_signal(t->host, SIGNAL, &caller.signal) == 0);
        caller.reservation = vm_reserve_memory_at(&guest->vm, DEVICE, 0x1000, accessed, &caller);
        CHECK(t, caller.reservation != NULL);
        CHECK(t, vm_register_irq(guest->vcpu, SPI, irq_ended, &caller) == 0);
        CHECK(t, vm_register_unhandled_mem_fault_callback(&guest->vm, accessed, &caller) == 0);
        CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest->vcpu, vcpu_fault, &caller) == 0);
        CHECK(t, vm_register_smc_handler_callback(&guest->vm, smc) == 0);
        CHECK(t, vm_register_notification_callback(&guest->vm, signalled, &caller) == 0);
        CHECK(t, vm_register_reset_callback(&guest->vm, being_reset, &caller) == 0);
        load_guest(&caller, version);
        run_caller(&caller);
        vm_host_free_signal(t->host, caller.signal);
    }
    guest_destroy(guest);
}

static void call_from_each(conformance_t *t, enum action action) {
    for (int kind = AT_IRQ_END; kind <= AT_A_RESET; kind++) {
        if (kind == IN_VCPU_FAULT && (t->abilities & CONFORMANCE_TRAPS_PMU) == 0)
            continue;
        for (unsigned int version = 2; version <= 3; version++)
            call_from(t, (enum kind)kind, action, version);
    }
}

void test_a_callback_may_use_the_interface(conformance_t *t) { call_from_each(t, USE_EVERYTHING); }

void test_a_callback_may_free_a_reservation(conformance_t *t) { call_from_each(t, FREE_THE_RESERVATION); }

void test_a_callback_may_pause_the_vm(conformance_t *t) { call_from_each(t, PAUSE); }

void test_a_callback_may_stop_the_vm(conformance_t *t) { call_from_each(t, STOP); }
