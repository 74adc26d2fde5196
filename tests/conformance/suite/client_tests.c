/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What clients of libsel4vm do in other orders, twice, or with other values than this library's own examples
 * (docs/migrating-from-libsel4vm.md, "Calls in other orders").
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

#include <sel4vm/sel4_arch/processor.h>

#define VIRTUAL_TIMER 27

/* ---- Interrupts that the library has registered by itself */

HANDLERS(count_irq, A64_NOP, COUNT_BY_INTID);
static const uint32_t two_sgis_v2[] = {BEGIN,    OPEN_V2,      OPEN_SGIS_V2, A64_UNMASK_IRQ, SEND_V2(2u),
                                       AWAIT(2), SEND_V2(15u), AWAIT(15),    A64_POWER_OFF};
static const uint32_t two_sgis_v3[] = {BEGIN,    OPEN_V3,      OPEN_SGIS_V3, A64_UNMASK_IRQ, SEND_V3(2u),
                                       AWAIT(2), SEND_V3(15u), AWAIT(15),    A64_POWER_OFF};

static void ended(vm_vcpu_t *vcpu, int irq, void *cookie) {
    test_guest_t *guest = cookie;
    CHECK(guest->t, vcpu == guest->vcpu);
    guest->calls++;
    guest->seen[0] |= (seL4_Word)1 << irq;
}

static void own_interrupts_are_the_clients_once(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!irq_guest_make(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, two_sgis);
    LOAD_VERSION(&guest, VECTORS + 0x280, count_irq);
    for (int irq = 0; irq < 16; irq++) {
        CHECK(t, vm_register_irq(guest.vcpu, irq, ended, &guest) == 0);
        CHECK(t, vm_register_irq(guest.vcpu, irq, ended, &guest) == -1);
    }
    CHECK(t, vm_register_irq(guest.vcpu, VIRTUAL_TIMER, ended, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, VIRTUAL_TIMER, ended, &guest) == -1);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2 && guest.seen[0] == (1u << 2 | 1u << 15));
        CHECK(t, guest_result(&guest, 18) == 1 && guest_result(&guest, 31) == 1);
    }
    guest_destroy(&guest);
}

void test_own_interrupts_are_the_clients_once(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        own_interrupts_are_the_clients_once(t, version);
}

/* ---- An interrupt of several devices, each of which registers it */

FOR_BOTH(wait_for_spi, A64_UNMASK_IRQ, A64_STR_W(A64_XZR, 1u, 0u), AWAIT(SPI), A64_POWER_OFF);

static memory_fault_result_t inject_spi(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)addr;
    (void)length;
    CHECK(guest->t, vm_inject_irq(vcpu, SPI) == 0);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static void never_called(vm_vcpu_t *vcpu, int irq, void *cookie) {
    conformance_t *t = cookie;
    (void)vcpu;
    (void)irq;
    conformance_check(t, 0, __FILE__, __LINE__, "the second registration's function is called");
}

static void devices_may_share_an_interrupt(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!irq_guest_make(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_spi);
    LOAD_VERSION(&guest, VECTORS + 0x280, count_irq);
    vm_vcpu_t *other = CONFIG_MAX_NUM_NODES > 1 ? vm_create_vcpu(&guest.vm, t->host->priority) : NULL;
    CHECK(t, vm_register_irq(guest.vcpu, SPI, ended, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, ended, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, never_called, t) == 0);
    if (CONFIG_MAX_NUM_NODES > 1)
        CHECK(t, other != NULL && vm_register_irq(other, SPI, never_called, t) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, inject_spi, &guest) != NULL);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest))
        CHECK(t, guest.calls == 1);
    guest_destroy(&guest);
}

void test_devices_may_share_an_interrupt(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        devices_may_share_an_interrupt(t, version);
}

/* ---- The syndrome that a vCPU fault callback gets */

