/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client benchmark as a root task, with an environment of its own: nothing of sel4vm/host.h, so that libsel4vm can be linked
 * in the place of this library.
 */
#include <bench.h>

#include <stdio.h>

#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <sel4platsupport/bootinfo.h>
#include <sel4platsupport/io.h>
#include <sel4platsupport/platsupport.h>
#include <sel4utils/vspace.h>
#include <simple-default/simple-default.h>
#include <vka/capops.h>
#include <vka/object.h>

#define EARLY_POOL_BYTES   (4096 * 40)
#define VIRTUAL_POOL_BYTES (1 << 24)
#define GPIO_BADGE         0x10000 /* libsel4vm's vCPUs have the lowest ones */

static struct {
    vka_t vka;
    simple_t simple;
    vspace_t vspace;
    ps_io_ops_t io_ops;
    vka_object_t endpoint;
    vka_object_t notification;
    seL4_CPtr irq;
    sel4utils_alloc_data_t vspace_data;
    char early_pool[EARLY_POOL_BYTES];
} self; /* of the one root task */

static int open_environment(void) {
    seL4_BootInfo *info = platsupport_get_bootinfo();
    void *pool = NULL;
    simple_default_init_bootinfo(&self.simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&self.simple, sizeof self.early_pool, self.early_pool);
    if (allocman == NULL)
        return -1;
    allocman_make_vka(&self.vka, allocman);
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&self.vspace, &self.vspace_data, simple_get_pd(&self.simple),
                                                       &self.vka, info) != 0)
        return -1;
    reservation_t reserved = vspace_reserve_range(&self.vspace, VIRTUAL_POOL_BYTES, seL4_AllRights, 1, &pool);
    if (reserved.res == NULL)
        return -1;
    bootstrap_configure_virtual_pool(allocman, pool, VIRTUAL_POOL_BYTES, simple_get_pd(&self.simple));
    platsupport_serial_setup_simple(&self.vspace, &self.simple, &self.vka);
    if (sel4platsupport_new_io_ops(&self.vspace, &self.vka, &self.simple, &self.io_ops) != 0)
        return -1;
    return vka_alloc_endpoint(&self.vka, &self.endpoint);
}

static void acknowledge(void) { seL4_IRQHandler_Ack(self.irq); }

/* The GPIO's interrupt signals the notification that is bound to this thread. */
static int take_irq(void) {
    cspacepath_t irq, from, to;
    if (vka_alloc_notification(&self.vka, &self.notification) != 0 || vka_cspace_alloc_path(&self.vka, &irq) != 0 ||
        vka_cspace_alloc_path(&self.vka, &to) != 0)
        return -1;
    vka_cspace_make_path(&self.vka, self.notification.cptr, &from);
    self.irq = irq.capPtr;
    if (vka_cnode_mint(&to, &from, seL4_AllRights, GPIO_BADGE) != seL4_NoError ||
        simple_get_IRQ_handler(&self.simple, SPI, irq) != seL4_NoError ||
        seL4_IRQHandler_SetNotification(self.irq, to.capPtr) != seL4_NoError ||
        seL4_TCB_BindNotification(simple_get_tcb(&self.simple), self.notification.cptr) != seL4_NoError)
        return -1;
    acknowledge();
    return 0;
}

int main(void) {
    static struct bench_environment environment;
    if (open_environment() != 0 || take_irq() != 0) {
        printf("bench: the environment could not be made\n");
        return 1;
    }
    environment = (struct bench_environment){
        .vka = &self.vka,
        .simple = &self.simple,
        .vspace = self.vspace,
        .io_ops = &self.io_ops,
        .endpoint = self.endpoint.cptr,
        .priority = seL4_MaxPrio - 1,
        .has = 1u << HAS_IRQS_BIT | 1u << HAS_SPI_BIT | BENCH_HAS,
        .badge = GPIO_BADGE,
        .acknowledge = acknowledge,
    };
    printf("bench: end %d\n", bench_run(&environment));
    seL4_TCB_Suspend(seL4_CapInitThreadTCB);
    return 0;
}
