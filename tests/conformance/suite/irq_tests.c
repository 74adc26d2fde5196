/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts: the controller, injection, wires, acknowledgements, the virtual timer. The guests handle both GIC versions.
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

/* Records the INTID in result 0 and the count in result 1, and tells DEVICE. */
#define RECORD                                                                                     \
    A64_STR_X(10u, 2u, 0u), A64_LDR_X(11u, 2u, 1u), A64_ADD(11u, 11u, 1u), A64_STR_X(11u, 2u, 1u), \
        A64_STR_X(A64_XZR, 1u, 0u)
HANDLERS(irq_handler, A64_NOP, RECORD);

/* Says that it is ready by a store to DEVICE + 16, and waits for one interrupt. */
FOR_BOTH(wait_for_irq, A64_UNMASK_IRQ, A64_STR_W(A64_XZR, 1u, 4u), A64_LDR_X(4u, 2u, 1u), A64_SUB(4u, 4u, 1u),
         A64_CBNZ(4u, -2), A64_POWER_OFF);

static void acknowledged(vm_vcpu_t *vcpu, int irq, void *cookie) {
    test_guest_t *guest = cookie;
    CHECK(guest->t, vcpu == guest->vcpu);
    guest->seen[0]++;
    guest->seen[1] = (seL4_Word)irq;
}

/* DEVICE + 16: the guest is ready. DEVICE: it is in its handler. What happens then is in seen[7]. */
enum { INJECT, LEVEL, SIGNAL, REGISTER_AND_INJECT };

static memory_fault_result_t irq_device(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)length;
    if (addr == DEVICE + 16) {
        if (guest->seen[7] == REGISTER_AND_INJECT)
            CHECK(guest->t, vm_register_irq(vcpu, SPI, acknowledged, guest) == 0);
        if (guest->seen[7] == SIGNAL) {
            seL4_Signal(guest->seen[6]);
        } else if (guest->seen[7] == LEVEL) {
            CHECK(guest->t, vm_set_irq_level(vcpu, SPI, 1) == 0);
        } else {
            CHECK(guest->t, vm_inject_irq(vcpu, SPI) == 0);
            CHECK(guest->t, vm_inject_irq(vcpu, SPI) == 0); /* pending already */
        }
    } else {
        guest->calls++;
        CHECK(guest->t, guest->seen[0] == 0); /* not ended yet */
        if (guest->seen[7] == LEVEL)
            CHECK(guest->t, vm_set_irq_level(vcpu, SPI, 0) == 0);
    }
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

/* With a handler of interrupts, and irq_device() at DEVICE. */
static int make_irq_guest(test_guest_t *guest, conformance_t *t, unsigned int version) {
    if (!irq_guest_make(guest, t, version))
        return 0;
    LOAD_VERSION(guest, VECTORS + 0x280, irq_handler);
    CHECK(t, vm_reserve_memory_at(&guest->vm, DEVICE, 0x1000, irq_device, guest) != NULL);
    return 1;
}

static void an_injected_interrupt_is_taken_and_acknowledged(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!make_irq_guest(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_irq);
    guest.seen[7] = INJECT;
    CHECK(t, vm_register_irq(guest.vcpu, SPI, acknowledged, &guest) == 0);
    CHECK(t, vm_inject_irq(guest.vcpu, SPI) == -1);                              /* not started */
    CHECK(t, vm_register_irq(guest.vcpu, 32 + 224, acknowledged, &guest) == -1); /* none of the controller's */
    if (CHECK(t, vcpu_start(guest.vcpu) == 0)) {
        CHECK(t, vm_inject_irq(guest.vcpu, SPI + 1) == -1); /* not registered */
        if (guest_finish(&guest)) {
            CHECK(t, guest_result(&guest, 0) == SPI);
            CHECK(t, guest_result(&guest, 1) == 1);
            CHECK(t, guest.calls == 1);
            CHECK(t, guest.seen[0] == 1 && guest.seen[1] == SPI);
        }
    }
    guest_destroy(&guest);
}

void test_an_injected_interrupt_is_taken_and_acknowledged(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        an_injected_interrupt_is_taken_and_acknowledged(t, version);
}

/* As clients forward the interrupt of a device that they have passed through. */
static int forward(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    test_guest_t *guest = cookie;
    (void)vm;
    (void)tag;
    CHECK(guest->t, badge == 0x10);
    CHECK(guest->t, vm_inject_irq(guest->vcpu, SPI) == 0);
    CHECK(guest->t, vm_inject_irq(guest->vcpu, SPI + 1) == -1); /* not enabled */
    return 0;
}

