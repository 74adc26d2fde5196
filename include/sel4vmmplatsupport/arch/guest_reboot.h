/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client does when its guest asks for a reset: a list of functions, run in the order of their registration. A list
 * is used by the VMs that vmm_set_reboot_hooks() gives it to, or processed by the client itself.
 */
#pragma once

#include <sel4vm/guest_vm.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0 when the part that it stands for is ready to start again. */
typedef int (*reboot_hook_fn)(vm_t *vm, void *token);

typedef struct reboot_hook {
    reboot_hook_fn fn;
    void *token;
} reboot_hook_t;

typedef struct reboot_hooks_list {
    reboot_hook_t *rb_hooks;
    size_t nhooks;
} reboot_hooks_list_t;

/* Empties a list that was never used. 0 or -1. */
int vmm_init_reboot_hooks_list(reboot_hooks_list_t *rb_hooks_list);

/* Appends a hook. 0, or -1 for a NULL function or list or when memory runs out. */
int vmm_register_reboot_callback(reboot_hooks_list_t *rb_hooks_list, reboot_hook_fn hook, void *token);

/* Calls every hook until one fails. 0, or -1 when one did. */
int vmm_process_reboot_callbacks(vm_t *vm, reboot_hooks_list_t *rb_hooks_list);

/*
 * An addition: from now on a reset that the guest asks for calls the hooks. When all succeed, the boot vCPU starts again with
 * the registers that they have set; otherwise the VM stops with VM_GUEST_RESET_EXIT. The list outlives the VM. 0 or -1.
 */
int vmm_set_reboot_hooks(vm_t *vm, reboot_hooks_list_t *rb_hooks_list);

#ifdef __cplusplus
}
#endif
