/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The environment of a VMM, on every host alike: what vm_init() needs, and signals that reach vm_run(). A program that
 * uses this instead of a host's own start-up code runs unchanged on all of them. Not needed where a client has its own vka,
 * simple, vspace and io_ops, as in an existing seL4 project.
 */
#pragma once

#include <sel4vm/boot.h>
#include <sel4vm/guest_vm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Filled by vm_host_open(); pointers into it are given to vm_init(), so it outlives the VMs. */
typedef struct vm_host {
    vka_t vka;
    simple_t simple;
    vspace_t vspace;
    ps_io_ops_t io_ops;
    seL4_CPtr endpoint;
    int priority; /**< fit for vm_create_vcpu(): below the VMM's own */
    void *impl;   /**< the host's own */
} vm_host_t;

/** Fills it. Once in a program. @return 0, or -1 when the environment lacks something, which the log says */
int vm_host_open(vm_host_t *host);

/** Gives it back; all VMs are destroyed. On seL4 the program's own allocator, address space and output stay as they are. */
void vm_host_close(vm_host_t *host);

/**
 * Makes a notification whose signals reach the VM's notification callback with `badge`. Signals of several before it is heard
 * are one event with the bits of all.
 * @param badge   not 0; one bit, so that it can be told from others. The top bit is the library's, and bit 61 the console's where the program
 *                uses sel4vm/program
 * @param signal  for seL4_Signal()
 */
int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal);

/** Frees what vm_host_make_signal() made. */
void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal);

/**
 * Fills a timeout source (vm_options_t) that signals VMs on the host's endpoint; until vm_host_close().
 * @param badge  as for vm_host_make_signal(); clients do not hear it
 * @return -1 where there is none: hosts with timers of their own (el2, fake) need none; seL4 has one with MCS only
 */
int vm_host_timeout_source(vm_host_t *host, seL4_Word badge, vm_timeout_source_t *source);

/**
 * Writes one line, given without its end, to the host's log, or console where it has none. el2 shows control characters in it as \xNN, other hosts
 * pass them on. NULL writes nothing. From the VMM's thread.
 */
void vm_host_log(const char *line);

/** Writes bytes to the host's console, as they are. */
void vm_host_console_put(vm_host_t *host, const void *bytes, size_t size);

/**
 * Takes what was typed on the host's console, without waiting.
 * @return how many bytes; when fewer than `size`, the next one gives a signal to vm_host_console_listen()
 */
size_t vm_host_console_get(vm_host_t *host, void *bytes, size_t size);

/**
 * From now on input on the host's console reaches the VM's notification callback with `badge`, as a signal of
 * vm_host_make_signal() does, until vm_host_close().
 * @return -1 when the host has no input or cannot tell when it comes (seL4: libplatsupport's driver knows no interrupt of the
 *   serial port), or it is listened to already
 */
int vm_host_console_listen(vm_host_t *host, seL4_Word badge);

/**
 * A file that came with the program (an image, a device tree): el2 takes it from the bundle, seL4 from its CPIO archive, the
 * fake host from the folder that SEL4VM_FAKE_FILES names, and in a test from the test's own table, KVM from where the name as a path leads.
 * @param bytes  where the VMM sees it, for good
 * @return -1 when there is none of this name
 */
int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size);

#ifdef __cplusplus
}
#endif
