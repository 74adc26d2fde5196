/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boots Linux in a virtual machine, with nothing but the C interface: sel4vm/ and sel4vmmplatsupport/. The same file runs on the
 * bare machine (el2), on seL4 and on the fake host of the tests. The guest's console is a UART that this program emulates:
 * as much of an Arm PL011 as Linux needs, without FIFO levels, errors or modem lines.
 */
#include <sel4vm/boot.h>
#include <sel4vm/guest_irq_controller.h>
#include <sel4vm/guest_ram.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <sel4vm/guest_vm_exits.h>
#include <sel4vm/host.h>
#include <sel4vmmplatsupport/arch/guest_boot_init.h>
#include <sel4vmmplatsupport/guest_device_tree.h>
#include <sel4vmmplatsupport/guest_image.h>
#include <sel4vmmplatsupport/guest_vcpu_util.h>

#include <stdio.h>

/* The guest-physical map: that of QEMU's virt board, as far as it goes. */
#define UART_BASE 0x09000000UL
#define UART_SIZE 0x1000UL
#define UART_IRQ 33
#define RAM_BASE 0x40000000UL
#define RAM_SIZE (256UL << 20)
#define DEVICE_TREE_AT (RAM_BASE + (112UL << 20))
#define INITRD_AT (RAM_BASE + (128UL << 20))

#define CONSOLE_BADGE 1
#define MOST_TOLD 16

/* PL011: offsets of registers, bits of interrupts and flags (Arm DDI 0183). */
enum { DR = 0x00, FR = 0x18, CR = 0x30, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, LAST = 0x48, FIRST_ID = 0xfe0 };
enum { RX_INTERRUPTS = 0x50, TX_INTERRUPT = 0x20, RX_EMPTY = 0x10, TX_EMPTY = 0x80, RECEIVER_ON = 0x201 };

struct uart {
    vm_host_t *host;
    uint32_t registers[LAST / 4 + 1]; /* speed, format, FIFO levels: no effect here */
    uint32_t enabled;                 /* interrupts */
    unsigned char input[16];
    size_t first, count; /* of what is in input[] */
};

struct machine {
    vm_host_t host;
    vm_t vm;
    vm_vcpu_t *vcpu;
    struct uart uart;
    unsigned told; /* accesses where nothing is */
};

/* There is always room to send. What was received stays until it is read. */
static uint32_t raised(const struct uart *uart)
{
    return TX_INTERRUPT | (uart->count != 0 ? RX_INTERRUPTS : 0);
}

/* Input waits in the host's UART until the guest listens: Linux throws away what comes before. */
static void fetch_input(struct uart *uart)
{
    if (uart->count != 0 || (uart->enabled & RX_INTERRUPTS) == 0 ||
        (uart->registers[CR / 4] & RECEIVER_ON) != RECEIVER_ON)
        return;
    uart->first = 0;
    uart->count = vm_host_console_get(uart->host, uart->input, sizeof uart->input);
}

