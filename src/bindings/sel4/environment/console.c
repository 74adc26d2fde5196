/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of sel4vm/host.h. The C library writes through libsel4platsupport, which has the serial port for itself and tells
 * nobody its interrupt: so libplatsupport's driver is made once more here, on the same registers.
 */
#include <bindings/sel4/environment/console.h>
#include <bindings/sel4/environment/environment.h>

#include <stdio.h>
#include <string.h>

#include <platsupport/serial.h>
#include <sel4platsupport/platsupport.h>
#include <vka/capops.h>

/* Device memory can be mapped once, and two drivers ask for it. */
static void *map_once(void *cookie, uintptr_t physical, size_t size, int cached, ps_mem_flags_t flags) {
    struct console *console = cookie;
    struct console_mapping *mapping = console->mappings;
    for (size_t i = 0; i < CONSOLE_MAX_MAPPINGS; i++, mapping++) {
        if (mapping->at == NULL) {
            void *at = ps_io_map(&console->host->io_ops.io_mapper, physical, size, cached, flags);
            if (at != NULL)
                *mapping = (struct console_mapping){physical, size, at};
            return at;
        }
        if (mapping->physical == physical && mapping->size == size)
            return mapping->at;
    }
    return NULL;
}

static void keep_mapping(void *cookie, void *at, size_t size) {
    (void)cookie;
    (void)at;
    (void)size;
}

void console_open(struct console *console, vm_host_t *host) {
    memset(console, 0, sizeof *console);
    console->host = host;
    console->io_ops = host->io_ops;
    console->io_ops.io_mapper = (ps_io_mapper_t){console, map_once, keep_mapping};
    if (platsupport_serial_setup_io_ops(&console->io_ops) != 0) {
        platsupport_serial_setup_simple(&host->vspace, &host->simple, &host->vka);
        return;
    }
    console->open = ps_cdev_init(PS_SERIAL_DEFAULT, &console->io_ops, &console->port) != NULL;
    ps_cdev_set_flags(&console->port, 0); /* no carriage returns of the driver's own */
}

/* ---- input */

static void drop(vka_t *vka, seL4_CPtr cap) {
    cspacepath_t path;
    vka_cspace_make_path(vka, cap, &path);
    vka_cnode_delete(&path);
    vka_cspace_free_path(vka, path);
}

void console_close(struct console *console) {
    vm_host_t *host = console->host;
    while (console->irq_count > 0) {
        const seL4_CPtr irq = console->irqs[--console->irq_count];
        seL4_IRQHandler_Clear(irq);
        drop(&host->vka, irq);
    }
    if (console->signal != seL4_CapNull)
        vm_host_free_signal(host, console->signal);
    console->signal = seL4_CapNull;
}

/* Lets the interrupts come again. Their line is a level: what arrived in between is not lost. */
static void listen_again(const struct console *console) {
    for (size_t i = 0; i < console->irq_count; i++)
        seL4_IRQHandler_Ack(console->irqs[i]);
}

static int take_irq(struct console *console, int number) {
    vm_host_t *host = console->host;
    cspacepath_t path;
    if (console->irq_count == CONSOLE_MAX_IRQS || vka_cspace_alloc_path(&host->vka, &path) != 0)
        return -1;
    if (simple_get_IRQ_handler(&host->simple, number, path) != seL4_NoError) {
        vka_cspace_free_path(&host->vka, path);
        return -1;
    }
    console->irqs[console->irq_count++] = path.capPtr;
    return seL4_IRQHandler_SetNotification(path.capPtr, console->signal) == seL4_NoError ? 0 : -1;
}

int vm_host_console_listen(vm_host_t *host, seL4_Word badge) {
    struct console *console = &((struct environment *)host->impl)->console;
    const int *numbers = console->port.irqs;
    const char *why = NULL;
    if (!console->open || numbers == NULL || numbers[0] < 0)
        why = "the platform's driver of the serial port tells no interrupt";
    else if (console->signal != seL4_CapNull)
        why = "it is listened to already";
    else if (vm_host_make_signal(host, badge, &console->signal) != 0)
        why = "the badge is 0, or a notification cannot be had";
    for (; why == NULL && *numbers >= 0; numbers++) {
        if (take_irq(console, *numbers) != 0) {
            console_close(console);
            why = "its interrupt cannot be had";
        }
    }
    if (why != NULL) {
        printf("sel4vm: host: error: vm_host_console_listen: %s\n", why);
        return -1;
    }
    listen_again(console);
    return 0;
}

/* The driver clears the interrupt before the port is read: a byte that comes after the last look raises it again. */
size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size) {
    struct console *console = &((struct environment *)host->impl)->console;
    if (!console->open)
        return 0;
    if (console->irq_count > 0)
        ps_cdev_handle_irq(&console->port, console->port.irqs[0]);
    const ssize_t count = ps_cdev_read(&console->port, bytes, size, NULL, NULL);
    const size_t taken = count > 0 ? (size_t)count : 0;
    if (taken < size)
        listen_again(console);
    return taken;
}

/* ---- output */

void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size) {
    struct console *console = &((struct environment *)host->impl)->console;
    fflush(stdout);
    if (console->open)
        ps_cdev_write(&console->port, (void *)(uintptr_t)bytes, size, NULL, NULL);
    else
        fwrite(bytes, 1, size, stdout);
}
