/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of a root task: the platform's default serial port, whose driver is libplatsupport's.
 */
#pragma once

#include <sel4vm/host.h>

#include <platsupport/chardev.h>

/* Serial ports have one interrupt, a few have two. */
#define CONSOLE_MAX_IRQS 2
/* A driver maps its registers, and on some platforms those of a clock or of pins. */
#define CONSOLE_MAX_MAPPINGS 8

struct console_mapping {
    uintptr_t physical;
    size_t size;
    void *at;
};

struct console {
    vm_host_t *host;
    struct console_mapping mappings[CONSOLE_MAX_MAPPINGS];
    ps_io_ops_t io_ops;
    ps_chardevice_t port;
    bool open;
    seL4_CPtr signal; /* what its interrupts signal, while it is listened to */
    seL4_CPtr irqs[CONSOLE_MAX_IRQS];
    size_t irq_count;
};

/* Also opens the C library's output, which is on the same port. */
void console_open(struct console *console, vm_host_t *host);

/* Gives its interrupts back; output goes on working. */
void console_close(struct console *console);
