/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What clients of libsel4vmmplatsupport do in other orders, twice, or with other values than this library's own examples
 * (docs/migrating-from-libsel4vm.md, "Calls in other orders").
 */
#include <platform_support/platform_tests.h>
#include <suite/irq_guest.h>

#include <sel4vmmplatsupport/arch/irq_defs.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

HANDLERS(count_irq, A64_NOP, COUNT_BY_INTID);
static const uint32_t sgis_v2[] = {BEGIN,    OPEN_V2,     OPEN_SGIS_V2, A64_UNMASK_IRQ, SEND_V2(0u),
                                   AWAIT(0), SEND_V2(7u), AWAIT(7),     A64_POWER_OFF};
static const uint32_t sgis_v3[] = {BEGIN,    OPEN_V3,     OPEN_SGIS_V3, A64_UNMASK_IRQ, SEND_V3(0u),
                                   AWAIT(0), SEND_V3(7u), AWAIT(7),     A64_POWER_OFF};

static void ended(vm_vcpu_t *vcpu, int irq, void *cookie) {
    test_guest_t *guest = cookie;
    CHECK(guest->t, vcpu == guest->vcpu);
    guest->calls++;
    guest->seen[0] |= (seL4_Word)1 << irq;
}

static void a_platform_vcpu_leaves_its_interrupts_to_the_client(conformance_t *t, unsigned int version) {
    test_guest_t guest = {.t = t};
    if (!CHECK(t, guest_init_vm(t, &guest.vm, NULL) == 0))
        return;
    guest.vcpu = create_vmm_plat_vcpu(&guest.vm, t->host->priority);
    if (CHECK(t, guest.vcpu != NULL) && CHECK(t, vm_ram_register_at(&guest.vm, RAM, RAM_SIZE, false) == 0) &&
        irq_guest_equip(&guest, version)) {
        LOAD_VERSION(&guest, CODE, sgis);
        LOAD_VERSION(&guest, VECTORS + 0x280, count_irq);
        /* 0 is left as it is, as 16 interrupts that a client does not know of would be. */
        for (int irq = 1; irq < 16; irq++) {
            CHECK(t, vm_register_irq(guest.vcpu, irq, ended, &guest) == 0);
            CHECK(t, vm_register_irq(guest.vcpu, irq, ended, &guest) == -1);
        }
        CHECK(t, vm_register_irq(guest.vcpu, PPI_VTIMER_IRQ, ended, &guest) == 0);
        CHECK(t, vm_register_irq(guest.vcpu, PPI_VTIMER_IRQ, ended, &guest) == -1);
        if (CHECK(t, vcpu_start(guest.vcpu) == 0) && guest_finish(&guest)) {
            CHECK(t, guest.calls == 1 && guest.seen[0] == 1u << 7);
            CHECK(t, guest_result(&guest, 16) == 1 && guest_result(&guest, 23) == 1);
        }
    }
    guest_destroy(&guest);
}

void test_a_platform_vcpu_leaves_its_interrupts_to_the_client(conformance_t *t) {
    for (unsigned int version = 2; version <= 3; version++)
        a_platform_vcpu_leaves_its_interrupts_to_the_client(t, version);
}
