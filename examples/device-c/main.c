/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device of one's own with an interrupt, with the C interface: it adds two numbers, and raises its interrupt when the sum is there. The
 * guest (../device-guest/guest.S) gives it 20 and 22. ../device-cxx is the same in C++.
 */
#include <sel4vm/arch/guest_arm_context.h>
#include <sel4vm/arch/vgic.h>
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/guest_vm_exits.h>
#include <sel4vm/host.h>

#include <stdio.h>

#define RAM 0x40000000u
#define ADDER 0x0a100000u
#define ADDER_IRQ 40

enum { A = 0x00, B = 0x04, SUM = 0x08, ACKNOWLEDGE = 0x0c, REPORT = 0x10 };

extern const char guest_begin[], guest_end[];

struct adder {
    uint32_t a, sum;
};

static void write_register(struct adder *adder, vm_vcpu_t *vcpu, size_t offset, uint32_t value)
{
    switch (offset) {
    case A: adder->a = value; break;
    case B: /* the second number starts it */
        adder->sum = adder->a + value;
        vm_set_irq_level(vcpu, ADDER_IRQ, 1);
        break;
    case ACKNOWLEDGE: vm_set_irq_level(vcpu, ADDER_IRQ, 0); break;
    case REPORT: printf("the guest reports %u\n", (unsigned)value); break;
    default: break; /* no register: nothing happens */
    }
}

/* Each access of the guest to the device's page. */
static memory_fault_result_t on_access(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie)
{
    struct adder *adder = cookie;
    const size_t offset = address - ADDER;
    (void)vm;
    if (bytes != 4)
        return FAULT_UNHANDLED; /* an abort in the guest */
    if (is_vcpu_read_fault(vcpu))
        set_vcpu_fault_data(vcpu, offset == SUM ? adder->sum : 0);
    else
        write_register(adder, vcpu, offset, (uint32_t)emulate_vcpu_fault(vcpu, 0));
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int run(vm_t *vm, vm_host_t *host, struct adder *adder)
{
    const vm_vgic_config_t gic = {.version = 3};
    const size_t size = (size_t)(guest_end - guest_begin);
    vm_vcpu_t *vcpu = vm_create_vcpu(vm, host->priority);
    if (vcpu != NULL && vm_install_vgic_with(vm, &gic) != 0) {
        printf("the guest knows nothing but a GICv3, which this machine lacks\n");
        return -1;
    }
    if (vcpu == NULL || vm_ram_register_at(vm, RAM, 1u << 20, false) != 0 ||
        vm_ram_touch(vm, RAM, size, vm_guest_ram_write_callback, (void *)guest_begin) != 0 ||
        vm_reserve_memory_at(vm, ADDER, 0x1000, on_access, adder) == NULL ||
        vm_set_thread_context_reg(vcpu, 0, RAM) != 0 || /* where it starts */
        vcpu_start(vcpu) != 0)
        return -1;
    return vm_run(vm);
}

int main(void)
{
    struct adder adder = {0};
    vm_host_t host;
    vm_t vm;
    int ended;
    if (vm_host_open(&host) != 0 ||
        vm_init(&vm, &host.vka, &host.simple, host.vspace, &host.io_ops, host.endpoint, "adding") != 0)
        return 2;
    ended = run(&vm, &host, &adder) == 0 && vm.run.exit_reason == VM_GUEST_SHUTDOWN_EXIT;
    vm_destroy(&vm);
    vm_host_close(&host);
    return ended ? 0 : 1;
}