/* The place of a register in seL4_UserContext. */
static unsigned int context_index(unsigned int rt) {
    if (rt <= 8)
        return 3 + rt;
    if (rt <= 15)
        return 17 + rt - 9;
    if (rt <= 18)
        return 12 + rt - 16;
    return rt <= 28 ? 24 + rt - 19 : 15 + rt - 29;
}

/* One register, kept in seen[1]: the client finds the guest's register by Rt, and moves the value itself. */
static int by_syndrome(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    const unsigned int rt = hsr >> 5 & 31;
    uintptr_t value = 0;
    if (HSR_EXCEPTION_CLASS(hsr) != HSR_SYSREG_64_EXCEPTION)
        return -1;
    guest->calls++;
    guest->seen[0] |= (seL4_Word)1 << rt;
    if ((hsr & 1) == 0) {
        if (rt != 31)
            CHECK(guest->t, vm_get_thread_context_reg(vcpu, context_index(rt), &value) == 0);
        guest->seen[1] = value;
    } else if (rt != 31) {
        CHECK(guest->t, vm_set_thread_context_reg(vcpu, context_index(rt), guest->seen[1] + 1) == 0);
    }
    advance_vcpu_fault(vcpu);
    return 0;
}

void test_a_client_emulates_registers_by_the_syndrome(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS),          A64_LOAD(9u, 0x29u),
                                    A64_MSR(A64_PMCR_EL0, 9u),      A64_MRS(10u, A64_PMCR_EL0),
                                    A64_STR_X(10u, 2u, 0u),         A64_LOAD(30u, 0x59u),
                                    A64_MSR(A64_PMCR_EL0, 30u),     A64_MRS(17u, A64_PMCR_EL0),
                                    A64_STR_X(17u, 2u, 1u),         A64_MRS(28u, A64_PMCR_EL0),
                                    A64_STR_X(28u, 2u, 2u),         A64_MSR(A64_PMCR_EL0, A64_XZR),
                                    A64_MRS(A64_XZR, A64_PMCR_EL0), A64_MRS(0u, A64_PMCR_EL0),
                                    A64_STR_X(0u, 2u, 3u),          A64_POWER_OFF};
    test_guest_t guest;
    if ((t->abilities & CONFORMANCE_TRAPS_PMU) == 0 || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, by_syndrome, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 8);
        CHECK(t, guest.seen[0] == (1u << 9 | 1u << 10 | 1u << 30 | 1u << 17 | 1u << 28 | 1u << 31 | 1u << 0));
        CHECK(t, guest_result(&guest, 0) == 0x2a && guest_result(&guest, 1) == 0x5a);
        CHECK(t, guest_result(&guest, 2) == 0x5a && guest_result(&guest, 3) == 1);
    }
    guest_destroy(&guest);
}

/* Counts, notes what it was and where, and finishes it with 0x11 in x0. */
static int serve_a_call(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    if (guest->calls < 2) {
        guest->seen[guest->calls] = hsr;
        guest->seen[2 + guest->calls] = get_vcpu_fault_ip(vcpu);
    }
    guest->calls++;
    CHECK(guest->t, vm_set_thread_context_reg(vcpu, context_index(0), 0x11) == 0);
    advance_vcpu_fault(vcpu);
    return 0;
}

/* Calls that the library does not know; seL4 keeps the immediate of an `hvc` to itself, so it is 0 here. */
void test_the_syndrome_of_a_call_is_whole(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS),     A64_LOAD(0u, 0xc3001234u),
                                    A64_SMC_WITH(5u),          A64_STR_X(0u, 2u, 0u),
                                    A64_LOAD(0u, 0xc3001234u), A64_HVC,
                                    A64_STR_X(0u, 2u, 1u),     A64_POWER_OFF};
    test_guest_t guest;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, serve_a_call, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2);
        CHECK(t, guest.seen[0] == (HSR_SMC_64_EXCEPTION << HSR_EXCEPTION_CLASS_SHIFT | HSR_IL_MASK | 5u));
        CHECK(t, guest.seen[1] == (HSR_HVC_64_EXCEPTION << HSR_EXCEPTION_CLASS_SHIFT | HSR_IL_MASK));
        CHECK(t, guest.seen[2] == CODE + 4 * 4);
        CHECK(t, guest_result(&guest, 0) == 0x11 && guest_result(&guest, 1) == 0x11);
    }
    guest_destroy(&guest);
}