static void a_signal_is_forwarded_as_an_interrupt(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    seL4_CPtr signal = seL4_CapNull;
    if (!make_irq_guest(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_irq);
    CHECK(t, vm_host_make_signal(t->host, 0x10, &signal) == 0);
    guest.seen[7] = SIGNAL;
    guest.seen[6] = signal;
    CHECK(t, vm_register_notification_callback(&guest.vm, forward, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, acknowledged, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI + 1, acknowledged, &guest) == 0);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == SPI);
        CHECK(t, guest_result(&guest, 1) == 1);
        CHECK(t, guest.calls == 1);
        CHECK(t, guest.seen[0] == 1 && guest.seen[1] == SPI);
    }
    guest_destroy(&guest);
    vm_host_free_signal(t->host, signal);
}

void test_a_signal_is_forwarded_as_an_interrupt(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        a_signal_is_forwarded_as_an_interrupt(t, version);
}

static void an_interrupt_that_is_registered_late(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!make_irq_guest(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_irq);
    guest.seen[7] = REGISTER_AND_INJECT;
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == SPI && guest_result(&guest, 1) == 1);
        CHECK(t, guest.seen[0] == 1 && guest.seen[1] == SPI);
    }
    guest_destroy(&guest);
}

void test_an_interrupt_may_be_registered_while_the_guest_runs(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        an_interrupt_that_is_registered_late(t, version);
}

static memory_fault_result_t never(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t addr, size_t length, void *cookie) {
    (void)vm;
    (void)vcpu;
    (void)addr;
    (void)length;
    (void)cookie;
    return FAULT_ERROR;
}

/* Where something else lies in one of its ranges there is no controller, and nothing of it is left. */
static void a_controller_needs_its_ranges(conformance_t *t, unsigned int version) {
    const vm_vgic_config_t wanted = {.version = version};
    vm_vgic_config_t config;
    test_guest_t guest;
    if (!irq_guest_make(&guest, t, version))
        return;
    CHECK(t, vm_get_vgic(&guest.vm, &config) == 0);
    guest_destroy(&guest);
    const uintptr_t other = version == 2 ? config.cpu_interface : config.redistributor;
    const uintptr_t places[] = {config.distributor, other, other + 0x1000};
    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!guest_make(&guest, t, NULL))
            return;
        vm_memory_reservation_t *taken = vm_reserve_memory_at(&guest.vm, places[i], 0x1000, never, NULL);
        CHECK(t, taken != NULL);
        CHECK(t, vm_install_vgic_with(&guest.vm, &wanted) == -1);
        CHECK(t, vm_free_reserved_memory(&guest.vm, taken) == 0);
        CHECK(t, vm_install_vgic_with(&guest.vm, &wanted) == 0);
        CHECK(t, vm_install_vgic_with(&guest.vm, &wanted) == -1); /* there is one */
        guest_destroy(&guest);
    }
}

void test_an_interrupt_controller_needs_its_ranges(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        a_controller_needs_its_ranges(t, version);
}

static void a_wire_is_an_interrupt_while_it_is_high(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!make_irq_guest(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_irq);
    guest.seen[7] = LEVEL;
    CHECK(t, vm_set_irq_level(guest.vcpu, SPI, 1) == -1); /* not started */
    if (CHECK(t, vcpu_start(guest.vcpu) == 0)) {
        CHECK(t, vm_set_irq_level(guest.vcpu, 3, 1) == -1);
        CHECK(t, vm_set_irq_level(guest.vcpu, 2000, 1) == -1);
        if (guest_finish(&guest)) {
            CHECK(t, guest_result(&guest, 0) == SPI);
            CHECK(t, guest_result(&guest, 1) == 1);
        }
    }
    guest_destroy(&guest);
}

void test_a_wire_is_an_interrupt_while_it_is_high(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        a_wire_is_an_interrupt_while_it_is_high(t, version);
}

