/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sel4vm/host.h for a root task: everything from the boot information, files from the CPIO archive that is linked in. In C, since
 * allocman's headers are no C++. Not used by clients that have an environment of their own.
 */
#include <bindings/sel4/environment/environment.h>

#include <stdio.h>
#include <string.h>

#include <allocman/bootstrap.h>
#include <allocman/vka.h>
#include <cpio/cpio.h>
#include <muslcsys/io.h>
#include <sel4platsupport/bootinfo.h>
#include <sel4platsupport/io.h>
#include <simple-default/simple-default.h>
#include <vka/capops.h>

extern char _cpio_archive[] __attribute__((weak));
extern char _cpio_archive_end[] __attribute__((weak));

static struct environment environment; /* of the one root task */

int vm_host_open(vm_host_t *host) {
    seL4_BootInfo *info = platsupport_get_bootinfo();
    struct environment *env = &environment;
    if (info == NULL || host == NULL)
        return -1;
    memset(host, 0, sizeof *host);
    simple_default_init_bootinfo(&host->simple, info);
    allocman_t *allocman = bootstrap_use_current_simple(&host->simple, sizeof env->early_pool, env->early_pool);
    if (allocman == NULL)
        return -1;
    allocman_make_vka(&host->vka, allocman);
    if (sel4utils_bootstrap_vspace_with_bootinfo_leaky(&host->vspace, &env->vspace_data, simple_get_pd(&host->simple),
                                                       &host->vka, info) != 0)
        return -1;
    void *pool = NULL;
    reservation_t reserved = vspace_reserve_range(&host->vspace, VIRTUAL_POOL_BYTES, seL4_AllRights, 1, &pool);
    if (reserved.res == NULL)
        return -1;
    bootstrap_configure_virtual_pool(allocman, pool, VIRTUAL_POOL_BYTES, simple_get_pd(&host->simple));
    if (sel4platsupport_new_io_ops(&host->vspace, &host->vka, &host->simple, &host->io_ops) != 0)
        return -1;
    console_open(&env->console, host);
    if (_cpio_archive != NULL)
        muslcsys_install_cpio_interface(_cpio_archive, (unsigned long)(_cpio_archive_end - _cpio_archive),
                                        cpio_get_file);
    if (vka_alloc_endpoint(&host->vka, &env->endpoint) != 0)
        return -1;
    host->endpoint = env->endpoint.cptr;
    host->priority = seL4_MaxPrio - 1;
    host->impl = env;
    return 0;
}

void vm_host_close(vm_host_t *host) {
    struct environment *env = host->impl;
    if (env == NULL)
        return;
    timeouts_close(&env->timeouts);
    console_close(&env->console);
    if (env->bound) {
        seL4_TCB_UnbindNotification(simple_get_tcb(&host->simple));
        vka_free_object(&host->vka, &env->notification);
        env->bound = false;
    }
    vka_free_object(&host->vka, &env->endpoint);
    host->impl = NULL;
}

/* The endpoint hears signals through the one notification that is bound to this thread. */
static int bind_notification(vm_host_t *host) {
    struct environment *env = host->impl;
    if (env->bound)
        return 0;
    if (vka_alloc_notification(&host->vka, &env->notification) != 0)
        return -1;
    if (seL4_TCB_BindNotification(simple_get_tcb(&host->simple), env->notification.cptr) != seL4_NoError) {
        vka_free_object(&host->vka, &env->notification);
        return -1;
    }
    env->bound = true;
    return 0;
}

int vm_host_make_signal(vm_host_t *host, seL4_Word badge, seL4_CPtr *signal) {
    struct environment *env = host->impl;
    cspacepath_t from, to;
    if (badge == 0 || signal == NULL || bind_notification(host) != 0 || vka_cspace_alloc_path(&host->vka, &to) != 0)
        return -1;
    vka_cspace_make_path(&host->vka, env->notification.cptr, &from);
    if (vka_cnode_mint(&to, &from, seL4_AllRights, badge) != seL4_NoError) {
        vka_cspace_free_path(&host->vka, to);
        return -1;
    }
    *signal = to.capPtr;
    return 0;
}

void vm_host_free_signal(vm_host_t *host, seL4_CPtr signal) {
    cspacepath_t path;
    vka_cspace_make_path(&host->vka, signal, &path);
    vka_cnode_delete(&path);
    vka_cspace_free_path(&host->vka, path);
}

void vm_host_log(const char *line) {
    if (line != NULL)
        printf("%s\n", line);
}

int vm_host_file(vm_host_t *host, const char *name, const void **bytes, size_t *size) {
    unsigned long found = 0;
    (void)host;
    if (_cpio_archive == NULL)
        return -1;
    const void *at = cpio_get_file(_cpio_archive, (unsigned long)(_cpio_archive_end - _cpio_archive), name, &found);
    if (at == NULL)
        return -1;
    *bytes = at;
    *size = found;
    return 0;
}