/* ---- A fault that is finished after its callback has returned, when somebody else has the answer */

enum { ADVANCE, RESTART, PAUSE_FIRST };

/* Takes the fault and asks for the answer, by the signal in seen[6]. */
static memory_fault_result_t ask_for_the_answer(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length,
                                                void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)length;
    guest->calls++;
    guest->seen[0] = addr;
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return FAULT_HANDLED;
}

/* The answer comes. What is done with it is in seen[7]; seen[1] counts. */
static int answer_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)tag;
    (void)badge;
    guest->seen[1]++;
    CHECK(guest->t, get_vcpu_fault_address(guest->vcpu) == DEVICE && get_vcpu_fault_size(guest->vcpu) == 4);
    if (guest->seen[7] == PAUSE_FIRST && guest->seen[1] == 1) {
        CHECK(guest->t, vm_pause(vm) == 0);
        CHECK(guest->t, vm_resume(vm) == 0);
        seL4_Signal((seL4_CPtr)guest->seen[6]);
    } else if (guest->seen[7] == RESTART && guest->seen[1] == 1) {
        restart_vcpu_fault(guest->vcpu);
    } else {
        CHECK(guest->t, set_vcpu_fault_data(guest->vcpu, 0x88) == 0);
        advance_vcpu_fault(guest->vcpu);
    }
    return 0;
}

static const uint32_t two_reads[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), A64_LDR_W(4u, 1u, 0u),
                                     A64_STR_X(4u, 2u, 0u), A64_LDR_W(5u, 1u, 0u), A64_STR_X(5u, 2u, 1u),
                                     A64_POWER_OFF};

static void finish_later(conformance_t *t, seL4_Word how, unsigned int calls, seL4_Word answers) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, two_reads);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    guest.seen[7] = how;
    CHECK(t, vm_register_notification_callback(&guest.vm, answer_comes, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, ask_for_the_answer, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == calls && guest.seen[1] == answers);
        CHECK(t, guest_result(&guest, 0) == 0x88 && guest_result(&guest, 1) == 0x88);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

void test_a_fault_may_be_finished_later(conformance_t *t) { finish_later(t, ADVANCE, 2, 2); }
void test_a_fault_may_be_restarted_later(conformance_t *t) { finish_later(t, RESTART, 3, 3); }
void test_a_fault_that_waits_outlives_a_pause(conformance_t *t) { finish_later(t, PAUSE_FIRST, 2, 3); }

/* Both halves of a pair are finished later, each once. */
static int a_part_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    (void)badge;
    CHECK(guest->t, get_vcpu_fault_address(guest->vcpu) == DEVICE + 8 * (guest->calls - 1));
    CHECK(guest->t, set_vcpu_fault_data(guest->vcpu, 0x100 + guest->calls) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

void test_the_parts_of_a_pair_may_be_finished_later(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), 0xa9401424u /* ldp x4, x5, [x1] */,
                                    A64_STR_X(4u, 2u, 0u), A64_STR_X(5u, 2u, 1u), A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if ((t->abilities & CONFORMANCE_HAS_PAIRS) == 0 || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, a_part_comes, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, ask_for_the_answer, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2);
        CHECK(t, guest_result(&guest, 0) == 0x101 && guest_result(&guest, 1) == 0x102);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

static int ask_for_the_register(vm_vcpu_t *vcpu, uint32_t hsr, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    (void)hsr;
    guest->calls++;
    seL4_Signal((seL4_CPtr)guest->seen[6]);
    return 0;
}

static int register_comes(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    (void)badge;
    CHECK(guest->t, vm_set_thread_context_reg(guest->vcpu, context_index(4), 0x99) == 0);
    advance_vcpu_fault(guest->vcpu);
    return 0;
}

void test_a_vcpu_fault_may_be_finished_later(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS), A64_MRS(4u, A64_PMCR_EL0), A64_STR_X(4u, 2u, 0u),
                                    A64_POWER_OFF};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if ((t->abilities & CONFORMANCE_TRAPS_PMU) == 0 || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, register_comes, &guest) == 0);
    CHECK(t, vm_register_unhandled_vcpu_fault_callback(guest.vcpu, ask_for_the_register, &guest) == 0);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest.calls == 1 && guest_result(&guest, 0) == 0x99);
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