/* Sets the timer and waits in WFI, with interrupts masked so that none comes before; the handler turns it off. */
FOR_BOTH(wait_for_timer, A64_MRS(4u, A64_CNTVCT_EL0), A64_ADD(4u, 4u, 0x400u), A64_MSR(A64_CNTV_CVAL_EL0, 4u),
         A64_LOAD(4u, 1u), A64_MSR(A64_CNTV_CTL_EL0, 4u), A64_ISB, A64_WFI, A64_UNMASK_IRQ, A64_LDR_X(4u, 2u, 1u),
         A64_CBZ(4u, -1), A64_POWER_OFF);
#define STOP_TIMER   A64_MSR(A64_CNTV_CTL_EL0, A64_XZR), A64_ISB
#define RECORD_TIMER A64_STR_X(10u, 2u, 0u), A64_LOAD(11u, 1u), A64_STR_X(11u, 2u, 1u)
HANDLERS(timer_handler, STOP_TIMER, RECORD_TIMER);

static void the_virtual_timer_interrupts(conformance_t *t, unsigned int version) {
    test_guest_t guest;
    if (!make_irq_guest(&guest, t, version))
        return;
    LOAD_VERSION(&guest, CODE, wait_for_timer);
    LOAD_VERSION(&guest, VECTORS + 0x280, timer_handler);
    CHECK(t, vm_register_irq(guest.vcpu, 27, acknowledged, &guest) == 0);
    if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
        CHECK(t, guest_result(&guest, 0) == 27);
        CHECK(t, guest.seen[0] == 1 && guest.seen[1] == 27);
    }
    guest_destroy(&guest);
}

void test_the_virtual_timer_interrupts(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        the_virtual_timer_interrupts(t, version);
}

void test_the_interrupt_controller_is_chosen_once(conformance_t *t) {
    test_guest_t guest;
    vm_vgic_config_t config;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_IRQS) || !guest_make(&guest, t, NULL))
        return;
    const vm_vgic_config_t wrong_version = {.version = 4};
    const vm_vgic_config_t wrong_count = {.spi_count = 33};
    const vm_vgic_config_t in_ram = {.distributor = RAM};
    CHECK(t, vm_get_vgic(&guest.vm, &config) == -1);
    CHECK(t, vm_install_vgic_with(&guest.vm, &wrong_version) == -1);
    CHECK(t, vm_install_vgic_with(&guest.vm, &wrong_count) == -1);
    CHECK(t, vm_install_vgic_with(&guest.vm, &in_ram) == -1);
    CHECK(t, vm_create_default_irq_controller(&guest.vm) == 0);
    CHECK(t, vm_create_default_irq_controller(&guest.vm) == -1);
    CHECK(t, vm_install_vgic(&guest.vm) == -1);
    CHECK(t, vm_get_vgic(&guest.vm, &config) == 0);
    CHECK(t, vm_reserve_memory_at(&guest.vm, config.distributor, 0x1000, default_error_fault_callback, NULL) == NULL);
    guest_destroy(&guest);
}

void test_a_gicv3_is_there_when_it_was_asked_for(conformance_t *t) {
    /* GICD_PIDR2.ArchRev and the last redistributor's GICR_TYPER.Last */
    static const uint32_t code[] = {A64_LOAD(2u, RESULTS),      A64_LOAD(4u, 0xffe8u), A64_MOV(5u, 26u),
                                    0x8b040000u | 5u << 5 | 5u, A64_LDR_W(6u, 5u, 0u), A64_STR_X(6u, 2u, 0u),
                                    A64_LDR_X(6u, 27u, 1u),     A64_STR_X(6u, 2u, 1u), A64_POWER_OFF};
    const vm_vgic_config_t wanted = {.version = 3, .spi_count = 64};
    vm_vgic_config_t config;
    test_guest_t guest;
    if (conformance_keeps(t, CONFORMANCE_KEEPS_IRQS) || !guest_make(&guest, t, NULL))
        return;
    if (vm_install_vgic_with(&guest.vm, &wanted) == 0) {
        CHECK(t, vm_get_vgic(&guest.vm, &config) == 0 && config.cpu_interface == 0);
        GUEST_LOAD(&guest, CODE, code);
        seL4_UserContext context = {0};
        context.pc = CODE;
        context.x26 = config.distributor;
        context.x27 = config.redistributor;
        CHECK(t, vm_set_thread_context(guest.vcpu, context) == 0);
        if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
            CHECK(t, (guest_result(&guest, 0) >> 4 & 15) == 3);
            CHECK(t, (guest_result(&guest, 1) & 1U << 4) != 0);
        }
    }
    guest_destroy(&guest);
}
