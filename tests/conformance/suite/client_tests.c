/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What clients of libsel4vm do in other orders, twice, or with other values than this library's own examples
 * (docs/migrating-from-libsel4vm.md, "Calls in other orders").
 */
#include <suite/irq_guest.h>
#include <suite/tests.h>

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
    vm_vcpu_t *other = vm_create_vcpu(&guest.vm, t->host->priority);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, ended, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, ended, &guest) == 0);
    CHECK(t, vm_register_irq(guest.vcpu, SPI, never_called, t) == 0);
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
