/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <stdio.h>

#include <sel4vm/arch/guest_vm_arch.h>
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/guest_vm.h>
#include <sel4vmmplatsupport/arch/guest_boot_init.h>
#include <sel4vmmplatsupport/arch/smc.h>
#include <sel4vmmplatsupport/guest_memory_util.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

extern const char bench_guest[], bench_guest_end[];

static const char *const rows[ROW_COUNT] = {
    "smc",
    "smc_callback",
    "mmio_read",
    "mmio_write",
    "gicd_typer",
    "gicd_isenabler0",
    "gicd_write_isenabler1",
    "gicd_write_ipriorityr",
    "sgi_self",
    "sgi_self_eoi",
    "vtimer",
    "vtimer_eoi",
    "spi_forwarded",
    "spi_forwarded_eoi",
    "hypercall",
};

struct bench {
    const struct bench_environment *environment;
    vm_t vm;
    vm_vcpu_t *vcpu;
    smc_handler_callback_fn by_library;
    uint32_t ticks;
    int ended;
};

/* A call of the client's own: a result in x0, as the calling convention has it. */
static int serve_smc(vm_vcpu_t *vcpu, seL4_UserContext *regs) {
    (void)vcpu;
    regs->x0 = regs->x0 == VENDOR_CALL ? 0x1234 : ~(seL4_Word)0;
    return 0;
}

static memory_fault_result_t on_access(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie) {
    struct bench *bench = cookie;
    (void)bytes;
    if (is_vcpu_read_fault(vcpu)) {
        set_vcpu_fault_data(vcpu, 0x1234);
    } else {
        const uint32_t value = (uint32_t)emulate_vcpu_fault(vcpu, 0);
        switch (address - DEVICE) {
        case TICKS: bench->ticks = value; break;
        case ROW:
            if (value < ROW_COUNT)
                printf("bench: %s %u %d\n", rows[value], bench->ticks, ROUNDS);
            break;
        case WANTS_CALLBACK: vm_register_smc_handler_callback(vm, value != 0 ? serve_smc : bench->by_library); break;
        case END: bench->ended = 1; return FAULT_ERROR; /* ends vm_run() */
        default: break;
        }
    }
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

static int on_notification(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie) {
    struct bench *bench = cookie;
    (void)vm;
    (void)tag;
    if ((badge & bench->environment->badge) != 0)
        vm_inject_irq(bench->vcpu, SPI);
    return 0;
}

static void on_end_of_irq(vm_vcpu_t *vcpu, int irq, void *cookie) {
    const struct bench *bench = cookie;
    (void)vcpu;
    (void)irq;
    bench->environment->acknowledge();
}

static int build(struct bench *bench) {
    const struct bench_environment *env = bench->environment;
    vm_t *vm = &bench->vm;
    const size_t size = (size_t)(bench_guest_end - bench_guest);
    if (vm_init(vm, env->vka, env->simple, env->vspace, env->io_ops, env->endpoint, "bench") != 0 ||
        vm_register_notification_callback(vm, on_notification, bench) != 0)
        return -1;
    bench->by_library = vm->arch.vm_smc_handler;
    if ((env->has & 1u << HAS_IRQS_BIT) != 0 && vm_create_default_irq_controller(vm) != 0)
        return -1;
    bench->vcpu = create_vmm_plat_vcpu(vm, env->priority);
    if (bench->vcpu == NULL || vm_assign_vcpu_target(bench->vcpu, 0) != 0 ||
        vm_ram_register_at(vm, RAM, RAM_SIZE, 0) != 0 ||
        vm_reserve_memory_at(vm, DEVICE, DEVICE_SIZE, on_access, bench) == NULL)
        return -1;
    if ((env->has & 1u << HAS_SPI_BIT) != 0) {
        vm_memory_reservation_t *gpio = vm_reserve_memory_at(vm, GPIO, 0x1000, on_access, bench);
        if (gpio == NULL || map_ut_alloc_reservation(vm, gpio) != 0 ||
            vm_register_irq(bench->vcpu, SPI, on_end_of_irq, bench) != 0)
            return -1;
    }
    if (vm_ram_touch(vm, RAM, size, vm_guest_ram_write_callback, (void *)(uintptr_t)bench_guest) != 0)
        return -1;
    return vcpu_set_bootargs(bench->vcpu, RAM, 0, env->has);
}

int bench_run(const struct bench_environment *environment) {
    static struct bench bench;
    bench.environment = environment;
    if (build(&bench) != 0 || vcpu_start(bench.vcpu) != 0)
        return -1;
    /* libsel4vm's returns 0 after some events, and goes on when it is called again. */
    while (vm_run(&bench.vm) == 0)
        ;
    return bench.ended ? 0 : -1;
}
