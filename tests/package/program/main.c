/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of somebody else, in strict C99, written to the headers alone: runs the few instructions that are in the file "kernel". The
 * same file becomes an image of the el2 host and a process on the fake host.
 */
#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vm_exits.h>
#include <sel4vm/host.h>

#include <stdio.h>

#define RAM 0x40000000u

static int run(vm_host_t *host, vm_t *vm, const void *code, size_t size) {
    vm_vcpu_t *vcpu = vm_create_vcpu(vm, host->priority);
    if (vcpu == NULL || vm_create_default_irq_controller(vm) != 0 ||
        vm_ram_register_at(vm, RAM, 0x200000, false) != 0 ||
        vm_ram_touch(vm, RAM, size, vm_guest_ram_write_callback, (void *)code) != 0 ||
        vm_set_thread_context_reg(vcpu, 0, RAM) != 0 || vcpu_start(vcpu) != 0)
        return -1;
    return vm_run(vm);
}

int main(void) {
    vm_host_t host;
    vm_t vm;
    const void *code;
    size_t size;
    int result;
    if (vm_host_open(&host) != 0)
        return 2;
    if (vm_host_file(&host, "kernel", &code, &size) != 0) {
        printf("there is no kernel\n");
        vm_host_close(&host);
        return 3;
    }
    if (vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "guest") != 0)
        return 2;
    result = run(&host, &vm, code, size);
    printf("a guest of %u bytes has ended: result %d, reason %d\n", (unsigned)size, result, vm.run.exit_reason);
    vm_host_console_put(&host, "console\n", 8);
    result = result == 0 && vm.run.exit_reason == VM_GUEST_SHUTDOWN_EXIT ? 0 : 1;
    vm_destroy(&vm);
    vm_host_close(&host);
    return result;
}