static uint32_t read_uart(struct uart *uart, size_t offset)
{
    static const uint8_t ids[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
    uint32_t value = 0;
    switch (offset) {
    case DR:
        if (uart->count != 0) {
            value = uart->input[uart->first++];
            uart->count--;
        }
        fetch_input(uart);
        return value;
    case FR: return TX_EMPTY | (uart->count == 0 ? RX_EMPTY : 0);
    case IMSC: return uart->enabled;
    case RIS: return raised(uart);
    case MIS: return raised(uart) & uart->enabled;
    default:
        if (offset >= FIRST_ID)
            return ids[(offset - FIRST_ID) / 4];
        return offset <= LAST ? uart->registers[offset / 4] : 0;
    }
}

static void write_uart(struct uart *uart, size_t offset, uint32_t value)
{
    unsigned char byte = (unsigned char)value;
    switch (offset) {
    case DR: vm_host_console_put(uart->host, &byte, 1); break;
    case IMSC:
        uart->enabled = value;
        fetch_input(uart);
        break;
    case ICR: break; /* both interrupts are levels */
    default:
        if (offset <= LAST)
            uart->registers[offset / 4] = value;
        break;
    }
}

static void drive_interrupt(vm_vcpu_t *vcpu, const struct uart *uart)
{
    vm_set_irq_level(vcpu, UART_IRQ, (raised(uart) & uart->enabled) != 0);
}

static memory_fault_result_t on_uart_access(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie)
{
    struct uart *uart = cookie;
    const size_t offset = (address - UART_BASE) & ~(size_t)3;
    (void)vm;
    if (bytes == 0 || bytes > 4)
        return FAULT_UNHANDLED;
    if (is_vcpu_read_fault(vcpu))
        set_vcpu_fault_data(vcpu, read_uart(uart, offset));
    else
        write_uart(uart, offset, (uint32_t)emulate_vcpu_fault(vcpu, 0));
    drive_interrupt(vcpu, uart);
    advance_vcpu_fault(vcpu);
    return FAULT_HANDLED;
}

/*
 * An access to memory that nobody owns: told, and treated as a register that reads as zero. A guest that has lost its way makes any number of
 * them, so only the first ones are told.
 */
static memory_fault_result_t on_unhandled_access(vm_t *vm, vm_vcpu_t *vcpu, uintptr_t address, size_t bytes, void *cookie)
{
    struct machine *machine = cookie;
    if (machine->told == MOST_TOLD)
        return FAULT_IGNORE;
    printf("%s: %s of %zu bytes at 0x%lx, where nothing is\n", vm->vm_name,
           is_vcpu_read_fault(vcpu) ? "read" : "write", bytes, (unsigned long)address);
    if (++machine->told == MOST_TOLD)
        printf("%s: further ones are not told\n", vm->vm_name);
    return FAULT_IGNORE;
}

static int on_notification(vm_t *vm, seL4_Word badge, seL4_MessageInfo_t tag, void *cookie)
{
    struct machine *machine = cookie;
    (void)vm;
    (void)tag;
    if (badge & CONSOLE_BADGE) {
        fetch_input(&machine->uart);
        drive_interrupt(machine->vcpu, &machine->uart);
    }
    return 0;
}

/* Images into RAM and registers for the first instruction: at the start, and again when the guest reboots. */
static int load_guest(vm_t *vm, void *cookie)
{
    struct machine *machine = cookie;
    guest_kernel_image_t kernel;
    guest_image_t initrd, tree;
    vmm_device_tree_t what = {.bootargs = "console=ttyAMA0", .initrd = &initrd, .pl011 = UART_BASE, .pl011_irq = UART_IRQ};

    machine->uart = (struct uart){.host = &machine->host};
    if (vm_load_guest_kernel(vm, "kernel", RAM_BASE, 0, &kernel) != 0 ||
        vm_load_guest_module(vm, "initrd", INITRD_AT, 0, &initrd) != 0 ||
        vmm_load_device_tree(vm, &what, DEVICE_TREE_AT, &tree) != 0)
        return -1;
    return vcpu_set_bootargs(machine->vcpu, vm->entry, 0, tree.load_paddr);
}

static int build(struct machine *machine)
{
    vm_t *vm = &machine->vm;
    vm_host_t *host = &machine->host;
    if (vm_init(vm, &host->vka, &host->simple, host->vspace, &host->io_ops, host->endpoint, "linux") != 0 ||
        vm_register_unhandled_mem_fault_callback(vm, on_unhandled_access, machine) != 0 ||
        vm_register_notification_callback(vm, on_notification, machine) != 0 ||
        vm_register_reset_callback(vm, load_guest, machine) != 0 ||
        vm_ram_register_at(vm, RAM_BASE, RAM_SIZE, false) != 0 || vm_create_default_irq_controller(vm) != 0)
        return -1;
    machine->vcpu = create_vmm_plat_vcpu(vm, host->priority);
    if (machine->vcpu == NULL || vm_assign_vcpu_target(machine->vcpu, 0) != 0 ||
        vm_reserve_memory_at(vm, UART_BASE, UART_SIZE, on_uart_access, &machine->uart) == NULL)
        return -1;
    if (vm_host_console_listen(host, CONSOLE_BADGE) != 0)
        printf("this host has no console input\n");
    return load_guest(vm, machine);
}

int main(void)
{
    struct machine machine = {0};
    int result = -1;
    if (vm_host_open(&machine.host) != 0)
        return 2;
    if (build(&machine) == 0 && vcpu_start(machine.vcpu) == 0) {
        result = vm_run(&machine.vm);
        printf("the guest has ended: result %d, reason %d\n", result, machine.vm.run.exit_reason);
    }
    vm_destroy(&machine.vm);
    vm_host_close(&machine.host);
    return result == 0 ? 0 : 1;
}