/* ---- A physical interrupt that comes before the guest has enabled its virtual one */

#define FIRST_SPI 64

/* At DEVICE: tries to inject, with the guest not ready. At DEVICE + 8: with it ready. */
static memory_fault_result_t try_to_inject(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    const int wanted = addr == DEVICE ? -1 : 0;
    (void)vm;
    (void)length;
    CHECK(guest->t, vm_inject_irq(vcpu, SPI) == wanted);
    CHECK(guest->t, vm_inject_irq(vcpu, SPI) == wanted); /* the second one is not told twice */
    CHECK(guest->t, guest->calls == (addr == DEVICE ? 0u : 1u));
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

#define DISABLE_SPI A64_LOAD(5u, 0x100u), A64_STR_W(5u, 26u, 0x61u)
#define ENABLE_SPI  A64_LOAD(5u, 0x100u), A64_STR_W(5u, 26u, 0x41u)
FOR_BOTH(enable_late, DISABLE_SPI, A64_UNMASK_IRQ, A64_STR_W(A64_XZR, 1u, 0u), ENABLE_SPI, A64_STR_W(A64_XZR, 1u, 2u),
         AWAIT(SPI), A64_POWER_OFF);
#define DISTRIBUTOR_OFF A64_STR_W(A64_XZR, 26u, 0u)
#define DISTRIBUTOR_ON  A64_LOAD(4u, 0x13u), A64_STR_W(4u, 26u, 0u)
FOR_BOTH(turn_on_late, DISTRIBUTOR_OFF, A64_UNMASK_IRQ, A64_STR_W(A64_XZR, 1u, 0u), DISTRIBUTOR_ON,
         A64_STR_W(A64_XZR, 1u, 2u), AWAIT(SPI), A64_POWER_OFF);

static void refused_interrupt(conformance_t *t, unsigned int version, int by_the_distributor) {
    test_guest_t guest;
    if (!irq_guest_make(&guest, t, version))
        return;
    if (by_the_distributor)
        LOAD_VERSION(&guest, CODE, turn_on_late);
    else
        LOAD_VERSION(&guest, CODE, enable_late);
    LOAD_VERSION(&guest, VECTORS + 0x280, count_irq);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, ended, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, try_to_inject, &guest) != NULL);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
        CHECK(t, guest.calls == 2); /* when it could come, and at its end */
        CHECK(t, guest_result(&guest, 16 + SPI) == 1);
    }
    guest_destroy(&guest);
}

void test_a_refused_interrupt_is_told_when_it_can_come(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++) {
        refused_interrupt(t, version, 0);
        refused_interrupt(t, version, 1);
    }
}

/* At DEVICE: tries to inject 32. At DEVICE + 8: each of them was told once. */
static memory_fault_result_t try_many(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)length;
    for (int irq = FIRST_SPI; addr == DEVICE && irq < FIRST_SPI + 32; irq++)
        CHECK(guest->t, vm_inject_irq(vcpu, irq) == -1);
    CHECK(guest->t, guest->calls == (addr == DEVICE ? 0u : 32u));
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static void count_end(vm_vcpu_t *vcpu, int irq, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vcpu;
    guest->calls++;
    guest->seen[0] |= (seL4_Word)1 << (irq - FIRST_SPI);
}

