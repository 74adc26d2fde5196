/* SPDX-License-Identifier: BSD-2-Clause */
#include <suite/irq_guest.h>

int irq_guest_equip(test_guest_t *guest, unsigned int version) {
    const vm_vgic_config_t wanted = {.version = version};
    conformance_t *t = guest->t;
    vm_vgic_config_t config;
    if (vm_install_vgic_with(&guest->vm, &wanted) != 0)
        return 0;
    CHECK(t, vm_get_vgic(&guest->vm, &config) == 0);
    CHECK(t, config.version == version && config.spi_count == 224);
    CHECK(t, (version == 2 ? config.redistributor : config.cpu_interface) == 0);
    guest->seen[5] = version;
    seL4_UserContext context = {0};
    context.pc = CODE;
    context.x1 = DEVICE;
    context.x26 = config.distributor;
    context.x27 = version == 2 ? config.cpu_interface : config.redistributor;
    return CHECK(t, vm_set_thread_context(guest->vcpu, context) == 0);
}

int irq_guest_make(test_guest_t *guest, conformance_t *t, unsigned int version) {
    if (conformance_keeps(t, CONFORMANCE_KEEPS_IRQS) || !guest_make(guest, t, NULL))
        return 0;
    if (irq_guest_equip(guest, version))
        return 1;
    guest_destroy(guest);
    return 0;
}