#define ENABLE_MANY                                                                                               \
    A64_STR_W(A64_XZR, 1u, 0u), A64_LOAD(5u, 0xffffffffu), A64_STR_W(5u, 26u, 0x42u), A64_STR_W(A64_XZR, 1u, 2u), \
        A64_POWER_OFF
static const uint32_t enable_many_v2[] = {BEGIN, OPEN_V2, ENABLE_MANY};
static const uint32_t enable_many_v3[] = {BEGIN, OPEN_V3, A64_LOAD(5u, 0xffffffffu), A64_STR_W(5u, 26u, 0x22u),
                                          ENABLE_MANY};

static void many_refused_interrupts(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!irq_guest_make(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, enable_many);
    for (int irq = FIRST_SPI; irq < FIRST_SPI + 32; irq++)
        CHECK(t, vm_register_irq(guest.vcpu, irq, count_end, &guest) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE, 0x1000, try_many, &guest) != NULL);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest))
        CHECK(t, guest.calls == 32 && guest.seen[0] == 0xffffffffu);
    guest_destroy(&guest);
}

void test_many_refused_interrupts_are_told(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        many_refused_interrupts(t, version);
}

/* ---- Other values */

static int positive(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)badge;
    (void)tag;
    guest->calls++;
    return 1;
}

void test_any_result_of_a_notification_callback_ends_vm_run(conformance_t *t) {
    static const uint32_t code[] = {A64_B(0)};
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    if (GUEST_START(&guest, t, code)) {
        CHECK(t, vm_register_notification_callback(&guest.vm, positive, &guest) == 0);
        seL4_Signal(signal);
        CHECK(t, vm_run(&guest.vm) == -1 && guest.vm.run.exit_reason == VM_GUEST_ERROR_EXIT && guest.calls == 1);
        guest_destroy(&guest);
    }
    vm_host_free_signal(t->host, signal);
}

void test_ram_is_rounded_up_to_pages(conformance_t *t) {
    test_guest_t guest;
    uint64_t value = 0x1234;
    if (!guest_make(&guest, t, NULL))
        return;
    vm_t *vm = &guest.vm;
    const uintptr_t above = RAM + RAM_SIZE;
    CHECK(t, vm_ram_register_at(vm, above, 0x1001, false) == 0);
    CHECK(t, vm_ram_touch(vm, above + 0x1ff8, 8, vm_guest_ram_write_callback, &value) == 0);
    CHECK(t, vm_ram_touch(vm, above + 0x2000, 8, vm_guest_ram_read_callback, &value) == -1);
    CHECK(t, vm_ram_touch(vm, above, 0, vm_guest_ram_read_callback, NULL) == 0);
    CHECK(t, vm_memory_make_anon(vm, 0x20000000, 0x10000) == 0);
    const uintptr_t anywhere = vm_ram_register(vm, 5);
    CHECK(t, anywhere != 0 && vm_ram_register(vm, 5) == anywhere + 0x1000);
    guest_destroy(&guest);
}

/* Makes frames for a test; how many. */
static unsigned int make_frames(conformance_t *t, vka_object_t *frames, seL4_CPtr *array, unsigned int count) {
    unsigned int made = 0;
    while (made < count && vka_alloc_frame(&t->host->vka, seL4_PageBits, &frames[made]) == 0) {
        array[made] = frames[made].cptr;
        made++;
    }
    return made;
}

static memory_fault_result_t count_and_ignore(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    guest->calls++;
    return FAULT_IGNORE;
}

void test_frames_behind_a_reservation_are_left_alone(conformance_t *t) {
    static const uint32_t code[] = {A64_LOAD(1u, DEVICE),  A64_LOAD(2u, RESULTS), A64_LOAD(4u, 0x77u),
                                    A64_STR_X(4u, 1u, 0u), A64_LDR_X(5u, 1u, 0u), A64_STR_X(5u, 2u, 0u),
                                    A64_POWER_OFF};
    vka_object_t frames[3];
    seL4_CPtr array[3];
    test_guest_t guest;
    if ((t->abilities & CONFORMANCE_HAS_FRAMES) == 0 || !guest_make(&guest, t, NULL))
        return;
    GUEST_LOAD(&guest, CODE, code);
    const unsigned int made = make_frames(t, frames, array, 3);
    vm_memory_reservation_t *two = vm_reserve_memory_at(&guest.vm, DEVICE, 0x2000, count_and_ignore, &guest);
    CHECK(t, made == 3 && vm_map_reservation_frames(&guest.vm, two, array, 3, seL4_PageBits) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, DEVICE + 0x2000, 0x1000, count_and_ignore, &guest) != NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x77 && guest.calls == 0);
    guest_destroy(&guest);
    for (unsigned int i = 0; i < made; i++)
        vka_free_object(&t->host->vka, &frames[i]);
}

static vm_frame_t frame_of_array(uintptr_t addr, void *cookie) {
    const seL4_CPtr *next = cookie;
    const vm_frame_t frame = {*next, seL4_AllRights, addr, seL4_PageBits};
    return frame;
}

/* A reservation of a part of a page, as a small device's: its frame is the guest's as a whole, and nobody else may be there. */
static void frames_take_whole_pages(conformance_t *t, bool deferred) {
    static const uint32_t code[] = {
        A64_LOAD(1u, DEVICE),      A64_LOAD(2u, RESULTS),     A64_LOAD(4u, 0x77u),   A64_LDR_X(5u, 1u, 0x1ffu),
        A64_STR_X(4u, 1u, 0x100u), A64_LDR_X(5u, 1u, 0x100u), A64_STR_X(5u, 2u, 0u), A64_POWER_OFF};
    const vm_options_t options = {.defer_memory_map = deferred};
    vka_object_t frames[1];
    seL4_CPtr array[1];
    test_guest_t guest;
    if ((t->abilities & CONFORMANCE_HAS_FRAMES) == 0 || !guest_make(&guest, t, &options))
        return;
    vm_t *vm = &guest.vm;
    GUEST_LOAD(&guest, CODE, code);
    const unsigned int made = make_frames(t, frames, array, 1);
    vm_memory_reservation_t *small = vm_reserve_memory_at(vm, DEVICE + 0x800, 0x100, count_and_ignore, &guest);
    vm_memory_reservation_t *other = vm_reserve_memory_at(vm, DEVICE + 0x900, 0x100, count_and_ignore, &guest);
    CHECK(t, made == 1 && small != NULL && other != NULL);
    CHECK(t, vm_map_reservation(vm, small, frame_of_array, array) == -1);
    CHECK(t, vm_free_reserved_memory(vm, other) == 0);
    CHECK(t, vm_map_reservation(vm, small, frame_of_array, array) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE + 0x900, 0x100, count_and_ignore, &guest) == NULL);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x100, count_and_ignore, &guest) == NULL);
    if (guest_begin(&guest) && guest_finish(&guest))
        CHECK(t, guest_result(&guest, 0) == 0x77 && guest.calls == 0);
    CHECK(t, vm_free_reserved_memory(vm, small) == 0);
    CHECK(t, vm_reserve_memory_at(vm, DEVICE, 0x1000, count_and_ignore, &guest) != NULL);
    guest_destroy(&guest);
    for (unsigned int i = 0; i < made; i++)
        vka_free_object(&t->host->vka, &frames[i]);
}

void test_frames_take_whole_pages(conformance_t *t) {
    frames_take_whole_pages(t, false);
    frames_take_whole_pages(t, true);
}
